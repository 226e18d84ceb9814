// Package audittest owns a working store of security events in memory and the
// suite that every such store must pass. It must not know SQL.
package audittest

import (
	"context"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/audit"
)

// Store is an audit.Store in memory, safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	accounts []model.Account
	events   []model.AuditEvent // by ascending ID
	names    map[name]bool      // of the events that ever came
	lastID   int64
	fail     error
}

// name is what tells one event from another.
type name struct{ at, nonce int64 }

var _ audit.Store = (*Store)(nil)

// New makes an empty store that knows no account.
func New() *Store { return &Store{names: map[name]bool{}} }

// AddAccount makes an account known, which is what a row in the accounts table
// does elsewhere.
func (s *Store) AddAccount(a model.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = append(s.accounts, a)
}

// DeleteAccount takes an account away.
func (s *Store) DeleteAccount(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = slices.DeleteFunc(s.accounts, func(a model.Account) bool { return a.Key == key })
}

// Fail makes every method fail with err, until it is told nil.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// All is every event, oldest first.
func (s *Store) All() []model.AuditEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// AddEvents is audit.Store's.
func (s *Store) AddEvents(_ context.Context, events []model.AuditEvent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, e := range events {
		id := name{e.At.UnixMilli(), e.Nonce}
		if s.names[id] {
			continue
		}
		s.names[id] = true
		s.lastID++
		e.ID = s.lastID
		s.fillIn(&e)
		s.events = append(s.events, e)
	}
	return nil
}

func (s *Store) fillIn(e *model.AuditEvent) {
	if e.Username != "" || e.AccountKey == "" && e.AccountID == 0 {
		return
	}
	for _, a := range s.accounts {
		if e.AccountKey == a.Key || e.AccountKey == "" && e.AccountID == a.ID {
			e.AccountKey, e.AccountID, e.Username = a.Key, a.ID, a.Username
			return
		}
	}
}

// Events is audit.Store's.
func (s *Store) Events(_ context.Context, q model.AuditQuery) ([]model.AuditEvent, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, 0, s.fail
	}
	var list []model.AuditEvent
	for _, e := range slices.Backward(s.events) {
		if s.matches(e, q) {
			list = append(list, e)
		}
	}
	from := min(q.Offset, len(list))
	return list[from:min(from+q.Limit, len(list))], int64(min(len(list), q.CountTo)), nil
}

func (s *Store) matches(e model.AuditEvent, q model.AuditQuery) bool {
	for _, pair := range [][2]string{{q.AccountKey, e.AccountKey}, {q.Kind, e.Kind}, {q.Address, e.Address}} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	if q.Username != "" && e.Username != q.Username && !slices.ContainsFunc(s.accounts, func(a model.Account) bool {
		return a.Username == q.Username && a.Key == e.AccountKey
	}) {
		return false
	}
	return (q.Since.IsZero() || !e.At.Before(q.Since.Time)) && (q.Until.IsZero() || e.At.Before(q.Until.Time))
}

// DropEvents is audit.Store's.
func (s *Store) DropEvents(_ context.Context, before model.Time, atMost int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop(atMost, func(e model.AuditEvent) bool { return e.At.Before(before.Time) })
}

// TrimEvents is audit.Store's.
func (s *Store) TrimEvents(_ context.Context, t model.AuditTrim) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := min(len(s.events)-int(t.Most), t.AtMost)
	var n int64
	for _, kind := range t.First {
		dropped, err := s.drop(left-int(n), func(e model.AuditEvent) bool { return e.Kind == kind })
		if n += dropped; err != nil {
			return n, err
		}
	}
	dropped, err := s.drop(left-int(n), func(model.AuditEvent) bool { return true })
	return n + dropped, err
}

// drop deletes the first events that are meant, at most so many.
func (s *Store) drop(atMost int, meant func(model.AuditEvent) bool) (int64, error) {
	var n int64
	if s.fail != nil {
		return 0, s.fail
	}
	s.events = slices.DeleteFunc(s.events, func(e model.AuditEvent) bool {
		if n >= int64(atMost) || !meant(e) {
			return false
		}
		n++
		return true
	})
	return n, nil
}
