// Package sshkeytest owns a working store of SSH keys in memory and the suite
// that every such store must pass. It must not know SQL.
package sshkeytest

import (
	"context"
	"sync"

	"latchkey/model"
	"latchkey/service/sshkey"
)

// Store is a sshkey.Store in memory, safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	accounts map[string]bool
	keys     []model.SSHKey // by ascending ID
	lastID   int64
}

var _ sshkey.Store = (*Store)(nil)

// New makes an empty store that knows no account.
func New() *Store { return &Store{accounts: map[string]bool{}} }

// AddAccount makes an account known, which is what a row in the accounts table
// does elsewhere.
func (s *Store) AddAccount(accountKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[accountKey] = true
}

// AddSSHKey is sshkey.Store's.
func (s *Store) AddSSHKey(_ context.Context, key model.SSHKey, limit int) (model.SSHKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.accounts[key.AccountKey] {
		return model.SSHKey{}, model.ErrStale
	}
	own := s.own(key.AccountKey)
	for _, k := range own {
		if k.Title == key.Title {
			return k, model.ErrConflict
		}
	}
	for _, k := range own {
		if k.Fingerprint == key.Fingerprint {
			return k, model.ErrConflict
		}
	}
	if len(own) >= limit {
		return model.SSHKey{}, model.ErrLimit
	}
	s.lastID++
	key.ID = s.lastID
	s.keys = append(s.keys, key)
	return key, nil
}

// SSHKeys is sshkey.Store's.
func (s *Store) SSHKeys(_ context.Context, accountKey string, offset, limit int) ([]model.SSHKey, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.own(accountKey)
	from := min(offset, len(own))
	return own[from:min(from+limit, len(own))], int64(len(own)), nil
}

// HasSSHKeyTitle is sshkey.Store's.
func (s *Store) HasSSHKeyTitle(_ context.Context, accountKey, title string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.own(accountKey) {
		if k.Title == title {
			return true, nil
		}
	}
	return false, nil
}

// DeleteSSHKey is sshkey.Store's.
func (s *Store) DeleteSSHKey(_ context.Context, accountKey string, id int64) error {
	_, err := s.remove(func(k model.SSHKey) bool { return k.ID == id && k.AccountKey == accountKey })
	return err
}

// DeleteAnySSHKey is sshkey.Store's.
func (s *Store) DeleteAnySSHKey(_ context.Context, id int64) (string, error) {
	return s.remove(func(k model.SSHKey) bool { return k.ID == id })
}

// remove takes out the first key that matches and returns its account.
func (s *Store) remove(match func(model.SSHKey) bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range s.keys {
		if match(k) {
			s.keys = append(s.keys[:i], s.keys[i+1:]...)
			return k.AccountKey, nil
		}
	}
	return "", model.ErrNotFound
}

// own is a copy of the account's keys; the caller holds the lock.
func (s *Store) own(accountKey string) []model.SSHKey {
	var own []model.SSHKey
	for _, k := range s.keys {
		if k.AccountKey == accountKey {
			own = append(own, k)
		}
	}
	return own
}
