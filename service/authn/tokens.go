package authn

import (
	"context"
	"errors"

	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/grant"
	"latchkey/service/secret"
	"latchkey/service/session"
)

// isToken reports whether text looks like an access token of a family: an app's,
// or one of the owner's own.
func isToken(text string) bool {
	return isPrefixed(text, secret.OAuthToken) || isPrefixed(text, secret.SessionAccess)
}

// granted is who holds an access token: an app, limited to its scopes and never
// fresh, or the owner, as with a session token. Why the login ended comes before
// the token's own age (rulings 19).
func (s *Service) granted(ctx context.Context, caller access.Caller, p Presented) (access.Caller, error) {
	known, bad := s.Tokens.Resolve(ctx, p.Text)
	if known.AccountKey == "" {
		return access.Caller{}, bad // not a token of ours, or the database is away
	}
	login, over := s.loginOf(ctx, known, bad, p)
	if over != nil {
		bad = over
	}
	a, err := s.owner(ctx, known.AccountKey, bad)
	if errors.Is(err, account.ErrUnknown) {
		return access.Caller{}, session.ErrInvalid
	}
	if err != nil {
		return access.Caller{}, err
	}
	caller.Account, caller.DeviceKey, caller.LoginID = a, login.DeviceKey, login.ID
	if known.ClientID == "" {
		caller.Kind, caller.FreshAt = access.SessionToken, login.FreshAt
	} else {
		caller.Kind, caller.Scopes = access.OAuthToken, known.Scopes
	}
	return caller, nil
}

// loginOf is the login that a token stands for, and what is wrong with it. Only a
// token that is good by itself is a use of it.
func (s *Service) loginOf(ctx context.Context, known grant.Known, bad error, p Presented) (session.Login, error) {
	if bad != nil {
		return session.Login{}, s.Sessions.Standing(ctx, known.LoginID)
	}
	return s.Sessions.Use(ctx, session.Use{
		LoginID: known.LoginID, AccountKey: known.AccountKey, ClientID: p.ClientID, AnyDevice: p.AnyDevice,
		UserAgent: p.UserAgent, Address: p.Address,
	})
}
