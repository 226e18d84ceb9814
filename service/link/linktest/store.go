// Package linktest owns what tests of one-time links need: a working in-memory
// link.Store and the conformance suite every Store must pass. It is for tests
// only.
package linktest

import (
	"context"
	"sync"

	"latchkey/model"
	"latchkey/service/link"
)

var _ link.Store = (*Store)(nil)

// Store keeps links in memory, and of accounts what links change. It is safe
// for concurrent use.
type Store struct {
	mu       sync.Mutex
	links    map[string]model.Link
	accounts map[string]model.Account
	logins   map[string]model.Login
	apiKeys  map[int64]model.APIKey
}

// New makes an empty store.
func New() *Store {
	return &Store{links: map[string]model.Link{}, accounts: map[string]model.Account{}, logins: map[string]model.Login{}, apiKeys: map[int64]model.APIKey{}}
}

// AddAccount adds an account.
func (s *Store) AddAccount(a model.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.Key] = a
}

// Account is an account as it is now.
func (s *Store) Account(key string) model.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[key]
}

// AddLogin adds a login.
func (s *Store) AddLogin(l model.Login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[l.ID] = l
}

// EndReason says why a login ended; empty while it is live.
func (s *Store) EndReason(id string) model.EndReason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins[id].EndReason
}

// FreshAt says when the login's owner proved who they are; zero: never.
func (s *Store) FreshAt(id string) model.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins[id].FreshAt
}

// AddAPIKey adds an API key under its ID.
func (s *Store) AddAPIKey(key model.APIKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKeys[key.ID] = key
}

// RevokedWhy is why an API key is revoked; empty if it is not.
func (s *Store) RevokedWhy(id int64) model.RevokeReason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.apiKeys[id].RevokedWhy
}

// AddLink stores a link.
func (s *Store) AddLink(_ context.Context, l model.Link, limit model.LinkLimit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, other := range s.links {
		if other.AccountKey == l.AccountKey && other.Purpose == l.Purpose && other.CreatedAt.After(limit.Since.Time) {
			n++
		}
	}
	if n >= limit.AtMost {
		return model.ErrLimit
	}
	s.links[l.Hash] = l
	return nil
}

// Link finds a link.
func (s *Store) Link(_ context.Context, hash string) (model.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.links[hash]
	if !ok {
		return l, model.ErrNotFound
	}
	return l, nil
}

// spend takes a link that still works.
func (s *Store) spend(hash string, purpose model.LinkPurpose, at model.Time) (model.Link, error) {
	l, ok := s.links[hash]
	if !ok || l.Purpose != purpose || !l.UsedAt.IsZero() || !l.ExpiresAt.After(at.Time) {
		return model.Link{}, model.ErrNotFound
	}
	was := l
	l.UsedAt = at
	s.links[hash] = l
	return was, nil
}

// ConfirmEmail confirms the account's address.
func (s *Store) ConfirmEmail(_ context.Context, hash string, at model.Time) (model.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.spend(hash, model.LinkConfirmEmail, at)
	if err != nil {
		return l, err
	}
	a := s.accounts[l.AccountKey]
	if a.Email != l.Email {
		s.links[hash] = l // as it was
		return l, model.ErrStale
	}
	a.EmailVerified = true
	s.accounts[a.Key] = a
	return l, nil
}

// Disown ends the device's logins and shuts the password out.
func (s *Store) Disown(_ context.Context, hash string, next model.Link, at model.Time) (model.Link, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.spend(hash, model.LinkDisown, at)
	if err != nil {
		return l, 0, err
	}
	s.change(l.AccountKey, func(a *model.Account) {
		a.MustChangePassword, a.EmailVerified = true, a.EmailVerified && a.Email == l.Email
	})
	for key, other := range s.links {
		later := other.Purpose != model.LinkDisown || other.Email != l.Email && other.CreatedAt.After(l.CreatedAt.Time)
		if other.AccountKey == l.AccountKey && other.UsedAt.IsZero() && later {
			other.UsedAt = at
			s.links[key] = other
		}
	}
	next.AccountKey, next.Email = l.AccountKey, l.Email
	s.links[next.Hash] = next
	for id, in := range s.logins {
		if in.AccountKey == l.AccountKey && in.EndedAt.IsZero() {
			in.FreshAt = model.Time{}
			s.logins[id] = in
		}
	}
	s.end(func(in model.Login) bool { return in.AccountKey == l.AccountKey && in.DeviceKey == l.DeviceKey }, model.EndEvicted, at)
	var keys int64
	for id, key := range s.apiKeys {
		if key.AccountKey == l.AccountKey && key.CreatedOnDevice == l.DeviceKey && key.RevokedAt.IsZero() {
			key.RevokedAt, key.RevokedWhy = at, model.RevokedDevice
			s.apiKeys[id] = key
			keys++
		}
	}
	return l, keys, nil
}

// SetPassword stores the hash and ends every login.
func (s *Store) SetPassword(_ context.Context, hash, passwordHash string, at model.Time) (model.Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := s.spend(hash, model.LinkSetPassword, at)
	if err != nil {
		return l, err
	}
	s.change(l.AccountKey, func(a *model.Account) {
		a.PasswordHash, a.PasswordAt, a.MustChangePassword = passwordHash, at, false
	})
	s.end(func(in model.Login) bool { return in.AccountKey == l.AccountKey }, model.EndPassword, at)
	for key, other := range s.links {
		if other.AccountKey == l.AccountKey && other.Purpose == model.LinkSetPassword && other.UsedAt.IsZero() {
			other.UsedAt = at
			s.links[key] = other
		}
	}
	return l, nil
}

// change changes an account, and makes sign-ins under way fail.
func (s *Store) change(key string, how func(*model.Account)) {
	a := s.accounts[key]
	how(&a)
	a.Epoch++
	s.accounts[key] = a
}

func (s *Store) end(which func(model.Login) bool, why model.EndReason, at model.Time) {
	for id, l := range s.logins {
		if which(l) && l.EndedAt.IsZero() {
			l.EndedAt, l.EndReason = at, why
			s.logins[id] = l
		}
	}
}
