package client

import (
	"context"
	"errors"
	"fmt"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

// How long refresh tokens of an app may live, in seconds (rulings 32).
const (
	defaultRefresh = 90 * 24 * 3600
	minRefresh     = 3600 // an access token's life
	maxRefresh     = 365 * 24 * 3600
)

// Registration is an app to register.
type Registration struct {
	ID           string // a wished client_id, for programs that have one built in; empty: a new one
	Name         string
	Icon         string // may be empty
	Homepage     string // may be empty
	RedirectURIs []string
	Scopes       []string
	Confidential bool
	Secret       string // a supplied secret; empty: a new one, if the app is confidential
	WithoutPKCE  bool   // PKCE is not asked for; only of a confidential app
	RefreshTTL   int64  // seconds; 0: 90 days
}

// Register adds an app and returns its secret, which can never be read again;
// a public app has none. It fails with ErrID, ErrName, ErrIcon, ErrHomepage,
// ErrRedirect, ErrPKCE, ErrRefreshTTL, ErrScopes, ErrSecret, ErrNoSecret,
// ErrTaken or ErrTooMany.
func (s *Service) Register(ctx context.Context, n Registration) (model.OAuthClient, string, error) {
	now := model.At(s.Now())
	if n.ID == "" {
		n.ID = secret.ID()
	}
	if n.RefreshTTL == 0 {
		n.RefreshTTL = defaultRefresh
	}
	c := model.OAuthClient{
		ID: n.ID, Name: n.Name, Icon: n.Icon, Homepage: n.Homepage, RedirectURIs: n.RedirectURIs, Scopes: n.Scopes,
		Confidential: n.Confidential, PKCERequired: !n.WithoutPKCE, RefreshTTL: n.RefreshTTL,
		CreatedAt: now, UpdatedAt: now,
	}
	if !isID(c.ID) {
		return model.OAuthClient{}, "", ErrID
	}
	if err := check(c); err != nil {
		return model.OAuthClient{}, "", err
	}
	text, err := s.firstSecret(&c, n.Secret)
	if err != nil {
		return model.OAuthClient{}, "", err
	}
	if err := s.add(ctx, &c); err != nil {
		return model.OAuthClient{}, "", err
	}
	return c, text, s.tell(ctx, audit.AppRegistered, c)
}

// add stores the app with scopes that are there.
func (s *Service) add(ctx context.Context, c *model.OAuthClient) error {
	for {
		declared, err := s.settleScopes(ctx, c)
		if err != nil {
			return err
		}
		switch err := s.Store.AddOAuthClient(ctx, *c, declared, maxApps); {
		case err == nil:
			return nil
		case errors.Is(err, model.ErrStale):
			continue // a scope was withdrawn meanwhile, which is seen now
		case errors.Is(err, model.ErrConflict):
			return ErrTaken
		case errors.Is(err, model.ErrLimit):
			return ErrTooMany
		default:
			return fmt.Errorf("add app: %w", err)
		}
	}
}

// Edit is a change of an app; nil leaves a value as it is.
type Edit struct {
	Name         *string
	Icon         *string
	Homepage     *string
	RedirectURIs *[]string
	Scopes       *[]string
	PKCERequired *bool
	RefreshTTL   *int64 // seconds
	Disabled     *bool  // true ends what was issued to the app
	Confidential *bool  // can only be what it is: ErrKind
}

// Update changes an app and returns it. When it is switched off, what was
// issued to it has ended everywhere before Update returns. Fewer scopes count
// from the next refresh on. It fails with ErrUnknown, ErrKind and as Register
// does.
func (s *Service) Update(ctx context.Context, id string, e Edit) (model.OAuthClient, error) {
	c, err := s.edit(ctx, id, e)
	if err != nil {
		return c, err
	}
	if e.Disabled != nil && *e.Disabled { // also if it was off already: an ending may have failed
		if err := s.end(ctx, id); err != nil {
			return c, err
		}
	}
	return c, s.tell(ctx, audit.AppChanged, c)
}

// edit writes a change. Switching off asks no questions: an app that could not
// be registered any more must not stay on for that.
func (s *Service) edit(ctx context.Context, id string, e Edit) (model.OAuthClient, error) {
	return s.change(ctx, id, func(c *model.OAuthClient) ([]string, error) {
		if e.Confidential != nil && *e.Confidential != c.Confidential {
			return nil, ErrKind
		}
		e.apply(c)
		if e == (Edit{Disabled: e.Disabled}) {
			return nil, nil
		}
		if err := check(*c); err != nil || e.Scopes == nil {
			return nil, err
		}
		return s.settleScopes(ctx, c)
	})
}

// change does something to an app and writes it, over whoever was quicker. act
// returns the declared scopes that must be there.
func (s *Service) change(ctx context.Context, id string, act func(c *model.OAuthClient) ([]string, error)) (model.OAuthClient, error) {
	for {
		c, err := s.Find(ctx, id)
		if err != nil {
			return c, err
		}
		declared, err := act(&c)
		if err != nil {
			return model.OAuthClient{}, err
		}
		c.UpdatedAt = model.At(s.Now())
		err = s.Store.EditOAuthClient(ctx, c, declared)
		if errors.Is(err, model.ErrStale) {
			continue // whoever was quicker is done, and ctx ends
		}
		c.Revision++
		return c, appFailure(err, "change", id)
	}
}

func (e Edit) apply(c *model.OAuthClient) {
	set(&c.Name, e.Name)
	set(&c.Icon, e.Icon)
	set(&c.Homepage, e.Homepage)
	set(&c.PKCERequired, e.PKCERequired)
	set(&c.Disabled, e.Disabled)
	set(&c.RefreshTTL, e.RefreshTTL)
	if e.RedirectURIs != nil {
		c.RedirectURIs = *e.RedirectURIs
	}
	if e.Scopes != nil {
		c.Scopes = *e.Scopes
	}
}

func set[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}
