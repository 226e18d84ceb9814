// Package totptest owns what tests of the second factor need: a working
// in-memory totp.Store, a Sealer, codes, and the conformance suite every Store
// must pass. It is for tests only.
package totptest

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"

	"latchkey/model"
)

// Store is a working totp.Store in memory. Every account key is taken for an
// existing account. It is safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	rows   map[string]model.TOTP
	codes  map[string][]model.RecoveryCode // by account
	logins map[string]*model.Login
	made   int
}

// New makes an empty store.
func New() *Store {
	return &Store{rows: map[string]model.TOTP{}, codes: map[string][]model.RecoveryCode{}, logins: map[string]*model.Login{}}
}

// TOTP is the account's row.
func (s *Store) TOTP(_ context.Context, accountKey string) (model.TOTP, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[accountKey]
	if !ok {
		return model.TOTP{}, model.ErrNotFound
	}
	return row, nil
}

// Replace puts row in the place of its account's.
func (s *Store) Replace(row model.TOTP) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[row.AccountKey] = row
}

// SavePendingTOTP keeps the newest pending secret.
func (s *Store) SavePendingTOTP(_ context.Context, accountKey, sealed string, at model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.rows[accountKey]
	if row.Secret != "" {
		return model.ErrConflict
	}
	row.AccountKey, row.Pending, row.PendingAt = accountKey, sealed, at
	s.rows[accountKey] = row
	return nil
}

// SaveReplacementTOTP keeps a pending secret beside the enrolled one.
func (s *Store) SaveReplacementTOTP(_ context.Context, row model.TOTP) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rows[row.AccountKey]
	if old.Secret == "" || old.Secret != row.Secret {
		return model.ErrStale
	}
	old.Pending, old.PendingAt = row.Pending, row.PendingAt
	s.rows[row.AccountKey] = old
	return nil
}

// EnrolTOTP turns the pending secret into the enrolled one.
func (s *Store) EnrolTOTP(_ context.Context, row model.TOTP, keepLogin string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rows[row.AccountKey]
	same := old.Pending == row.Pending && old.PendingAt.Equal(row.PendingAt.Time)
	if old.Pending == "" || !same || !s.isLive(keepLogin) {
		return model.ErrStale
	}
	row.Pending, row.PendingAt = "", model.Time{}
	s.rows[row.AccountKey] = row
	delete(s.codes, row.AccountKey)
	s.endLogins(row.AccountKey, keepLogin, row.EnrolledAt)
	return nil
}

// ClaimTOTPStep raises the last step.
func (s *Store) ClaimTOTPStep(_ context.Context, row model.TOTP, step int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rows[row.AccountKey]
	if old.Secret == "" || old.Secret != row.Secret || old.LastStep >= step {
		return model.ErrStale
	}
	old.LastStep = step
	s.rows[row.AccountKey] = old
	return nil
}

// DeleteTOTP drops an enrolled row.
func (s *Store) DeleteTOTP(_ context.Context, accountKey, keepLogin string, at model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isLive(keepLogin) {
		return model.ErrStale
	}
	if s.rows[accountKey].Secret == "" {
		return model.ErrNotFound
	}
	delete(s.rows, accountKey)
	delete(s.codes, accountKey)
	s.endLogins(accountKey, keepLogin, at)
	return nil
}

func (s *Store) endLogins(accountKey, keepLogin string, at model.Time) {
	for _, l := range s.logins {
		if l.AccountKey == accountKey && l.ID != keepLogin && l.EndedAt.IsZero() {
			l.EndedAt, l.EndReason = at, model.EndTwoFactor
		}
	}
}

// isLive reports whether the login has not ended; nobody's never does.
func (s *Store) isLive(loginID string) bool {
	l, ok := s.logins[loginID]
	return loginID == "" || ok && l.EndedAt.IsZero()
}

// NewAccount is a key that no other call returned.
func (s *Store) NewAccount() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return "account-" + strconv.Itoa(s.made)
}

// NewLogin makes a live login of the account and returns its id.
func (s *Store) NewLogin(accountKey string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	id := "login-" + strconv.Itoa(s.made)
	s.logins[id] = &model.Login{ID: id, AccountKey: accountKey}
	return id
}

// EndLogin ends a login, as evicting its device does.
func (s *Store) EndLogin(loginID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[loginID].EndedAt, s.logins[loginID].EndReason = model.At(time.Unix(1, 0)), model.EndEvicted
}

// EndReason says why the login ended; empty while it is live.
func (s *Store) EndReason(loginID string) model.EndReason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins[loginID].EndReason
}

// Code is what an authenticator with this secret shows at the time, or "" for
// a secret that is not base32.
func Code(secret string, at time.Time) string {
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		return ""
	}
	return code
}
