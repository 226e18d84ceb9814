// Package sshkeytest owns a working store of SSH keys in memory and the suite
// that every such store must pass. It must not know SQL.
package sshkeytest

import (
	"context"
	"slices"
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
	revoked  []string // fingerprints of deleted keys
	ended    []int64  // keys whose logins were ended, in order
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

// SSHKey is sshkey.Store's.
func (s *Store) SSHKey(_ context.Context, accountKey string, id int64) (model.SSHKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.at(accountKey, id); i >= 0 {
		return s.keys[i], nil
	}
	return model.SSHKey{}, model.ErrNotFound
}

// EditSSHKey is sshkey.Store's.
func (s *Store) EditSSHKey(_ context.Context, old, key model.SSHKey, _ model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.at(key.AccountKey, key.ID)
	if i < 0 {
		return model.ErrNotFound
	}
	k := &s.keys[i]
	if k.Edited(old) != *k {
		return model.ErrStale
	}
	for _, k := range s.own(key.AccountKey) {
		if k.Title == key.Title && k.ID != key.ID {
			return model.ErrConflict
		}
	}
	before := *k
	*k = k.Edited(key)
	if before.Title = k.Title; before != *k {
		s.ended = append(s.ended, k.ID)
	}
	return nil
}

// LiftSSHKey is sshkey.Store's.
func (s *Store) LiftSSHKey(_ context.Context, accountKey string, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.at(accountKey, id)
	if i < 0 {
		return model.ErrNotFound
	}
	s.keys[i].SuspendedAt = model.Time{}
	return nil
}

// Suspend does to a key what evicting its device does elsewhere.
func (s *Store) Suspend(id int64, at model.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		if s.keys[i].ID == id {
			s.keys[i].SuspendedAt = at
		}
	}
}

// Ended lists the keys whose logins were ended, in order.
func (s *Store) Ended() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ended)
}

// RevokedSSHKeys is sshkey.Store's.
func (s *Store) RevokedSSHKeys(_ context.Context, at model.Time) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	prints, usable := slices.Clone(s.revoked), map[string]bool{}
	for _, k := range s.keys {
		prints = append(prints, k.Fingerprint)
		if k.SuspendedAt.IsZero() && (k.ExpiresAt.IsZero() || k.ExpiresAt.After(at.Time)) {
			usable[k.Fingerprint] = true
		}
	}
	slices.Sort(prints)
	return slices.DeleteFunc(slices.Compact(prints), func(p string) bool { return usable[p] }), nil
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
			s.revoked = append(s.revoked, k.Fingerprint)
			return k.AccountKey, nil
		}
	}
	return "", model.ErrNotFound
}

// at is where the account's key is, -1 if it is not; the caller holds the lock.
func (s *Store) at(accountKey string, id int64) int {
	return slices.IndexFunc(s.keys, func(k model.SSHKey) bool { return k.ID == id && k.AccountKey == accountKey })
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
