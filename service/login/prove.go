package login

import (
	"context"
	"errors"
	"slices"

	"latchkey/model"
	"latchkey/service/password"
	"latchkey/service/throttle"
	"latchkey/service/totp"
)

// Proof is what somebody shows to prove that an account is theirs.
type Proof struct {
	Password string // plain, or the static hash if Hashed
	Hashed   bool
	Code     string // of the second factor; empty if none was sent
	Fresh    bool   // the second factor was proven lately: no code is asked for

	half *Half // the password was shown before; it is not looked at
}

// prove looks at the password and the code, in this order, and then does what
// they were shown for, which must fail if the account changed since a was read.
// The attempt counts where it comes from until all of that went well. It fails
// with ErrCredentials, ErrMustChange, ErrCodeNeeded, totp.ErrWrongCode,
// throttle.ErrThrottled, password.ErrBusy, password.ErrTooLong, or as then does.
func (s *Service) prove(ctx context.Context, from throttle.Attempt, p Proof, a model.Account, then func() error) error {
	// Counted before any work is done, so that parallel guesses count too.
	attempt, err := s.Throttle.Begin(ctx, from)
	if err != nil {
		return err
	}
	defer attempt.Fail() // unless it was settled otherwise
	right, err := s.passwordRight(ctx, p, a)
	if err != nil {
		attempt.Cancel()
		return err
	}
	if !right || a.Disabled || slices.Contains(a.Roles, model.RoleGuest) {
		return ErrCredentials
	}
	if a.MustChangePassword {
		attempt.Cancel() // the password is right: no guess
		return ErrMustChange
	}
	if err := s.checkCode(ctx, p, from, attempt); err != nil {
		return err
	}
	if err := then(); err != nil {
		attempt.Cancel()
		return err
	}
	attempt.Succeed()
	return nil
}

// passwordRight costs the same whether or not there is such an account. A password
// that was shown before counts as long as nothing changed that a sign-in checks.
func (s *Service) passwordRight(ctx context.Context, p Proof, a model.Account) (bool, error) {
	if err := password.CheckLength(p.Password); err != nil {
		return false, err
	}
	if p.half != nil {
		return p.half.AccountKey == a.Key && p.half.Epoch == a.Epoch, nil
	}
	static := p.static()
	if a.PasswordHash == "" || !password.IsStatic(static) {
		return false, s.Hasher.VerifyNothing(ctx, static)
	}
	return s.Passwords.Verify(ctx, a.Key, a.PasswordHash, static)
}

// static is what is hashed of the password, whichever form was sent.
func (p Proof) static() string {
	if p.Hashed {
		return password.NormalizeStatic(p.Password)
	}
	return password.Static(p.Password)
}

// checkCode asks for the second factor where there is one, unless it was proven.
// A missing code is no failure: clients first learn from it that they must ask.
func (s *Service) checkCode(ctx context.Context, p Proof, from throttle.Attempt, attempt *throttle.Ticket) error {
	enabled, err := s.Factors.Enabled(ctx, from.AccountKey)
	if err != nil {
		attempt.Cancel() // our fault, not a guess
		return err
	}
	if !enabled || p.Fresh {
		return nil
	}
	if p.Code == "" {
		attempt.Cancel()
		return ErrCodeNeeded
	}
	codes, err := s.Throttle.Codes(ctx, from.AccountKey, from.Address)
	if err != nil {
		if !errors.Is(err, throttle.ErrThrottled) {
			attempt.Cancel() // our fault, not a guess
		}
		return err
	}
	err = s.Factors.Check(ctx, from.AccountKey, p.Code)
	switch {
	case errors.Is(err, totp.ErrWrongCode):
		codes.Fail()
	case err != nil:
		codes.Cancel()
		attempt.Cancel()
	default:
		codes.Succeed()
	}
	return err
}
