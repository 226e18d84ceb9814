// Package authn is the flow from any credential to the caller it stands for.
// Every door that takes credentials asks here; none decides by itself.
package authn

import (
	"context"
	"errors"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/apikey"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/grant"
	"latchkey/service/secret"
	"latchkey/service/session"
	"latchkey/service/setting"
	"latchkey/service/throttle"
)

// Who is not let in.
var (
	// ErrGuestDisabled says that a credential is needed.
	ErrGuestDisabled = fault.New(fault.Unauthenticated, "guest_disabled", "Guest user is disabled, login please")
	// ErrDisabled says that the account may not be used.
	ErrDisabled = account.ErrDisabled
)

// Presented is what a request brings.
type Presented struct {
	Text      string       // the credential; empty: there is none
	Place     access.Place // where it stood
	ClientID  string       // empty: the token's own device
	AnyDevice bool         // take a login's token under any Client-Id, for logging out
	UserAgent string
	Address   string // the client's, in full
	RequestID string // the request's name in the log
}

// Deps are the services that know one kind of credential each, and who counts
// and records wrong ones.
type Deps struct {
	Accounts *account.Service
	Sessions *session.Service
	Settings *setting.Service
	Keys     *apikey.Service
	Tokens   *grant.Service
	Throttle *throttle.Service
	Audit    *audit.Recorder
}

// Service turns credentials into callers. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Authenticate says who is calling. Without a credential that is the guest,
// if the guest is enabled. It fails with ErrGuestDisabled, ErrMisplaced,
// ErrDisabled, or what is wrong with the credential: of a token in the order of
// rulings 19, of a key as apikey.Service.Resolve has it; with throttle.ErrAPIKeys
// instead of calling one more key of the same address wrong.
func (s *Service) Authenticate(ctx context.Context, p Presented) (access.Caller, error) {
	caller := access.Caller{Address: p.Address, UserAgent: p.UserAgent, RequestID: p.RequestID}
	if p.Text == "" {
		return s.guest(ctx, caller)
	}
	if p.Place == access.InCookie {
		return s.login(ctx, caller, p)
	}
	if err := misplaced(p); err != nil {
		return access.Caller{}, err
	}
	switch {
	case p.Place == access.InAuthorization && secret.Equal(p.Text, s.Settings.Get(setting.KeyToken)):
		return s.operator(ctx, caller)
	case isPrefixed(p.Text, secret.APIKey):
		return s.key(ctx, caller, p)
	case p.Place == access.InAuthorization && isToken(p.Text):
		return s.granted(ctx, caller, p)
	case p.Place == access.InAuthorization:
		return s.login(ctx, caller, p)
	case p.Place == access.InBasic:
		return access.Caller{}, session.ErrInvalid // a proxy's, or somebody's password
	}
	return access.Caller{}, apikey.ErrInvalid
}

// login is who holds a login's token.
func (s *Service) login(ctx context.Context, caller access.Caller, p Presented) (access.Caller, error) {
	login, bad := s.Sessions.Resolve(ctx, session.Presented{
		Token: p.Text, ClientID: p.ClientID, AnyDevice: p.AnyDevice, UserAgent: p.UserAgent, Address: p.Address,
	})
	if login.AccountKey == "" {
		return access.Caller{}, bad // not a token of ours, or the database is away
	}
	a, err := s.owner(ctx, login.AccountKey, bad)
	if errors.Is(err, account.ErrUnknown) {
		return access.Caller{}, session.ErrInvalid
	}
	if err != nil {
		return access.Caller{}, err
	}
	caller.Kind, caller.Account = access.SessionToken, a
	caller.DeviceKey, caller.LoginID, caller.FreshAt = login.DeviceKey, login.ID, login.FreshAt
	return caller, nil
}

// owner is the account that a genuine credential belongs to. It fails with
// account.ErrUnknown, with ErrDisabled, or else with what is wrong with the
// credential, in this order (rulings 19).
func (s *Service) owner(ctx context.Context, key string, bad error) (*access.Account, error) {
	a, err := s.Accounts.Snapshot(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case a.Disabled:
		return nil, ErrDisabled
	}
	return a, bad
}

func (s *Service) guest(ctx context.Context, caller access.Caller) (access.Caller, error) {
	a, err := s.Accounts.First(ctx, model.RoleGuest)
	if errors.Is(err, account.ErrUnknown) || err == nil && a.Disabled {
		return access.Caller{}, ErrGuestDisabled
	}
	caller.Kind, caller.Account = access.Guest, a
	return caller, err
}

// operator is who holds the static token: the first enabled admin.
func (s *Service) operator(ctx context.Context, caller access.Caller) (access.Caller, error) {
	a, err := s.Accounts.First(ctx, model.RoleAdmin)
	if errors.Is(err, account.ErrUnknown) || err == nil && a.Disabled {
		return access.Caller{}, ErrDisabled
	}
	caller.Kind, caller.Account = access.StaticToken, a
	return caller, err
}
