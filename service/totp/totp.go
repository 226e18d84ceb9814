package totp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/revocation"
)

// What the service answers when it does not do as asked.
var (
	// ErrGone says that the caller's account was deleted meanwhile.
	ErrGone = fault.New(fault.Unauthenticated, "totp_account_gone", "token is invalidated")
	// ErrGuest says that a guest asked for a second factor.
	ErrGuest = fault.New(fault.Forbidden, "totp_guest", "Guest user can not generate 2FA code")
	// ErrEnabled says that a factor is enrolled already and stays as it is.
	ErrEnabled = fault.New(fault.Invalid, "totp_enabled", "2FA is already enabled")
	// ErrNoPending says that the secret is not the newest one issued to this
	// account, or is too old.
	ErrNoPending = fault.New(fault.Invalid, "totp_no_pending", "2FA secret expired, generate a new one")
	// ErrWrongEnrolCode says that the code does not belong to the secret to be
	// enrolled.
	ErrWrongEnrolCode = fault.New(fault.Invalid, "totp_enrol_code_wrong", "Invalid 2FA code")
	// ErrWrongCode says that a code is wrong, out of time or used before.
	ErrWrongCode = fault.New(fault.CodeRequired, "totp_code_wrong", "Invalid 2FA code")
)

// Store keeps one row per account. Every method is one transaction.
type Store interface {
	// TOTP is the account's row, or model.ErrNotFound.
	TOTP(ctx context.Context, accountKey string) (model.TOTP, error)
	// SavePendingTOTP keeps a sealed secret as the account's only pending one
	// and changes nothing else; model.ErrConflict while a factor is enrolled.
	SavePendingTOTP(ctx context.Context, accountKey, sealed string, at model.Time) error
	// EnrolTOTP stores row's Secret, EnrolledAt and LastStep, drops the pending
	// secret and ends, as of EnrolledAt and with model.EndTwoFactor, the
	// account's live logins except keepLogin (empty: all of them); a sign-in
	// under way without a code must not finish after it. It is model.ErrStale,
	// and nothing happens, unless the stored Pending and PendingAt are still
	// row's and nothing is enrolled.
	EnrolTOTP(ctx context.Context, row model.TOTP, keepLogin string) error
	// ClaimTOTPStep raises the last step to step. It is model.ErrStale, and
	// nothing happens, unless step is later than the stored one and row's
	// Secret is still the enrolled one. Of parallel calls with one step a
	// single one succeeds.
	ClaimTOTPStep(ctx context.Context, row model.TOTP, step int64) error
	// DeleteTOTP drops the account's row and ends its live logins except
	// keepLogin, as EnrolTOTP does. While nothing is enrolled it is
	// model.ErrNotFound and nothing happens.
	DeleteTOTP(ctx context.Context, accountKey, keepLogin string, at model.Time) error
}

// Sealer encrypts secrets for the store. What was sealed opens only with the
// same aad.
type Sealer interface {
	Seal(aad string, plain []byte) (string, error)
	Open(aad, sealed string) ([]byte, error)
}

// Audit stores a security event.
type Audit = func(ctx context.Context, e audit.Event) error

// Service is the second factor of all accounts. It is safe for concurrent use.
type Service struct {
	store  Store
	sealer Sealer
	hub    *revocation.Hub
	now    func() time.Time
	audit  Audit
}

// New makes the service. None of its parts may be nil.
func New(store Store, sealer Sealer, hub *revocation.Hub, now func() time.Time, record Audit) *Service {
	return &Service{store: store, sealer: sealer, hub: hub, now: now, audit: record}
}

// Enabled reports whether the account has an enrolled factor.
func (s *Service) Enabled(ctx context.Context, accountKey string) (bool, error) {
	row, err := s.store.TOTP(ctx, accountKey)
	if errors.Is(err, model.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read second factor of %s: %w", accountKey, err)
	}
	return row.Secret != "", nil
}

// attempts is how often an act begins again when its row was sealed anew under
// its hands. Keys are rotated by hand, so that once is plenty.
const attempts = 10

// Check spends a code of the account. It is nil at most once per code; a code
// that is wrong, malformed, out of time or used before is ErrWrongCode, and so
// is any code while no factor is enrolled.
func (s *Service) Check(ctx context.Context, accountKey, code string) error {
	if !wellFormed(code) {
		return ErrWrongCode
	}
	tried := ""
	for range attempts {
		row, err := s.store.TOTP(ctx, accountKey)
		if errors.Is(err, model.ErrNotFound) || err == nil && (row.Secret == "" || row.Secret == tried) {
			return ErrWrongCode
		}
		if err != nil {
			return fmt.Errorf("read second factor of %s: %w", accountKey, err)
		}
		err = s.spend(ctx, row, code)
		if !errors.Is(err, model.ErrStale) {
			return err
		}
		tried = row.Secret // the code was used before, or the secret was sealed anew
	}
	return ErrWrongCode
}

// spend is Check of a row; model.ErrStale says that the row or its last step
// changed since it was read.
func (s *Service) spend(ctx context.Context, row model.TOTP, code string) error {
	secret, err := s.sealer.Open(secretAAD(row.AccountKey), row.Secret)
	if err != nil {
		return fmt.Errorf("open second factor of %s: %w", row.AccountKey, err)
	}
	step, err := matchStep(string(secret), code, s.now())
	if err != nil {
		return fmt.Errorf("check second factor of %s: %w", row.AccountKey, err)
	}
	if step == noStep {
		return ErrWrongCode
	}
	if err = s.store.ClaimTOTPStep(ctx, row, step); err != nil {
		return fmt.Errorf("spend code of %s: %w", row.AccountKey, err)
	}
	return nil
}

// Remove takes the account's factor away and ends its other logins; keepLogin
// may be empty. An account without one is left as it is, without error. When
// Remove returns, the ended logins are refused everywhere.
func (s *Service) Remove(ctx context.Context, accountKey, keepLogin string) error {
	err := s.store.DeleteTOTP(ctx, accountKey, keepLogin, model.At(s.now()))
	if errors.Is(err, model.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove second factor of %s: %w", accountKey, err)
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: accountKey})
	return s.audit(ctx, audit.Event{Kind: audit.TwoFactorRemoved, AccountKey: accountKey})
}

// secretAAD binds a sealed secret to its account and to being enrolled.
func secretAAD(accountKey string) string { return "totp|secret|" + accountKey }

// pendingAAD binds a sealed secret to its account and to not being enrolled,
// so that a row cannot be turned from one into the other.
func pendingAAD(accountKey string) string { return "totp|pending|" + accountKey }
