// Package authn is the flow from any credential to the caller it stands for.
// Every door that takes credentials asks here; none decides by itself.
package authn

import (
	"context"
	"errors"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/fault"
	"latchkey/service/secret"
	"latchkey/service/session"
	"latchkey/service/setting"
)

// Who is not let in.
var (
	// ErrGuestDisabled says that a credential is needed.
	ErrGuestDisabled = fault.New(fault.Unauthenticated, "guest_disabled", "Guest user is disabled, login please")
	// ErrDisabled says that the account may not be used.
	ErrDisabled = account.ErrDisabled
)

// Service turns credentials into callers. It is safe for concurrent use.
type Service struct {
	accounts *account.Service
	sessions *session.Service
	settings *setting.Service
}

// New makes the service.
func New(accounts *account.Service, sessions *session.Service, settings *setting.Service) *Service {
	return &Service{accounts: accounts, sessions: sessions, settings: settings}
}

// Authenticate says who is calling. Without a credential that is the guest,
// if the guest is enabled. It fails with ErrGuestDisabled, ErrDisabled, or what
// is wrong with the token, in the order of rulings 19.
func (s *Service) Authenticate(ctx context.Context, p session.Presented) (access.Caller, error) {
	caller := access.Caller{Address: p.Address, UserAgent: p.UserAgent}
	switch {
	case p.Token == "":
		return s.guest(ctx, caller)
	case secret.Equal(p.Token, s.settings.Get(setting.KeyToken)):
		return s.operator(ctx, caller)
	}
	login, bad := s.sessions.Resolve(ctx, p)
	if login.AccountKey == "" {
		return access.Caller{}, bad // not a token of ours, or the database is away
	}
	a, err := s.accounts.Snapshot(ctx, login.AccountKey)
	switch {
	case errors.Is(err, account.ErrUnknown):
		return access.Caller{}, session.ErrInvalid
	case err != nil:
		return access.Caller{}, err
	case a.Disabled:
		return access.Caller{}, ErrDisabled
	case bad != nil:
		return access.Caller{}, bad
	}
	caller.Kind, caller.Account = access.SessionToken, a
	caller.DeviceKey, caller.LoginID, caller.FreshAt = login.DeviceKey, login.ID, login.FreshAt
	return caller, nil
}

func (s *Service) guest(ctx context.Context, caller access.Caller) (access.Caller, error) {
	a, err := s.accounts.First(ctx, model.RoleGuest)
	if errors.Is(err, account.ErrUnknown) || err == nil && a.Disabled {
		return access.Caller{}, ErrGuestDisabled
	}
	caller.Kind, caller.Account = access.Guest, a
	return caller, err
}

// operator is who holds the static token: the first enabled admin.
func (s *Service) operator(ctx context.Context, caller access.Caller) (access.Caller, error) {
	a, err := s.accounts.First(ctx, model.RoleAdmin)
	if errors.Is(err, account.ErrUnknown) || err == nil && a.Disabled {
		return access.Caller{}, ErrDisabled
	}
	caller.Kind, caller.Account = access.StaticToken, a
	return caller, err
}
