package totp

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
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
// while a factor is enrolled, ErrGuest for guests, access.ErrFirstParty for
// delegated callers, and ErrGone for those whose account was deleted meanwhile.
func (s *Service) Generate(ctx context.Context, by access.Caller, issuer string) (Enrolment, error) {
	if err := mayEnrol(by); err != nil {
		return Enrolment{}, err
	}
	key := by.Account.Key
	made, sealed, err := s.issue(by, issuer)
	if err != nil {
		return Enrolment{}, err
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

// GenerateReplacement is Generate for callers with a factor, which works on
// until the new one is confirmed; without one it is the same as Generate. It
// may also be access.ErrNotFresh.
func (s *Service) GenerateReplacement(ctx context.Context, by access.Caller, issuer string) (Enrolment, error) {
	err := s.mayChange(ctx, by)
	if errors.Is(err, ErrNotEnabled) {
		return s.Generate(ctx, by, issuer)
	}
	if err != nil {
		return Enrolment{}, err
	}
	key := by.Account.Key
	row, err := s.store.TOTP(ctx, key)
	if err != nil && !errors.Is(err, model.ErrNotFound) {
		return Enrolment{}, fmt.Errorf("read second factor of %s: %w", key, err)
	}
	made, sealed, err := s.issue(by, issuer)
	if err != nil {
		return Enrolment{}, err
	}
	row.AccountKey, row.Pending, row.PendingAt = key, sealed, model.At(s.now())
	err = s.store.SaveReplacementTOTP(ctx, row)
	if errors.Is(err, model.ErrStale) {
		return Enrolment{}, ErrNoPending // another request changed the factor meanwhile
	}
	if err != nil {
		return Enrolment{}, fmt.Errorf("save pending secret of %s: %w", key, err)
	}
	return made, nil
}

// mayEnrol refuses guests, who have no factor, and delegated callers.
func mayEnrol(by access.Caller) error {
	if by.Account.IsGuest() {
		return ErrGuest
	}
	return by.CheckOwner()
}

// issue makes a secret, as it is shown and sealed.
func (s *Service) issue(by access.Caller, issuer string) (made Enrolment, sealed string, err error) {
	raw := make([]byte, secretSize)
	rand.Read(raw) // never fails since Go 1.24
	secret := base32.StdEncoding.EncodeToString(raw)
	key := by.Account.Key
	if made, err = describe(issuer, by.Account.Username, secret); err != nil {
		return Enrolment{}, "", fmt.Errorf("describe secret of %s: %w", key, err)
	}
	if sealed, err = s.sealer.Seal(pendingAAD(key), []byte(secret)); err != nil {
		return Enrolment{}, "", fmt.Errorf("seal pending secret of %s: %w", key, err)
	}
	return made, sealed, nil
}

// Confirm enrols the secret that was issued last to the caller, if it is at
// most 10 minutes old and the code proves that an authenticator holds it; it
// takes the place of any older one, whose recovery codes are void. The code is
// spent by that, and the caller's other logins end: when Confirm returns, they
// are refused everywhere. It is ErrEnabled, access.ErrNotFresh (to replace a factor),
// ErrNoPending, ErrWrongEnrolCode, ErrEnded, ErrGuest or access.ErrFirstParty; a
// wrong code leaves the secret pending.
func (s *Service) Confirm(ctx context.Context, by access.Caller, secret, code string) error {
	if err := mayEnrol(by); err != nil {
		return err
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
	row, err := s.pending(ctx, by, secret, now)
	if err != nil {
		return err
	}
	if row.LastStep, err = proof(secret, code, now); err != nil {
		return err
	}
	replaces := row.Secret != ""
	row.EnrolledAt = model.At(now)
	if row.Secret, err = s.sealer.Seal(secretAAD(row.AccountKey), []byte(secret)); err != nil {
		return fmt.Errorf("seal second factor of %s: %w", row.AccountKey, err)
	}
	if err := s.enrol(ctx, row, by.LoginID); err != nil {
		return err
	}
	return s.audit(ctx, audit.Event{
		Kind: audit.TwoFactorEnabled, AccountKey: row.AccountKey, Detail: []slog.Attr{slog.Bool("replaced", replaces)},
	})
}

// proof is the step of a code that shows who holds the secret. It is
// ErrWrongEnrolCode, and says so if the clock is wrong: the secret is known to
// whoever asks, and they could not find that out by themselves.
func proof(secret, code string, now time.Time) (int64, error) {
	if !wellFormed(code) {
		return noStep, ErrWrongEnrolCode
	}
	step, err := matchStep(secret, code, now)
	if err != nil || step != noStep {
		return step, err
	}
	by, err := driftOf(secret, code, now)
	if err != nil {
		return noStep, err
	}
	if by != 0 {
		return noStep, ErrWrongEnrolCode.WithText(driftText(by))
	}
	return noStep, ErrWrongEnrolCode
}

// pending is the caller's row if secret is what it may enrol.
func (s *Service) pending(ctx context.Context, by access.Caller, secret string, now time.Time) (model.TOTP, error) {
	accountKey := by.Account.Key
	row, err := s.store.TOTP(ctx, accountKey)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return row, ErrNoPending
	case err != nil:
		return row, fmt.Errorf("read second factor of %s: %w", accountKey, err)
	case row.Secret != "" && row.Pending == "":
		return row, ErrEnabled
	case row.Secret != "" && !by.IsFresh(now):
		return row, access.ErrNotFresh
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

// enrol commits and forgets. model.ErrStale says that the row changed since it
// was read: it was enrolled by another request, or its secret was replaced by a
// newer one or sealed anew. A row that did not change is refused because the
// caller's login is over: ErrEnded.
func (s *Service) enrol(ctx context.Context, row model.TOTP, keepLogin string) error {
	err := s.store.EnrolTOTP(ctx, row, keepLogin)
	if errors.Is(err, model.ErrStale) {
		is, err := s.store.TOTP(ctx, row.AccountKey)
		switch {
		case err != nil && !errors.Is(err, model.ErrNotFound):
			return fmt.Errorf("read second factor of %s: %w", row.AccountKey, err)
		case is.Pending == row.Pending && is.PendingAt.Equal(row.PendingAt.Time):
			return ErrEnded
		}
		return model.ErrStale
	}
	if err != nil {
		return fmt.Errorf("enrol second factor of %s: %w", row.AccountKey, err)
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: row.AccountKey})
	return nil
}
