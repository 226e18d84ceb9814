package grant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

// Refreshing is a refresh token that is used. Unless AnyClient, the app has
// proven who it is.
type Refreshing struct {
	Token     string
	ClientID  string   // empty: the owner's own program
	AnyClient bool     // take it whosever it is (rulings 33)
	Resource  string   // empty: not sent
	Scopes    []string // narrower ones for the new access token; nil: the family's
	Address   string   // the client's, in full
	UserAgent string
}

// maxHops is how often a refresh looks again, because somebody was quicker:
// enough for a family that is refreshed a hundred times a second.
const maxHops = 1000

// Refresh puts new tokens in the place of a refresh token. It fails with
// ErrGrant, ErrScope, ErrTarget, or model.ErrUnavailable where the family is refreshed too
// fast to be followed.
//
// A refresh token works once. For 10 seconds after that its app is answered
// with the same tokens again, or with those that took their place since: tabs
// race, and answers get lost. Later it ends the family: two have the token, and
// which of them stole it cannot be told (RFC 9700 §4.14.2).
func (s *Service) Refresh(ctx context.Context, r Refreshing) (Tokens, error) {
	if !secret.IsBearer(secret.RefreshToken, r.Token) {
		return Tokens{}, ErrGrant
	}
	hash, given := hashOf(r.Token), (*answer)(nil)
	for range maxHops {
		t, err := s.live(ctx, hash, r)
		switch {
		case err != nil:
			return Tokens{}, err
		case isOther(r.Resource, t.Grant.Resource):
			return Tokens{}, ErrTarget
		case !t.RotatedAt.IsZero():
			if given, err = s.repeat(ctx, t, given != nil); err != nil {
				return Tokens{}, err
			}
			hash = hashOf(given.Refresh)
			continue
		case given != nil:
			return given.tokens(t), nil
		}
		tokens, err := s.rotate(ctx, t, r)
		if !errors.Is(err, model.ErrStale) {
			return tokens, err
		}
	}
	return Tokens{}, fmt.Errorf("refresh: others were quicker %d times: %w", maxHops, model.ErrUnavailable)
}

// live finds a refresh token of the app whose login is live.
func (s *Service) live(ctx context.Context, hash string, r Refreshing) (model.GrantView, error) {
	t, err := s.Store.Token(ctx, hash)
	if errors.Is(err, model.ErrNotFound) {
		return t, ErrGrant
	}
	if err != nil {
		return t, fmt.Errorf("find refresh token: %w", err)
	}
	now := s.Now()
	if t.Kind != model.RefreshToken || !r.AnyClient && t.Grant.ClientID != r.ClientID ||
		t.EndReason != "" || !t.LoginEnds.After(now) || t.RotatedAt.IsZero() && !t.ExpiresAt.After(now) {
		return t, ErrGrant
	}
	return t, nil
}

