// Package keyringtest owns what tests of keys need: a working in-memory
// keyring.Store, a master key, and the conformance suite every Store must
// pass. It is for tests only.
package keyringtest

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"sync"

	"latchkey/model"
)

// Store is a working keyring.Store in memory. It is safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	rows   []model.Key
	values []model.Sealed // in the order in which they were put
	fail   error
}

// New makes an empty store.
func New() *Store { return &Store{} }

// Fail makes every later call return err; nil ends that.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Keys is keyring.Store's.
func (s *Store) Keys(context.Context) ([]model.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	slices.SortFunc(s.rows, func(a, b model.Key) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	return slices.Clone(s.rows), nil
}

// AddKeys is keyring.Store's.
func (s *Store) AddKeys(_ context.Context, keys []model.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	rows := slices.Clone(s.rows)
	for _, key := range keys {
		if slices.ContainsFunc(rows, func(k model.Key) bool { return k.ID == key.ID }) {
			return model.ErrConflict
		}
		rows = append(rows, key)
	}
	s.rows = rows
	return nil
}

// RemoveKey is keyring.Store's.
func (s *Store) RemoveKey(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	left := slices.DeleteFunc(slices.Clone(s.rows), func(k model.Key) bool { return k.ID == id })
	if len(left) == len(s.rows) {
		return model.ErrNotFound
	}
	s.rows = left
	return nil
}

// Change hands the rows out to be tampered with and keeps what comes back.
func (s *Store) Change(change func(rows []model.Key) []model.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = change(slices.Clone(s.rows))
}

// Master makes a master key.
func Master() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails since Go 1.24
	return key
}
