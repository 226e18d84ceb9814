// Package throttletest owns what tests of the sign-in throttle need: a working
// in-memory throttle.Store, and the conformance suite every Store must pass. It
// is for tests only.
package throttletest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"latchkey/model"
)

// Store is a working throttle.Store in memory. Every account is taken to be
// there until it is deleted. It is safe for concurrent use.
type Store struct {
	mu   sync.Mutex
	rows map[model.ThrottleID]model.Throttle
	gone map[string]bool
	away error
}

// New makes an empty store.
func New() *Store {
	return &Store{rows: map[model.ThrottleID]model.Throttle{}, gone: map[string]bool{}}
}

// Break makes every call fail with err, until it is called with nil.
func (s *Store) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = err
}

// DeleteAccount deletes an account and its rows.
func (s *Store) DeleteAccount(accountKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone[accountKey] = true
	for id, row := range s.rows {
		if row.AccountKey == accountKey {
			delete(s.rows, id)
		}
	}
}

// Size is how many rows there are.
func (s *Store) Size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rows)
}

// Rows are all of them, in no order.
func (s *Store) Rows() []model.Throttle {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []model.Throttle
	for _, row := range s.rows {
		all = append(all, row)
	}
	return all
}

// Throttles lists counters.
func (s *Store) Throttles(_ context.Context, q model.ThrottleQuery) ([]model.Throttle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []model.Throttle
	for _, row := range s.rows {
		named := row.AccountKey != "" || row.Address != ""
		if row.Kind == q.Kind && row.Until.After(q.After.Time) && (named || !q.Labelled) {
			found = append(found, row)
		}
	}
	slices.SortFunc(found, lastFirst)
	return found[:min(len(found), q.Limit)], s.away
}

func lastFirst(a, b model.Throttle) int {
	return cmp.Or(b.Until.Compare(a.Until.Time), cmp.Compare(a.Who, b.Who), cmp.Compare(a.Place, b.Place))
}

// Throttle finds one counter.
func (s *Store) Throttle(_ context.Context, id model.ThrottleID) (model.Throttle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	row, ok := s.rows[id]
	if !ok && s.away == nil {
		return row, model.ErrNotFound
	}
	return row, s.away
}

// SaveThrottles lifts and stores.
func (s *Store) SaveThrottles(_ context.Context, lifts []model.ThrottleLift, rows []model.Throttle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return s.away
	}
	for _, l := range lifts {
		for id := range s.rows {
			if id.Who == l.Who && slices.Contains(l.Kinds, id.Kind) {
				delete(s.rows, id)
			}
		}
	}
	for _, row := range rows {
		if !s.gone[row.AccountKey] {
			s.rows[row.ThrottleID] = row
		}
	}
	return nil
}

// CleanThrottles deletes what is empty or too much.
func (s *Store) CleanThrottles(_ context.Context, kind model.ThrottleKind, now model.Time, keep, _ int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away != nil {
		return 0, s.away
	}
	var left []model.Throttle
	before := len(s.rows)
	for id, row := range s.rows {
		switch {
		case id.Kind != kind:
		case row.Until.After(now.Time):
			left = append(left, row)
		default:
			delete(s.rows, id)
		}
	}
	slices.SortFunc(left, lastFirst)
	for _, row := range left[min(len(left), keep):] {
		delete(s.rows, row.ThrottleID)
	}
	return int64(before - len(s.rows)), nil
}
