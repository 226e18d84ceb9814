// Package apikeytest owns a working store of API keys in memory and the suite
// that every such store must pass. It must not know SQL.
package apikeytest

import (
	"context"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/apikey"
)

// Store is an apikey.Store in memory, safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	accounts map[string]int64  // epochs
	logins   map[string]string // owners of live ones, by ID
	keys     []model.APIKey    // by ascending ID
	lastID   int64
}

var _ apikey.Store = (*Store)(nil)

// New makes an empty store that knows no account.
func New() *Store { return &Store{accounts: map[string]int64{}, logins: map[string]string{}} }

// AddAccount makes an account known, which is what a row in the accounts table
// does elsewhere.
func (s *Store) AddAccount(accountKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[accountKey] = 0
}

// Change raises the account's epoch.
func (s *Store) Change(accountKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[accountKey]++
}

// OpenLogin makes a live login of the account.
func (s *Store) OpenLogin(accountKey, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[id] = accountKey
}

// EndLogin ends a login.
func (s *Store) EndLogin(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logins, id)
}

// isStale reports whether whoever asks is no more who they were.
func (s *Store) isStale(accountKey string, by model.APIKeyMaker) bool {
	epoch, there := s.accounts[accountKey]
	return !there || epoch != by.Epoch || by.LoginID != "" && s.logins[by.LoginID] != accountKey
}

// DropAccount deletes an account with its keys.
func (s *Store) DropAccount(accountKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, accountKey)
	s.keys = slices.DeleteFunc(s.keys, func(k model.APIKey) bool { return k.AccountKey == accountKey })
}

// AddAPIKey is apikey.Store's.
func (s *Store) AddAPIKey(_ context.Context, key model.APIKey, by model.APIKeyMaker, limit int) (model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.own(key.AccountKey)
	switch {
	case s.isStale(key.AccountKey, by):
		return model.APIKey{}, model.ErrStale
	case slices.ContainsFunc(own, func(k model.APIKey) bool { return k.Name == key.Name && k.RevokedAt.IsZero() }):
		return model.APIKey{}, model.ErrConflict
	case len(own) >= limit:
		return model.APIKey{}, model.ErrLimit
	}
	s.lastID++
	key.ID = s.lastID
	s.keys = append(s.keys, key)
	return key, nil
}

// APIKeyByHash is apikey.Store's.
func (s *Store) APIKeyByHash(_ context.Context, hash string) (model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.Hash == hash || k.OldHash == hash {
			return k, nil
		}
	}
	return model.APIKey{}, model.ErrNotFound
}

// APIKey is apikey.Store's.
func (s *Store) APIKey(_ context.Context, accountKey string, id int64) (model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.find(accountKey, id); k != nil {
		return *k, nil
	}
	return model.APIKey{}, model.ErrNotFound
}

// APIKeys is apikey.Store's.
func (s *Store) APIKeys(_ context.Context, accountKey string, offset, limit int) ([]model.APIKey, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.own(accountKey)
	from := min(offset, len(own))
	return own[from:min(from+limit, len(own))], int64(len(own)), nil
}

// CountAPIKeys is apikey.Store's.
func (s *Store) CountAPIKeys(_ context.Context, accountKey string, at model.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int64(0)
	for _, k := range s.own(accountKey) {
		if k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || k.ExpiresAt.After(at.Time)) {
			n++
		}
	}
	return n, nil
}

// EditAPIKey is apikey.Store's.
func (s *Store) EditAPIKey(_ context.Context, old, key model.APIKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(key.AccountKey, key.ID)
	switch {
	case k == nil:
		return model.ErrNotFound
	case k.Edited(old) != *k, !k.RevokedAt.IsZero():
		return model.ErrStale
	}
	for _, other := range s.own(key.AccountKey) {
		if other.Name == key.Name && other.ID != key.ID && other.RevokedAt.IsZero() {
			return model.ErrConflict
		}
	}
	*k = k.Edited(key)
	return nil
}

// RotateAPIKey is apikey.Store's.
func (s *Store) RotateAPIKey(_ context.Context, accountKey string, id int64, r model.APIKeyRotation) (model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(accountKey, id)
	switch {
	case k == nil:
		return model.APIKey{}, model.ErrNotFound
	case !k.RevokedAt.IsZero():
		return *k, model.ErrConflict
	case s.isStale(k.AccountKey, r.By):
		return *k, model.ErrStale
	}
	k.OldHash, k.OldUntil = "", r.OldUntil
	if !r.OldUntil.IsZero() {
		k.OldHash = k.Hash
	}
	k.Hash, k.Prefix = r.Hash, r.Prefix
	return *k, nil
}

// DeleteAPIKey is apikey.Store's.
func (s *Store) DeleteAPIKey(_ context.Context, accountKey string, id int64) (model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find(accountKey, id)
	if k == nil {
		return model.APIKey{}, model.ErrNotFound
	}
	deleted := *k
	s.keys = slices.DeleteFunc(s.keys, func(k model.APIKey) bool { return k.ID == id })
	return deleted, nil
}

// find is the account's key, or anybody's if accountKey is empty; nil if it is
// not there. The caller holds the lock.
func (s *Store) find(accountKey string, id int64) *model.APIKey {
	for i := range s.keys {
		if k := &s.keys[i]; k.ID == id && (accountKey == "" || k.AccountKey == accountKey) {
			return k
		}
	}
	return nil
}

// own is a copy of the account's keys; the caller holds the lock.
func (s *Store) own(accountKey string) []model.APIKey {
	var own []model.APIKey
	for _, k := range s.keys {
		if k.AccountKey == accountKey {
			own = append(own, k)
		}
	}
	return own
}
