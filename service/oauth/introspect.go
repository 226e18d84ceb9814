package oauth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"latchkey/service/account"
	"latchkey/service/client"
	"latchkey/service/fault"
	"latchkey/service/session"
)

// Introspection is what an app is told of its own token (RFC 7662 §2.2). All but
// Active is empty unless the token is active.
type Introspection struct {
	Active    bool
	Refresh   bool // a refresh token
	Scope     string
	ClientID  string
	Username  string
	Subject   string
	Audience  string // what the token was asked for, or the app itself
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// Introspect tells an app of a token. A token that is not its own, or not any
// more, is not active, and nothing else is said (O-11). Only apps with a secret
// may ask (RFC 7662 §2.1). It fails with client.ErrClient.
func (s *Service) Introspect(ctx context.Context, p ClientProof, token string) (Introspection, error) {
	c, err := s.authenticate(ctx, p)
	if err != nil {
		return Introspection{}, err
	}
	if !c.Confidential {
		return Introspection{}, client.ErrClient
	}
	state, err := s.Grants.Look(ctx, token)
	if err != nil || !state.Active || state.ClientID != c.ID {
		return Introspection{}, err
	}
	owner, err := s.Accounts.Snapshot(ctx, state.AccountKey)
	if errors.Is(err, account.ErrUnknown) || err == nil && owner.Disabled {
		return Introspection{}, nil
	}
	if err != nil {
		return Introspection{}, err
	}
	told := Introspection{
		Active: true, Refresh: state.Refresh, Scope: strings.Join(state.Scopes, " "), ClientID: c.ID,
		Username: owner.Username, Subject: owner.Key, Audience: state.Resource, IssuedAt: state.IssuedAt, ExpiresAt: state.ExpiresAt,
	}
	if told.Audience == "" {
		told.Audience = c.ID
	}
	return told, nil
}

// Revoke ends a token of the app (RFC 7009 §2.1). One that is not its own, or not
// any more, is no error. It fails with client.ErrClient.
func (s *Service) Revoke(ctx context.Context, p ClientProof, token string) error {
	c, err := s.authenticate(ctx, p)
	if err != nil {
		return err
	}
	return s.Grants.End(ctx, token, c.ID)
}

// UserInfo is who the owner of an access token is (OpenID Connect Core 1.0
// §5.3). What the token's scopes do not cover is empty.
type UserInfo struct {
	Subject string
	Profile bool // the next two may be told
	Name    string

	ChangedAt time.Time // when name or address were last changed

	Mail          bool   // the next two may be told
	Email         string // empty: none
	EmailVerified bool
}

// Holder is an access token and where it came from.
type Holder struct {
	Token     string
	Address   string
	UserAgent string
}

// UserInfo tells whose an access token is. A token of the owner's own program has
// every scope. It fails with ErrToken or ErrInsufficient.
func (s *Service) UserInfo(ctx context.Context, h Holder) (UserInfo, error) {
	known, err := s.Grants.Resolve(ctx, h.Token)
	if err != nil {
		return UserInfo{}, deadToken(err)
	}
	if _, err := s.Sessions.Use(ctx, session.Use{
		LoginID: known.LoginID, AccountKey: known.AccountKey, AnyDevice: true, Address: h.Address, UserAgent: h.UserAgent,
	}); err != nil {
		return UserInfo{}, deadToken(err)
	}
	owner, err := s.Accounts.Snapshot(ctx, known.AccountKey)
	switch {
	case errors.Is(err, account.ErrUnknown), err == nil && owner.Disabled:
		return UserInfo{}, ErrToken
	case err != nil:
		return UserInfo{}, err
	}
	may := func(scope string) bool { return known.ClientID == "" || slices.Contains(known.Names, scope) }
	if !may(openID) {
		return UserInfo{}, ErrInsufficient
	}
	info := UserInfo{Subject: owner.Key}
	if may(profile) {
		info.Profile, info.Name, info.ChangedAt = true, owner.Username, owner.ChangedAt
	}
	if may(email) {
		info.Mail, info.Email, info.EmailVerified = true, owner.Email, owner.EmailVerified
	}
	return info, nil
}

// deadToken is ErrToken for whatever is wrong with a token, and our own failures
// as they are.
func deadToken(err error) error {
	if fault.Of(err).Kind == fault.Unauthenticated {
		return ErrToken
	}
	return err
}
