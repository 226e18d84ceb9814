// Package profile is the flow of an account changing itself: its name, its
// password, its second factor, its keys. It owns which change needs a fresh proof
// of identity.
package profile

import (
	"context"
	"errors"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/apikey"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/password"
	"latchkey/service/session"
	"latchkey/service/setting"
	"latchkey/service/sshkey"
	"latchkey/service/throttle"
	"latchkey/service/totp"
)

// Why a change is refused.
var (
	// ErrGuest says that the guest account is nobody's to change.
	ErrGuest = fault.New(fault.Forbidden, "profile_guest", "Guest user can not update profile")
	// ErrGone says that the account was deleted while its owner changed it.
	ErrGone = fault.New(fault.Unauthenticated, "account_gone", "token is invalidated")
	// ErrNotFresh says that the caller signed in too long ago to change the
	// password.
	ErrNotFresh = access.ErrNotFresh.WithText("Sign in again to change your password")
)

// Deps are the services the flow runs through.
type Deps struct {
	Accounts  *account.Service
	Hasher    *password.Hasher
	Policy    password.Policy
	Passwords *password.Checker
	Factors   *totp.Service
	Throttle  *throttle.Service
	Login     *login.Service
	Sessions  *session.Service
	Settings  *setting.Service
	SSHKeys   *sshkey.Service
	APIKeys   *apikey.Service
	Audit     *audit.Recorder
	Now       func() time.Time
	NewAPIKey func(ctx context.Context, key model.APIKey) // tells the owner of one that was made without a login
}

// Service changes accounts for their owners. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Change is what the AList profile form sends.
type Change struct {
	Username string // the name to have from now on
	Password string // empty, or the present one: it stays
	SSOID    string // always overwritten, but by delegated callers, who leave it out or send the present one
}

// Update changes the caller's account. A new password needs a login that is at
// most 10 minutes old and ends every login of the account, the caller's too
// (rulings 20). A caller whose login ends meanwhile changes nothing. Delegated
// callers change the name alone: no password is looked at, even the present one,
// for they would guess with it. It fails with ErrGuest, access.ErrFirstParty, ErrGone, account.ErrEnded, ErrNotFresh, password.ErrWeak,
// password.ErrUnchecked, account.ErrName, account.ErrNameTaken or
// throttle.ErrThrottled.
func (s *Service) Update(ctx context.Context, by access.Caller, c Change) error {
	if by.Account.IsGuest() {
		return ErrGuest
	}
	if by.IsDelegated() && (c.Password != "" || c.SSOID != "" && c.SSOID != by.Account.SSOID) {
		return access.ErrFirstParty
	}
	err := s.update(ctx, by, c)
	if errors.Is(err, account.ErrUnknown) {
		return ErrGone
	}
	return err
}

func (s *Service) update(ctx context.Context, by access.Caller, c Change) error {
	change := account.Change{ByLogin: by.LoginID} // hashing takes its time, and endings do not wait for it
	if !by.IsDelegated() {
		change.SSOID = &c.SSOID
	}
	if c.Username != by.Account.Username {
		change.Username = &c.Username
	}
	if c.Password == "" {
		return s.Accounts.Change(ctx, by.Account.Key, change)
	}
	if err := password.CheckLength(c.Password); err != nil {
		return err
	}
	return s.compare(ctx, by, c.Password, func(same bool) error {
		if !same {
			hash, err := s.newHash(ctx, by, c)
			if err != nil {
				return err
			}
			change.PasswordHash = &hash
		}
		return s.Accounts.Change(ctx, by.Account.Key, change)
	})
}

// newHash is the stored form of a new password.
func (s *Service) newHash(ctx context.Context, by access.Caller, c Change) (string, error) {
	if !by.IsFresh(s.Now()) {
		return "", ErrNotFresh
	}
	return s.hash(ctx, c.Password, by.Account.Username, by.Account.Email, c.Username)
}

