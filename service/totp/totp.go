package totp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/access"
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
	// ErrRequired says that a role of the account wants it to have a second
	// factor: it can do nothing without one, and not take its own off.
	ErrRequired = fault.New(fault.Forbidden, "totp_required", "Your role requires 2FA: enable it first")
	// ErrNotEnabled says that there is no factor to do that with.
	ErrNotEnabled = fault.New(fault.Invalid, "totp_not_enabled", "2FA is not enabled")
	// ErrEnded says that the caller's login ended while the change was prepared.
	ErrEnded = fault.New(fault.Unauthenticated, "session_inactive", "session inactive")
	// ErrNoPending says that the secret is not the newest one issued to this
	// account, or is too old.
	ErrNoPending = fault.New(fault.Invalid, "totp_no_pending", "2FA secret expired, generate a new one")
	// ErrWrongEnrolCode says that the code does not belong to the secret to be
	// enrolled. Its text may say that a clock is wrong.
	ErrWrongEnrolCode = fault.New(fault.Invalid, "totp_enrol_code_wrong", "Invalid 2FA code")
	// ErrWrongCode says that a code is wrong, out of time or used before.
	ErrWrongCode = fault.New(fault.CodeRequired, "totp_code_wrong", "Invalid 2FA code")
)

// Store keeps one row per account, and its recovery codes. Every method is one transaction.
type Store interface {
	// TOTP is the account's row, or model.ErrNotFound.
	TOTP(ctx context.Context, accountKey string) (model.TOTP, error)
	// SavePendingTOTP keeps a sealed secret as the account's only pending one
	// and changes nothing else; model.ErrConflict while a factor is enrolled.
	SavePendingTOTP(ctx context.Context, accountKey, sealed string, at model.Time) error
	// SaveReplacementTOTP keeps row's Pending and PendingAt beside the enrolled
	// Secret and changes nothing else; model.ErrStale unless row's Secret is
	// the enrolled one.
	SaveReplacementTOTP(ctx context.Context, row model.TOTP) error
	// EnrolTOTP stores row's Secret, EnrolledAt and LastStep in the place of
	// any older ones, drops the pending secret and the recovery codes, and ends,
	// as of EnrolledAt and with model.EndTwoFactor, the account's live logins
	// except keepLogin (empty: all of them); a sign-in under way must not finish
	// after it. It is model.ErrStale, and nothing happens, unless the stored
	// Pending and PendingAt are still row's and keepLogin has not ended. As
	// nobody saves a pending secret beside another enrolled one than they saw,
	// and enrolling drops it, the secret that is replaced is the one it was
	// issued beside.
	EnrolTOTP(ctx context.Context, row model.TOTP, keepLogin string) error
	// ClaimTOTPStep raises the last step to step. It is model.ErrStale, and
	// nothing happens, unless step is later than the stored one and row's
	// Secret is still the enrolled one. Of parallel calls with one step a
	// single one succeeds.
	ClaimTOTPStep(ctx context.Context, row model.TOTP, step int64) error
	// DeleteTOTP drops the account's row and recovery codes and ends its live
	// logins except keepLogin, as EnrolTOTP does. While nothing is enrolled it
	// is model.ErrNotFound, and if keepLogin, which may be another account's,
	// has ended, model.ErrStale; then nothing happens.
	DeleteTOTP(ctx context.Context, accountKey, keepLogin string, at model.Time) error

	// RecoveryCodes lists the account's present set, used ones too.
	RecoveryCodes(ctx context.Context, accountKey string) ([]model.RecoveryCode, error)
	// RenewRecoveryCodes puts the codes in the place of all the account has. It
	// is model.ErrNotFound while nothing is enrolled, and model.ErrStale if
	// byLogin (empty: none) has ended; then nothing happens.
	RenewRecoveryCodes(ctx context.Context, accountKey, byLogin string, codes []model.RecoveryCode) error
	// UseRecoveryCode marks the code with the hash as used and returns how many
	// are left. It is model.ErrStale, and nothing happens, if the account has no
	// such unused one. Of parallel calls with one hash a single one succeeds.
	UseRecoveryCode(ctx context.Context, accountKey, hash string, at model.Time) (int64, error)
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

// Check spends a code of the account, or a recovery code. It is nil at most
// once per code; a code that is wrong, malformed, out of time or used before is
// ErrWrongCode, and so is any code while no factor is enrolled. What cannot be a
// code is refused unread, and a recovery code costs no more than a one-time one:
// a read, and a write if it is right.
func (s *Service) Check(ctx context.Context, accountKey, code string) error {
	if wellFormed(code) {
		return s.checkStep(ctx, accountKey, code)
	}
	if recovery := recoveryCode(code); recovery != "" {
		return s.checkRecovery(ctx, accountKey, recovery)
	}
	return ErrWrongCode
}

// checkStep spends a one-time code. A code of another time is ErrWrongCode with
// a ClockDriftError.
func (s *Service) checkStep(ctx context.Context, accountKey, code string) error {
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
	now := s.now()
	step, err := matchStep(string(secret), code, now)
	if err != nil {
		return fmt.Errorf("check second factor of %s: %w", row.AccountKey, err)
	}
	if step == noStep {
		return wrongBy(string(secret), code, now)
	}
	if step <= row.LastStep {
		return ErrWrongCode // spent: not worth a write's turn
	}
	if err = s.store.ClaimTOTPStep(ctx, row, step); err != nil {
		return fmt.Errorf("spend code of %s: %w", row.AccountKey, err)
	}
	return nil
}

// wrongBy is ErrWrongCode, with how far the clock is off if that is why.
func wrongBy(secret, code string, now time.Time) error {
	by, err := driftOf(secret, code, now)
	if err != nil {
		return fmt.Errorf("look for a wrong clock: %w", err)
	}
	if by != 0 {
		return &ClockDriftError{By: by}
	}
	return ErrWrongCode
}

// Disable takes the caller's factor away with its recovery codes and ends the
// account's other logins. It is ErrGuest, ErrNotEnabled,
// access.ErrNotFresh, ErrRequired or ErrEnded.
func (s *Service) Disable(ctx context.Context, by access.Caller) error {
	if err := s.mayChange(ctx, by); err != nil {
		return err
	}
	if by.Account.RequiresTwoFactor {
		return ErrRequired
	}
	err := s.remove(ctx, by.Account.Key, by.LoginID)
	if errors.Is(err, model.ErrNotFound) {
		return ErrNotEnabled
	}
	return err
}

// mayChange refuses callers who have no factor to change, or have not proved of
// late who they are (T-08, rulings 22).
func (s *Service) mayChange(ctx context.Context, by access.Caller) error {
	if err := mayEnrol(by); err != nil {
		return err
	}
	on, err := s.Enabled(ctx, by.Account.Key)
	switch {
	case err != nil:
		return err
	case !on:
		return ErrNotEnabled
	}
	return by.CheckFresh(s.now())
}

// Remove takes the account's factor away with its recovery codes and ends its
// other logins; keepLogin is the login that asks, which may be another
// account's, or empty. An account without a factor is left as it is, without
// error. When Remove returns, the ended logins are refused everywhere. It is
// ErrEnded if keepLogin is over.
func (s *Service) Remove(ctx context.Context, accountKey, keepLogin string) error {
	err := s.remove(ctx, accountKey, keepLogin)
	if errors.Is(err, model.ErrNotFound) {
		return nil
	}
	return err
}

func (s *Service) remove(ctx context.Context, accountKey, keepLogin string) error {
	err := s.store.DeleteTOTP(ctx, accountKey, keepLogin, model.At(s.now()))
	if errors.Is(err, model.ErrStale) {
		return ErrEnded
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
