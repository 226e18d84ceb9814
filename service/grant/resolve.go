package grant

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/secret"
)

// Known is what an access token turned out to be. Its lists are shared and must
// not be written to.
type Known struct {
	AccountKey string
	LoginID    string
	ClientID   string        // empty: the owner's own
	Names      []string      // what it may do, OpenID Connect's scopes among them
	Scopes     access.Scopes // those of the vocabulary
	Resource   string
	IssuedAt   time.Time
	ExpiresAt  time.Time
}

// IsAccess reports whether text has the form of an access token, an app's or the
// owner's own.
func IsAccess(text string) bool {
	return secret.IsBearer(secret.OAuthToken, text) || secret.IsBearer(secret.SessionAccess, text)
}

// Resolve says what an access token is (lko_ or lks_). Whether its login is live
// is for the sessions to say. It fails with ErrInvalid or ErrExpired; for
// ErrExpired Known is filled in.
func (s *Service) Resolve(ctx context.Context, token string) (Known, error) {
	if !IsAccess(token) {
		return Known{}, ErrInvalid
	}
	hash := secret.HashOf(token)
	k, ok := s.known.Get(hash)
	if !ok {
		var err error
		if k, err = s.recall(ctx, hash, token); err != nil {
			return Known{}, err
		}
	}
	if !s.Now().Before(k.ExpiresAt) {
		return *k, ErrExpired
	}
	return *k, nil
}

// recall reads an access token from the database. An app's never counts as the
// owner's own, nor the other way round, whatever its prefix says.
func (s *Service) recall(ctx context.Context, hash secret.Hash, token string) (*Known, error) {
	k, err := s.known.Find(ctx, hash, func(ctx context.Context) (*Known, string, error) {
		t, err := s.Store.Token(ctx, hex.EncodeToString(hash[:]))
		if err != nil {
			return nil, "", err
		}
		if t.Kind != model.AccessToken || (t.Grant.ClientID == "") != strings.HasPrefix(token, string(secret.SessionAccess)) {
			return nil, "", ErrInvalid
		}
		return knownOf(t), t.AccountKey, nil
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, fmt.Errorf("find access token: %w", err)
	}
	return k, nil
}

func knownOf(t model.GrantView) *Known {
	k := &Known{
		AccountKey: t.AccountKey, LoginID: t.LoginID, ClientID: t.Grant.ClientID, Names: strings.Fields(t.Scopes),
		Scopes: access.Scopes{}, Resource: t.Grant.Resource, IssuedAt: t.CreatedAt.Time, ExpiresAt: t.ExpiresAt.Time,
	}
	for _, name := range k.Names {
		if scope := access.Scope(name); scope.IsKnown() {
			k.Scopes = append(k.Scopes, scope)
		}
	}
	return k
}

// State is what introspection tells of a token (RFC 7662).
type State struct {
	Active     bool // all else is empty unless it is
	Refresh    bool // a refresh token
	ClientID   string
	AccountKey string
	LoginID    string
	Scopes     []string
	Resource   string
	IssuedAt   time.Time
	ExpiresAt  time.Time
}

// Look says what state a token is in, whosever it is: callers show an app only
// its own. A warm look at an access token asks no database.
func (s *Service) Look(ctx context.Context, token string) (State, error) {
	state, err := s.look(ctx, token)
	if err == nil && state.Active {
		err = s.Use(ctx, Use{AccountKey: state.AccountKey, LoginID: state.LoginID})
	}
	if err != nil && isRefusal(err) {
		return State{}, nil
	}
	if err != nil || !state.Active {
		return State{}, err
	}
	return state, nil
}

func (s *Service) look(ctx context.Context, token string) (State, error) {
	if !secret.IsBearer(secret.RefreshToken, token) {
		k, err := s.Resolve(ctx, token)
		return State{
			Active: err == nil, ClientID: k.ClientID, AccountKey: k.AccountKey, LoginID: k.LoginID, Scopes: k.Names,
			Resource: k.Resource, IssuedAt: k.IssuedAt, ExpiresAt: k.ExpiresAt,
		}, err
	}
	t, err := s.Store.Token(ctx, hashOf(token))
	if errors.Is(err, model.ErrNotFound) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("find refresh token: %w", err)
	}
	return State{
		Active:  t.Kind == model.RefreshToken && t.RotatedAt.IsZero() && t.ExpiresAt.After(s.Now()),
		Refresh: true, ClientID: t.Grant.ClientID, AccountKey: t.AccountKey, LoginID: t.LoginID,
		Scopes: strings.Fields(t.Grant.Scopes), Resource: t.Grant.Resource,
		IssuedAt: t.CreatedAt.Time, ExpiresAt: t.ExpiresAt.Time,
	}, nil
}