// compare tells then whether plain is the caller's present password. Whoever
// holds a stolen token could guess with it, so it counts as a sign-in attempt,
// and fails unless it is the password or then made it so: a fresh token, too,
// must not try passwords that will not be taken. It fails with
// login.ErrMustChange while only a link or an admin may set another, or as then
// does.
func (s *Service) compare(ctx context.Context, by access.Caller, plain string, then func(same bool) error) (err error) {
	defer func() { s.noteGuess(ctx, by, err) }()
	attempt, err := s.Throttle.Begin(ctx, login.Source(by))
	if err != nil {
		return err
	}
	defer attempt.Fail() // unless it was settled otherwise
	same, err := s.isPresent(ctx, by.Account.Key, plain)
	if err != nil {
		attempt.Cancel()
		return err
	}
	err = then(same)
	if same || err == nil {
		attempt.Cancel()
	}
	return err
}

// noteGuess notes what a stolen token could be guessing with.
func (s *Service) noteGuess(ctx context.Context, by access.Caller, err error) {
	kind, f := audit.SignInRefused, fault.Of(err)
	switch {
	case err == nil:
		return
	case f.Kind == fault.TooMany:
		kind = audit.SignInThrottled
	case f.Code != ErrNotFresh.Code:
		return
	}
	s.Audit.Note(ctx, audit.Event{Kind: kind, AccountKey: by.Account.Key, DeviceKey: by.DeviceKey, Reason: f.Code})
}

func (s *Service) isPresent(ctx context.Context, accountKey, plain string) (bool, error) {
	p, err := s.Accounts.Profile(ctx, accountKey)
	switch {
	case err != nil:
		return false, err
	case p.MustChangePassword: // whoever knows a disowned password may still be signed in with it
		return false, login.ErrMustChange
	case p.PasswordHash == "":
		return false, nil
	}
	return s.Passwords.Verify(ctx, accountKey, p.PasswordHash, password.Static(plain))
}

// EnableTwoFactor enrols the secret that was issued last, with a code as proof
// that an authenticator holds it, and ends the account's other logins. A fresh
// caller may replace a factor so. Wrong codes are limited like those at sign-in.
// It fails as totp.Service.Confirm does, or with throttle.ErrThrottled.
func (s *Service) EnableTwoFactor(ctx context.Context, by access.Caller, secret, code string) error {
	if by.Account.IsGuest() {
		return totp.ErrGuest
	}
	if err := by.CheckOwner(); err != nil {
		return err
	}
	codes, err := s.Throttle.Codes(ctx, by.Account.Key, by.Address)
	if err != nil {
		return err
	}
	err = s.Factors.Confirm(ctx, by, secret, code)
	if fault.Of(err).Code != totp.ErrWrongEnrolCode.Code {
		codes.Cancel()
	}
	return err
}

// SetPassword gives an account a new password, for the operator. It ends every
// login of the account. It fails with password.ErrWeak, password.ErrUnchecked or
// account.ErrUnknown.
func (s *Service) SetPassword(ctx context.Context, accountKey, plain string) error {
	p, err := s.Accounts.Profile(ctx, accountKey)
	if err != nil {
		return err
	}
	hash, err := s.hash(ctx, plain, p.Username, p.Email)
	if err != nil {
		return err
	}
	return s.Accounts.Change(ctx, accountKey, account.Change{PasswordHash: &hash})
}

// Create adds an ordinary account, for the operator. It fails with
// password.ErrWeak, password.ErrUnchecked, account.ErrName or
// account.ErrNameTaken.
func (s *Service) Create(ctx context.Context, name, plain string) (model.Account, error) {
	hash, err := s.hash(ctx, plain, name)
	if err != nil {
		return model.Account{}, err
	}
	return s.Accounts.Create(ctx, name, hash)
}

// Found fills an empty database; plain becomes the admin's password. It fails
// with password.ErrWeak or password.ErrUnchecked.
func (s *Service) Found(ctx context.Context, plain string) error {
	hash, err := s.hash(ctx, plain)
	if err != nil {
		return err
	}
	_, err = s.Accounts.Found(ctx, hash)
	return err
}

// hash is the stored form of a password that somebody of these names may choose.
func (s *Service) hash(ctx context.Context, plain string, names ...string) (string, error) {
	if err := s.Policy.CheckNew(plain, names...); err != nil {
		return "", err
	}
	return s.Hasher.Hash(ctx, password.Static(plain))
}
