// Package login is the flow from a name, a password and perhaps a code to a
// login. It owns the order of the checks, and that a refusal tells nothing
// about which of them failed until the password is right.
package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/password"
	"latchkey/service/session"
	"latchkey/service/setting"
	"latchkey/service/sshkey"
	"latchkey/service/throttle"
	"latchkey/service/totp"
)

// Why somebody is not signed in.
var (
	// ErrCredentials says that name and password do not belong together, that
	// the account may not sign in, or that there is none.
	ErrCredentials = fault.New(fault.Invalid, "credentials_wrong", "username or password is incorrect")
	// ErrCodeNeeded says that the password is right and a code is missing.
	ErrCodeNeeded = fault.New(fault.CodeRequired, "code_needed", "Invalid 2FA code")
)

// Deps are the services the flow runs through.
type Deps struct {
	Accounts  *account.Service
	Sessions  *session.Service
	Settings  *setting.Service
	Hasher    *password.Hasher
	Passwords *password.Checker
	Factors   *totp.Service
	Throttle  *throttle.Service
	SSHKeys   *sshkey.Service
	Audit     *audit.Recorder
	Upgrade   func(ctx context.Context, a model.Account, static string) // gives an imported password the plain form
}

// Service signs people in. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Request is an attempt to sign in.
type Request struct {
	Username  string
	Password  string // plain, or the static hash if Hashed
	Hashed    bool
	Code      string // six digits; empty if none was sent
	ClientID  string
	UserAgent string
	Address   string // the client's, in full
	Presented string // the token the caller still had, which this sign-in replaces
	SFTP      bool   // at the SFTP door, by SignInSFTP only
}

// SignIn makes a login. It fails with ErrCredentials, ErrCodeNeeded,
// totp.ErrWrongCode, throttle.ErrThrottled, password.ErrBusy,
// password.ErrTooLong or session.ErrTooManyDevices.
func (s *Service) SignIn(ctx context.Context, r Request) (session.Opened, error) {
	var opened session.Opened
	a, err := s.Accounts.ForSignIn(ctx, r.Username)
	if err == nil || errors.Is(err, account.ErrUnknown) {
		opened, err = s.signIn(ctx, r, a)
	}
	s.record(ctx, r, a, err)
	return opened, err
}

// record notes who tried to sign in to what, from where, and what came of it.
func (s *Service) record(ctx context.Context, r Request, a model.Account, err error) {
	e := audit.Event{Kind: audit.SignedIn, Address: r.Address}
	if a.Key != "" { // what was typed for nobody's name may be somebody's password
		e.AccountKey, e.DeviceKey = a.Key, s.Sessions.DeviceKey(a.Key, r.ClientID)
		e.Detail = []slog.Attr{slog.Int64("account_id", a.ID), slog.String("username", a.Username)}
	}
	if err != nil {
		f := fault.Of(err)
		e.Kind, e.Reason = audit.SignInRefused, f.Code
		if f.Kind == fault.TooMany {
			e.Kind = audit.SignInThrottled
		}
	}
	s.Audit.Note(ctx, e)
}

func (s *Service) signIn(ctx context.Context, r Request, a model.Account) (session.Opened, error) {
	// Tried before any work is done, so that parallel guesses count too.
	attempt, err := s.begin(ctx, r, a)
	if err != nil {
		return session.Opened{}, err
	}
	defer attempt.Fail() // unless it was settled otherwise
	right, err := s.passwordRight(ctx, r, a)
	if err != nil {
		attempt.Cancel()
		return session.Opened{}, err
	}
	if !right || a.Disabled || slices.Contains(a.Roles, model.RoleGuest) {
		return session.Opened{}, ErrCredentials
	}
	if err := s.mayUse(ctx, r, a); err != nil {
		attempt.Cancel() // the password is right
		return session.Opened{}, err
	}
	if err := s.checkCode(ctx, r, a, attempt); err != nil {
		return session.Opened{}, err
	}
	opened, err := s.open(ctx, r, a)
	if err != nil {
		attempt.Cancel()
		return session.Opened{}, err
	}
	attempt.Succeed()
	s.Upgrade(ctx, a, r.static())
	return opened, nil
}

// open makes the login.
func (s *Service) open(ctx context.Context, r Request, a model.Account) (session.Opened, error) {
	if r.SFTP {
		return s.Sessions.Join(ctx, session.Joining{AccountKey: a.Key, Epoch: a.Epoch, UserAgent: r.UserAgent, Address: r.Address})
	}
	return s.Sessions.Open(ctx, session.Opening{
		AccountKey: a.Key, Epoch: a.Epoch, Username: a.Username, ClientID: r.ClientID,
		UserAgent: r.UserAgent, Address: r.Address, Replaces: r.Presented, Limits: s.limits(a),
	})
}

// begin counts the attempt against the account, or against the name if there
// is no such account, and against where it comes from.
func (s *Service) begin(ctx context.Context, r Request, a model.Account) (*throttle.Ticket, error) {
	if a.Key == "" {
		return s.Throttle.Begin(ctx, throttle.Attempt{AccountKey: account.Fold(r.Username), Address: r.Address})
	}
	known, err := s.Sessions.Known(ctx, a.Key, r.ClientID)
	if err != nil {
		return nil, fmt.Errorf("look for a known device: %w", err)
	}
	return s.Throttle.Begin(ctx, throttle.Attempt{
		AccountKey: a.Key, Address: r.Address, Device: s.Sessions.DeviceKey(a.Key, r.ClientID), Known: known,
	})
}

// passwordRight costs the same whether or not there is such an account.
func (s *Service) passwordRight(ctx context.Context, r Request, a model.Account) (bool, error) {
	if err := password.CheckLength(r.Password); err != nil {
		return false, err
	}
	static := r.static()
	if a.PasswordHash == "" || !password.IsStatic(static) {
		return false, s.Hasher.VerifyNothing(ctx, static)
	}
	return s.Passwords.Verify(ctx, a.Key, a.PasswordHash, static)
}

// static is what is hashed of the password, whichever form was sent.
func (r Request) static() string {
	if r.Hashed {
		return password.NormalizeStatic(r.Password)
	}
	return password.Static(r.Password)
}

// checkCode asks for the second factor where there is one. A missing code is
// no failure: clients first learn from it that they must ask.
func (s *Service) checkCode(ctx context.Context, r Request, a model.Account, attempt *throttle.Ticket) error {
	enabled, err := s.Factors.Enabled(ctx, a.Key)
	if err != nil {
		attempt.Cancel() // our fault, not a guess
		return err
	}
	if !enabled {
		return nil
	}
	if r.Code == "" {
		attempt.Cancel()
		return ErrCodeNeeded
	}
	codes, err := s.Throttle.Codes(ctx, a.Key)
	if err != nil {
		return err
	}
	err = s.Factors.Check(ctx, a.Key, r.Code)
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

// limits are the account's own, else the settings'.
func (s *Service) limits(a model.Account) session.Limits {
	l := session.Limits{MaxDevices: s.Settings.MaxDevices(), EvictOldest: s.Settings.EvictOldest()}
	if a.MaxDevices != nil {
		l.MaxDevices = max(0, *a.MaxDevices)
	}
	return l
}
