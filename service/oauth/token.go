package oauth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/client"
	"latchkey/service/grant"
)

// ClientProof is how an app says who it is at the token endpoint.
type ClientProof struct {
	ID        string
	Secret    string // empty: none was sent
	Address   string // where the app calls from, in full
	UserAgent string
}

// TokenRequest asks for tokens (RFC 6749 §4.1.3, §6; RFC 8628 §3.4). What was
// not sent is empty.
type TokenRequest struct {
	GrantType    string
	Code         string
	RedirectURI  string
	Verifier     string
	RefreshToken string
	DeviceCode   string
	Scope        string
	Resource     string
}

// Answer is what an app gets.
type Answer struct {
	AccessToken    string
	ExpiresIn      int64  // seconds
	RefreshToken   string // empty: none
	RefreshExpires int64  // seconds; 0 without a refresh token
	IDToken        string // empty: openid was not asked for
	Scope          string
}

// authenticate finds the app, and looks at nothing else before. Wrong secrets
// count against the app at the address, so that nobody else is held back. It
// fails with client.ErrClient or throttle.ErrSecrets.
func (s *Service) authenticate(ctx context.Context, p ClientProof) (model.OAuthClient, error) {
	if p.Secret == "" {
		return s.Clients.Authenticate(ctx, p.ID, "")
	}
	if err := s.Throttle.MayShowSecret(p.ID, p.Address); err != nil {
		return model.OAuthClient{}, err
	}
	c, err := s.Clients.Authenticate(ctx, p.ID, p.Secret)
	if errors.Is(err, client.ErrClient) {
		s.Throttle.WrongSecret(p.ID, p.Address)
	}
	return c, err
}

// Token exchanges a code, a refresh token or a device code for tokens. The app
// proves who it is before anything else is looked at, so that a stranger cannot
// burn a code (O-09). It fails with client.ErrClient, ErrGrantType, ErrRequest,
// ErrTarget, client.ErrScope or what grant says.
func (s *Service) Token(ctx context.Context, issuer string, p ClientProof, r TokenRequest) (Answer, error) {
	c, err := s.authenticate(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	if !isResource(r.Resource) {
		return Answer{}, ErrTarget
	}
	var tokens grant.Tokens
	switch r.GrantType {
	case "authorization_code":
		tokens, err = s.redeem(ctx, c, p, r)
	case "refresh_token":
		tokens, err = s.refresh(ctx, c, p, r)
	case DeviceGrant:
		tokens, err = s.poll(ctx, c, p, r)
	case "":
		err = ErrRequest.WithText("grant_type is missing")
	default:
		err = ErrGrantType
	}
	if err != nil {
		return Answer{}, err
	}
	return s.answer(ctx, issuer, tokens)
}

func (s *Service) redeem(ctx context.Context, c model.OAuthClient, p ClientProof, r TokenRequest) (grant.Tokens, error) {
	if r.Code == "" {
		return grant.Tokens{}, ErrRequest.WithText("code is missing")
	}
	return s.Grants.Redeem(ctx, grant.Redemption{
		Code: r.Code, ClientID: c.ID, RedirectURI: r.RedirectURI, Verifier: r.Verifier, Resource: r.Resource,
		Address: p.Address, UserAgent: p.UserAgent,
	})
}

func (s *Service) refresh(ctx context.Context, c model.OAuthClient, p ClientProof, r TokenRequest) (grant.Tokens, error) {
	if r.RefreshToken == "" {
		return grant.Tokens{}, ErrRequest.WithText("refresh_token is missing")
	}
	var scopes []string
	if r.Scope != "" {
		scopes = slices.Compact(slices.Sorted(slices.Values(strings.Fields(r.Scope))))
	}
	return s.Grants.Refresh(ctx, grant.Refreshing{
		Token: r.RefreshToken, ClientID: c.ID, Resource: r.Resource, Scopes: scopes, Address: p.Address, UserAgent: p.UserAgent,
	})
}

func (s *Service) poll(ctx context.Context, c model.OAuthClient, p ClientProof, r TokenRequest) (grant.Tokens, error) {
	if r.DeviceCode == "" {
		return grant.Tokens{}, ErrRequest.WithText("device_code is missing")
	}
	return s.Grants.PollDevice(ctx, grant.DevicePoll{
		DeviceCode: r.DeviceCode, ClientID: c.ID, Resource: r.Resource, Address: p.Address, UserAgent: p.UserAgent,
	})
}

// answer is the tokens as an app gets them, with an id_token if it may know who
// the owner is.
func (s *Service) answer(ctx context.Context, issuer string, t grant.Tokens) (Answer, error) {
	now := s.Now()
	a := Answer{
		AccessToken: t.Access, ExpiresIn: seconds(t.AccessExpires, now), RefreshToken: t.Refresh, Scope: strings.Join(t.Scopes, " "),
	}
	if t.Refresh != "" {
		a.RefreshExpires = seconds(t.RefreshExpires, now)
	}
	if !slices.Contains(t.Scopes, openID) {
		return a, nil
	}
	var err error
	if a.IDToken, err = s.idToken(ctx, issuer, t); err != nil {
		return Answer{}, fmt.Errorf("sign id_token: %w", err)
	}
	return a, nil
}

// seconds is how long it is until then, at least 0. Rows have no microseconds,
// so it is rounded.
func seconds(until, now time.Time) int64 {
	return max(0, int64(until.Sub(now).Round(time.Second)/time.Second))
}
