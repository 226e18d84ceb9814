// Package clienttest owns a working store of registered apps in memory and the
// suite that every such store must pass. It must not know SQL.
package clienttest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/client"
)

// Store is a client.Store in memory, safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	apps   map[string]model.OAuthClient
	scopes map[string]model.OAuthScope
	Reads  int // calls of OAuthClient; to be read when nobody is at work
}

var _ client.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store {
	return &Store{apps: map[string]model.OAuthClient{}, scopes: map[string]model.OAuthScope{}}
}

// AddOAuthClient is client.Store's.
func (s *Store) AddOAuthClient(_ context.Context, c model.OAuthClient, declared []string, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.has(c.ID):
		return model.ErrConflict
	case len(s.apps) >= limit:
		return model.ErrLimit
	case !s.hasAll(declared):
		return model.ErrStale
	}
	s.apps[c.ID] = clone(c)
	return nil
}

// OAuthClient is client.Store's.
func (s *Store) OAuthClient(_ context.Context, id string) (model.OAuthClient, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Reads++
	if !s.has(id) {
		return model.OAuthClient{}, model.ErrNotFound
	}
	return clone(s.apps[id]), nil
}

// OAuthClients is client.Store's.
func (s *Store) OAuthClients(_ context.Context, offset, limit int) ([]model.OAuthClient, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []model.OAuthClient
	for _, c := range s.apps {
		list = append(list, clone(c))
	}
	slices.SortFunc(list, func(a, b model.OAuthClient) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	from := min(offset, len(list))
	return list[from:min(from+limit, len(list))], int64(len(list)), nil
}

// EditOAuthClient is client.Store's.
func (s *Store) EditOAuthClient(_ context.Context, c model.OAuthClient, declared []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch old := s.apps[c.ID]; {
	case !s.has(c.ID):
		return model.ErrNotFound
	case old.Revision != c.Revision || !s.hasAll(declared):
		return model.ErrStale
	default:
		c.CreatedAt = old.CreatedAt
		c.Revision++
		s.apps[c.ID] = clone(c)
		return nil
	}
}

// DeleteOAuthClient is client.Store's.
func (s *Store) DeleteOAuthClient(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has(id) {
		return model.ErrNotFound
	}
	delete(s.apps, id)
	return nil
}

// DeclareOAuthScope is client.Store's.
func (s *Store) DeclareOAuthScope(_ context.Context, scope model.OAuthScope, limit int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.scopes[scope.Name]; ok {
		scope.CreatedAt = old.CreatedAt
	} else if len(s.scopes) >= limit {
		return model.ErrLimit
	}
	s.scopes[scope.Name] = scope
	return nil
}

// OAuthScopes is client.Store's.
func (s *Store) OAuthScopes(context.Context) ([]model.OAuthScope, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []model.OAuthScope
	for _, scope := range s.scopes {
		list = append(list, scope)
	}
	slices.SortFunc(list, func(a, b model.OAuthScope) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// WithdrawOAuthScope is client.Store's.
func (s *Store) WithdrawOAuthScope(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.hasAll([]string{name}) {
		return model.ErrNotFound
	}
	for _, c := range s.apps {
		if slices.Contains(c.Scopes, name) {
			return model.ErrConflict
		}
	}
	delete(s.scopes, name)
	return nil
}

func (s *Store) has(id string) bool {
	_, ok := s.apps[id]
	return ok
}

func (s *Store) hasAll(declared []string) bool {
	return !slices.ContainsFunc(declared, func(name string) bool {
		_, ok := s.scopes[name]
		return !ok
	})
}

// clone shares no list with c.
func clone(c model.OAuthClient) model.OAuthClient {
	c.RedirectURIs, c.Scopes = append(model.TextList{}, c.RedirectURIs...), append(model.TextList{}, c.Scopes...)
	return c
}
