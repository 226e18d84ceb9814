package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
)

const (
	maxApps    = 1000
	maxScopes  = 500 // declared ones
	maxPerPage = 1000
)

// Store keeps apps and declared scopes. Every method is one transaction; a
// storage that cannot serve is model.ErrUnavailable.
type Store interface {
	// AddOAuthClient adds an app. In this order: an id that is taken is
	// model.ErrConflict, limit apps there already are model.ErrLimit, and one of
	// the declared scopes that is not there (any more) is model.ErrStale.
	AddOAuthClient(ctx context.Context, c model.OAuthClient, declared []string, limit int) error
	// OAuthClient is the app of exactly that id, by one SELECT;
	// model.ErrNotFound.
	OAuthClient(ctx context.Context, id string) (model.OAuthClient, error)
	// OAuthClients returns the apps by when they were registered, then by id, at
	// most limit of them after the first offset, and how many there are in all.
	OAuthClients(ctx context.Context, offset, limit int) ([]model.OAuthClient, int64, error)
	// EditOAuthClient writes all of the app but ID, CreatedAt and Revision, which
	// it raises by one. It is model.ErrNotFound if the app is gone, and
	// model.ErrStale if its revision is not c's any more or one of the declared
	// scopes is not there.
	EditOAuthClient(ctx context.Context, c model.OAuthClient, declared []string) error
	// DeleteOAuthClient deletes an app; model.ErrNotFound.
	DeleteOAuthClient(ctx context.Context, id string) error
	// DeclareOAuthScope adds a scope, or gives the one of that name another
	// description; model.ErrLimit if it would be one too many.
	DeclareOAuthScope(ctx context.Context, s model.OAuthScope, limit int) error
	// OAuthScopes lists the declared scopes by name.
	OAuthScopes(ctx context.Context) ([]model.OAuthScope, error)
	// WithdrawOAuthScope deletes a declared scope; model.ErrNotFound, or
	// model.ErrConflict while an app may ask for it.
	WithdrawOAuthScope(ctx context.Context, name string) error
}

// Deps are what the service works with.
type Deps struct {
	Store  Store
	Now    func() time.Time
	Record func(ctx context.Context, e audit.Event) error // stores a security event, as audit.Recorder's Record does
	Pepper []byte                                         // keys the hashes of secrets: at least 32 random bytes that are not in the database in clear, and never change

	// Ended ends the codes, tokens and logins of an app that was switched off,
	// everywhere, before it returns. It is called after the app's row says so,
	// and may be called again for the same app. Whoever issues something for an
	// app has to look at the row in the same transaction.
	Ended func(ctx context.Context, clientID string) error
}

// Service looks after apps. It is safe for concurrent use. Who may call what is
// not its business.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Get is an app that may be used. It fails with ErrUnknown or ErrDisabled.
func (s *Service) Get(ctx context.Context, id string) (model.OAuthClient, error) {
	c, err := s.Find(ctx, id)
	if err == nil && c.Disabled {
		return model.OAuthClient{}, ErrDisabled
	}
	return c, err
}

// Find is an app, which may be switched off. It fails with ErrUnknown.
func (s *Service) Find(ctx context.Context, id string) (model.OAuthClient, error) {
	if !isID(id) {
		return model.OAuthClient{}, ErrUnknown
	}
	c, err := s.Store.OAuthClient(ctx, id)
	return c, appFailure(err, "read", id)
}

// List returns one page of the apps, oldest first, and how many there are in
// all. Pages count from 1 and hold at most 1000 apps; perPage 0 asks for that
// many.
func (s *Service) List(ctx context.Context, page, perPage int) ([]model.OAuthClient, int64, error) {
	if perPage < 1 || perPage > maxPerPage {
		perPage = maxPerPage
	}
	page = min(max(page, 1), maxApps+1) // there is nothing beyond; it keeps the product small
	list, total, err := s.Store.OAuthClients(ctx, (page-1)*perPage, perPage)
	if err != nil {
		return nil, 0, fmt.Errorf("list apps: %w", err)
	}
	return list, total, nil
}

// Delete switches an app off, ends what was issued to it, and deletes it. It
// fails with ErrUnknown. After any other failure the app is off or as it was,
// and Delete can be called again.
func (s *Service) Delete(ctx context.Context, id string) error {
	off := true
	c, err := s.edit(ctx, id, Edit{Disabled: &off})
	if err != nil {
		return err
	}
	if err := s.end(ctx, id); err != nil {
		return err
	}
	if err := appFailure(s.Store.DeleteOAuthClient(ctx, id), "delete", id); err != nil {
		return err
	}
	return s.tell(ctx, audit.AppDeleted, c)
}

func (s *Service) end(ctx context.Context, id string) error {
	if err := s.Ended(context.WithoutCancel(ctx), id); err != nil {
		return fmt.Errorf("end what app %s was given: %w", id, err)
	}
	return nil
}

func (s *Service) tell(ctx context.Context, kind audit.Kind, c model.OAuthClient) error {
	return s.Record(ctx, audit.Event{Kind: kind, Detail: []slog.Attr{slog.String("client_id", c.ID), slog.String("app", c.Name)}})
}

func appFailure(err error, act, id string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, model.ErrNotFound):
		return ErrUnknown
	}
	return fmt.Errorf("%s app %s: %w", act, id, err)
}
