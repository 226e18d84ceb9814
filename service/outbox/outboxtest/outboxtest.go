// Package outboxtest owns what tests of the outbox need: a working in-memory
// outbox.Store and the conformance suite every Store must pass. It is for tests
// only.
package outboxtest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/outbox"
)

var _ outbox.Store = (*Store)(nil)

// Store keeps notices in memory. It is safe for concurrent use.
type Store struct {
	mu   sync.Mutex
	rows map[string]model.Notice
}

// New makes an empty store.
func New() *Store { return &Store{rows: map[string]model.Notice{}} }

// AddNotices stores all or none.
func (s *Store) AddNotices(_ context.Context, rows []model.Notice, atMost int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rows)+len(rows) > atMost {
		return model.ErrLimit
	}
	for _, r := range rows {
		if _, taken := s.rows[r.ID]; taken {
			return model.ErrConflict
		}
	}
	for _, r := range rows {
		s.rows[r.ID] = r
	}
	return nil
}

// DueNotices lists those whose time has come.
func (s *Store) DueNotices(_ context.Context, at model.Time, atMost int) ([]model.Notice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := slices.Collect(maps.Values(s.rows))
	due = slices.DeleteFunc(due, func(n model.Notice) bool { return n.NextAt.After(at.Time) })
	slices.SortFunc(due, func(a, b model.Notice) int {
		return cmp.Or(a.NextAt.Compare(b.NextAt.Time), cmp.Compare(a.ID, b.ID))
	})
	return due[:min(len(due), atMost)], nil
}

// PostponeNotice counts one more try.
func (s *Store) PostponeNotice(_ context.Context, id string, next model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.rows[id]
	if !ok {
		return model.ErrNotFound
	}
	n.Tries, n.NextAt = n.Tries+1, next
	s.rows[id] = n
	return nil
}

// DropNotice deletes a message.
func (s *Store) DropNotice(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, id)
	return nil
}
