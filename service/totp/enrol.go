package totp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/revocation"
)

const (
	// secretSize is the randomness of a secret in bytes: the 160 bits that
	// RFC 4226 R6 recommends, 32 characters of base32 without padding.
	secretSize = 20
	// pendingFor is how long an issued secret can be enrolled, both ends
	// included.
	pendingFor = 10 * time.Minute
)

// Enrolment is what an authenticator needs. It is shown once.
type Enrolment struct {
	Secret string // 32 base32 characters
	URL    string // otpauth://totp/…
	QR     string // the URL as a data URL of a PNG, 400×400
}

// Generate issues a new secret to the caller and remembers it, in place of any
// older one, until it is confirmed; nothing else changes. It is ErrEnabled
// while a factor is enrolled, ErrGuest for guests, and ErrGone for those whose
// account was deleted meanwhile.
func (s *Service) Generate(ctx context.Context, by access.Caller, issuer string) (Enrolment, error) {
	if by.Account.IsGuest() {
		return Enrolment{}, ErrGuest
	}
	key := by.Account.Key
	raw := make([]byte, secretSize)
	rand.Read(raw) // never fails since Go 1.24
	secret := base32.StdEncoding.EncodeToString(raw)
	made, err := describe(issuer, by.Account.Username, secret)
	if err != nil {
		return Enrolment{}, fmt.Errorf("describe secret of %s: %w", key, err)
	}
	sealed, err := s.sealer.Seal(pendingAAD(key), []byte(secret))
	if err != nil {
		return Enrolment{}, fmt.Errorf("seal pending secret of %s: %w", key, err)
	}
	err = s.store.SavePendingTOTP(ctx, key, sealed, model.At(s.now()))
	if errors.Is(err, model.ErrConflict) {
		return Enrolment{}, ErrEnabled
	}
	if errors.Is(err, model.ErrStale) {
		return Enrolment{}, ErrGone
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("save pending secret of %s: %w", key, err)
	}
	return made, nil
}

// Confirm enrols the secret that Generate issued last to the caller, if it is
// at most 10 minutes old and the code proves that an authenticator holds it.
// The code is spent by that, and the caller's other logins end: when Confirm
// returns, they are refused everywhere. It is ErrEnabled, ErrNoPending,
// ErrWrongEnrolCode or ErrGuest; a wrong code leaves the secret pending.
func (s *Service) Confirm(ctx context.Context, by access.Caller, secret, code string) error {
	if by.Account.IsGuest() {
		return ErrGuest
	}
	now := s.now()
	for range attempts {
		err := s.confirm(ctx, by, secret, code, now)
		if !errors.Is(err, model.ErrStale) {
			return err
		}
	}
	return ErrNoPending
}

// confirm is Confirm at one moment. model.ErrStale says that the row changed
// since it was read.
func (s *Service) confirm(ctx context.Context, by access.Caller, secret, code string, now time.Time) error {
	row, err := s.pending(ctx, by.Account.Key, secret, now)
	if err != nil {
		return err
	}
	step, err := matchStep(secret, code, now)
	if err != nil {
		return fmt.Errorf("check new second factor of %s: %w", row.AccountKey, err)
	}
	if step == noStep {
		return ErrWrongEnrolCode
	}
	row.LastStep = step
	row.EnrolledAt = model.At(now)
	if row.Secret, err = s.sealer.Seal(secretAAD(row.AccountKey), []byte(secret)); err != nil {
		return fmt.Errorf("seal second factor of %s: %w", row.AccountKey, err)
	}
	return s.enrol(ctx, row, by.LoginID)
}

// pending is the account's row if secret is what it may enrol.
func (s *Service) pending(ctx context.Context, accountKey, secret string, now time.Time) (model.TOTP, error) {
	row, err := s.store.TOTP(ctx, accountKey)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return row, ErrNoPending
	case err != nil:
		return row, fmt.Errorf("read second factor of %s: %w", accountKey, err)
	case row.Secret != "":
		return row, ErrEnabled
	case row.Pending == "", now.Sub(row.PendingAt.Time) > pendingFor:
		return row, ErrNoPending
	}
	issued, err := s.sealer.Open(pendingAAD(accountKey), row.Pending)
	if err != nil {
		return row, fmt.Errorf("open pending secret of %s: %w", accountKey, err)
	}
	if subtle.ConstantTimeCompare(issued, []byte(secret)) != 1 {
		return row, ErrNoPending
	}
	return row, nil
}

// enrol commits and tells. A row that changed since it was read was enrolled
// by another request, or its secret was replaced by a newer one or sealed anew:
// model.ErrStale.
func (s *Service) enrol(ctx context.Context, row model.TOTP, keepLogin string) error {
	if err := s.store.EnrolTOTP(ctx, row, keepLogin); err != nil {
		return fmt.Errorf("enrol second factor of %s: %w", row.AccountKey, err)
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: row.AccountKey})
	return s.audit(ctx, audit.Event{Kind: audit.TwoFactorEnabled, AccountKey: row.AccountKey})
}