// rotate uses an unused refresh token; model.ErrStale if something came between.
func (s *Service) rotate(ctx context.Context, t model.GrantView, r Refreshing) (Tokens, error) {
	scopes, err := s.scopesOf(ctx, t.Grant, r)
	if err != nil {
		return Tokens{}, err
	}
	err = s.Use(ctx, Use{AccountKey: t.AccountKey, LoginID: t.LoginID, Address: r.Address, UserAgent: r.UserAgent})
	if err != nil {
		return Tokens{}, refused("use login", err)
	}
	now := model.At(s.Now())
	tokens, rows := s.mint(t.Grant, scopes, now, t.LoginEnds.Time)
	sealed, err := s.seal(t.Hash, tokens)
	if err != nil {
		return Tokens{}, err
	}
	s.sealed.Store(true)
	forgot, err := s.Store.Rotate(ctx, model.GrantRotation{
		Hash: t.Hash, LoginID: t.LoginID, ClientID: t.Grant.ClientID, At: now, Successor: sealed, Tokens: rows,
		Keep: model.GrantKeep{Access: keptAccess, Refresh: keptRefresh},
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("rotate refresh token: %w", err)
	}
	if forgot {
		s.announce(ctx, t.AccountKey)
	}
	return tokens, nil
}

// scopesOf is what the new access token may do: what was asked for, and at most
// what the family was given and the app may be given today (O-08).
func (s *Service) scopesOf(ctx context.Context, g model.Grant, r Refreshing) (string, error) {
	allowed := g.Scopes
	if g.ClientID != "" {
		app, err := s.App(ctx, g.ClientID)
		if err != nil {
			return "", refused("find app", err)
		}
		allowed = both(allowed, app.Scopes)
		if !slices.Contains(strings.Fields(allowed), offlineAccess) {
			return "", ErrGrant // the app may not renew anything any more
		}
	}
	if r.Scopes == nil {
		return allowed, nil
	}
	asked := model.UnionScopes("", strings.Join(r.Scopes, " "))
	if both(asked, strings.Fields(allowed)) != asked {
		return "", ErrScope
	}
	return asked, nil
}

// answer is what a refresh was answered with, as it is sealed for the grace.
type answer struct {
	Access         string    `json:"access"`
	AccessExpires  time.Time `json:"access_expires"`
	Refresh        string    `json:"refresh"`
	RefreshExpires time.Time `json:"refresh_expires"`
	Scopes         []string  `json:"scopes"`
}

func (a *answer) tokens(t model.GrantView) Tokens {
	return Tokens{
		Access: a.Access, AccessExpires: a.AccessExpires, Refresh: a.Refresh, RefreshExpires: a.RefreshExpires,
		ClientID: t.Grant.ClientID, AccountKey: t.AccountKey, LoginID: t.LoginID, Scopes: a.Scopes,
		Resource: t.Grant.Resource, AuthTime: t.Grant.AuthTime.Time, AMR: strings.Fields(t.Grant.AMR),
	}
}

// aad is what a sealed answer is bound to.
func aad(hash string) string {
	return model.Sealed{Table: "oauth_tokens", Column: "successor", Row: hash}.AAD()
}

func (s *Service) seal(hash string, t Tokens) (string, error) {
	plain, err := json.Marshal(answer{t.Access, t.AccessExpires, t.Refresh, t.RefreshExpires, t.Scopes})
	if err != nil {
		return "", fmt.Errorf("encode answer: %w", err)
	}
	sealed, err := s.Seal(aad(hash), plain)
	if err != nil {
		return "", fmt.Errorf("seal answer: %w", err)
	}
	return sealed, nil
}

// repeat is what a used refresh token was answered with, while its grace lasts.
// Then it is a re-use, unless it was only followed: its own grace began later
// than that of the token that was sent.
func (s *Service) repeat(ctx context.Context, t model.GrantView, followed bool) (*answer, error) {
	if t.Successor == "" || s.Now().Sub(t.RotatedAt.Time) >= graceFor {
		if followed {
			return nil, ErrGrant
		}
		return nil, s.reused(ctx, t)
	}
	plain, err := s.Open(aad(t.Hash), t.Successor)
	if err != nil {
		return nil, fmt.Errorf("open answer: %w", err)
	}
	a := &answer{}
	if err := json.Unmarshal(plain, a); err != nil {
		return nil, fmt.Errorf("decode answer: %w", err)
	}
	return a, nil
}

// reused ends the family of a refresh token that came again, and tells its
// owner.
func (s *Service) reused(ctx context.Context, t model.GrantView) error {
	ended, err := s.Store.EndFamily(ctx, t.LoginID, model.EndReused, model.At(s.Now()))
	if err != nil {
		return fmt.Errorf("end family: %w", err)
	}
	s.announce(ctx, t.AccountKey)
	if ended == 0 {
		return ErrGrant
	}
	err = s.Record(ctx, audit.Event{
		Kind: audit.RefreshReused, AccountKey: t.AccountKey, DeviceKey: t.DeviceKey, Detail: appDetail(t.Grant.ClientID),
	})
	if s.Reused != nil {
		s.Reused(ctx, Reuse{AccountKey: t.AccountKey, DeviceKey: t.DeviceKey, ClientID: t.Grant.ClientID})
	}
	if err != nil {
		return err
	}
	return ErrGrant
}
