// Package login is the flow from a name, a password and perhaps a code to a
// login, and from a login to a fresh one. It owns the order of the checks, and
// that a refusal tells nothing about which of them failed until the password is
// right.
package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

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
	// ErrMustChange says that the password is right, and lets nobody in any
	// more: its owner disowned a sign-in.
	ErrMustChange = fault.New(fault.Forbidden, "password_must_change",
		"Your password must be changed first: open the link that was mailed to you, or ask an admin")
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
	Upgrade   func(ctx context.Context, a model.Account, static string)  // gives an imported password the plain form
	NewDevice func(ctx context.Context, a model.Account, d model.Device) // tells the owner; must not wait for anybody
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
	Code      string // six digits, or a recovery code; empty if none was sent
	ClientID  string
	UserAgent string
	Address   string // the client's, in full
	Presented string // the token the caller still had, which this sign-in replaces
	SFTP      bool   // at the SFTP door, by SignInSFTP only
	ByEmail   bool   // Username may be a confirmed e-mail address

	PairFor time.Duration // not 0: a pair of tokens is to stand for the login, which lives for so long

	half *Half // the password was shown before, by Finish only
}

// SignIn makes a login. It fails with ErrCredentials, ErrCodeNeeded, ErrMustChange,
// totp.ErrWrongCode, throttle.ErrThrottled, password.ErrBusy,
// password.ErrTooLong, session.ErrTooManyDevices, or model.ErrUnavailable if the
// attempt cannot be counted.
func (s *Service) SignIn(ctx context.Context, r Request) (session.Opened, error) {
	opened, _, err := s.attempt(ctx, r)
	return opened, err
}

// record notes who tried to sign in to what, from where, and what came of it.
func (s *Service) record(ctx context.Context, r Request, a model.Account, err error) {
	e := audit.Event{ // without a name unless there is such an account: what was typed may be somebody's password
		Kind: audit.SignedIn, AccountKey: a.Key, AccountID: a.ID, Username: a.Username, Address: r.Address,
	}
	if a.Key != "" {
		e.DeviceKey = s.Sessions.DeviceKey(a.Key, r.ClientID)
	}
	if r.SFTP {
		e.Detail = []slog.Attr{sftpDoor()}
	}
	if err != nil {
		kind, reason, detail := refusal(err)
		e.Kind, e.Reason, e.Detail = kind, reason, append(e.Detail, detail...)
	}
	s.Audit.Note(ctx, e)
}

// refusal is how a refused attempt is noted, and why it was refused: more than
// its answer says.
func refusal(err error) (kind audit.Kind, reason string, detail []slog.Attr) {
	f := fault.Of(err)
	if f.Kind == fault.TooMany {
		return audit.SignInThrottled, f.Code, nil
	}
	if drift, ok := errors.AsType[*totp.ClockDriftError](err); ok {
		return audit.SignInRefused, "clock_drift", []slog.Attr{slog.Int64("clock_ahead_seconds", int64(drift.By.Seconds()))}
	}
	return audit.SignInRefused, f.Code, nil
}

func (s *Service) signIn(ctx context.Context, r Request, a model.Account) (session.Opened, error) {
	var opened session.Opened
	from, err := s.source(ctx, r, a)
	if err != nil {
		return opened, err
	}
	err = s.prove(ctx, from, r.proof(), a, func() error {
		opened, err = s.open(ctx, r, a)
		return err
	})
	if err != nil {
		return opened, err
	}
	if r.half == nil {
		s.Upgrade(ctx, a, r.proof().static())
	}
	if opened.New != nil {
		s.NewDevice(ctx, a, *opened.New)
	}
	return opened, nil
}

// open makes the login.
func (s *Service) open(ctx context.Context, r Request, a model.Account) (session.Opened, error) {
	if r.SFTP {
		if err := s.maySFTP(ctx, a.Key); err != nil {
			return session.Opened{}, err
		}
		return s.Sessions.Join(ctx, session.Joining{AccountKey: a.Key, Epoch: a.Epoch, UserAgent: r.UserAgent, Address: r.Address})
	}
	return s.Sessions.Open(ctx, session.Opening{
		AccountKey: a.Key, Epoch: a.Epoch, Username: a.Username, ClientID: r.ClientID,
		UserAgent: r.UserAgent, Address: r.Address, Replaces: r.Presented, Limits: s.limits(a),
		PairFor: r.PairFor,
	})
}

// source is what the attempt is counted by: the account, or the name if there is
// no such account, and where it comes from. It asks the database the same
// questions about both.
func (s *Service) source(ctx context.Context, r Request, a model.Account) (throttle.Attempt, error) {
	key, from := a.Key, throttle.Attempt{AccountKey: a.Key, Address: r.Address}
	if key == "" {
		key, from.Name = nobody, account.Fold(r.Username)
	}
	known, err := s.Sessions.Known(ctx, key, r.ClientID)
	if err != nil {
		return throttle.Attempt{}, fmt.Errorf("look for a known device: %w", err)
	}
	from.Device, from.Known = s.Sessions.DeviceKey(key, r.ClientID), known
	return from, nil
}

func (r Request) proof() Proof {
	return Proof{Password: r.Password, Hashed: r.Hashed, Code: r.Code, half: r.half}
}

// limits are the account's own, else the settings'.
func (s *Service) limits(a model.Account) session.Limits {
	l := session.Limits{MaxDevices: s.Settings.MaxDevices(), EvictOldest: s.Settings.EvictOldest()}
	if a.MaxDevices != nil {
		l.MaxDevices = max(0, *a.MaxDevices)
	}
	return l
}
