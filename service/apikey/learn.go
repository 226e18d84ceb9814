package apikey

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"latchkey/model"
	"latchkey/service/access"
)

// learner is a key whose needs are noted: for every scope that a request
// needed, whether one was ever refused for it.
type learner struct {
	until time.Time

	mu    sync.Mutex
	known map[access.Scope]bool
}

// learn begins to note what a key needs, if it learns.
func (s *Service) learn(row model.APIKey) {
	if !s.Now().Before(row.LearnUntil.Time) {
		return
	}
	s.learning.Lock()
	defer s.learning.Unlock()
	if _, there := s.learners[row.ID]; there {
		return
	}
	l := &learner{until: row.LearnUntil.Time, known: map[access.Scope]bool{}}
	for _, scope := range scopes(row.LearntNeeded) {
		l.known[scope] = false
	}
	for _, scope := range scopes(row.LearntRefused) {
		l.known[scope] = true
	}
	s.learners[row.ID] = l
	s.learnings.Store(int64(len(s.learners)))
}

// Learn notes that a request with the key needed a scope, and whether the key
// had it, if the key learns; for all others it costs next to nothing. It is
// written a little later. What no key can be given is not noted.
func (s *Service) Learn(id int64, scope access.Scope, granted bool) {
	if s.learnings.Load() == 0 {
		return
	}
	s.learning.RLock()
	l := s.learners[id]
	s.learning.RUnlock()
	if l == nil || !s.Now().Before(l.until) || !l.isNews(scope, !granted) {
		return
	}
	n := model.APIKeyNote{ID: id, Needed: []string{string(scope)}}
	if !granted {
		n.Refused = n.Needed
	}
	s.notes.Add(id, n)
}

// isNews reports whether that was not known before; from then on it is.
func (l *learner) isNews(scope access.Scope, refused bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, there := l.known[scope]
	if there && (before || !refused) || !there && !scope.IsKnown() {
		return false
	}
	l.known[scope] = refused
	return true
}

// forgetLearners drops those who learn no more.
func (s *Service) forgetLearners() {
	now := s.Now()
	s.learning.Lock()
	defer s.learning.Unlock()
	maps.DeleteFunc(s.learners, func(_ int64, l *learner) bool { return !now.Before(l.until) })
	s.learnings.Store(int64(len(s.learners)))
}

// Lesson is what a key learnt from its requests.
type Lesson struct {
	Needed   access.Scopes // by all requests, those that were refused included
	Refused  access.Scopes // by requests that were refused
	Until    time.Time     // it learns before that; zero: it never did
	Proposal access.Scopes // the smallest set that the owner could give for the same requests
}

// Learned is what one of the caller's keys learnt so far. It fails with ErrNoKey.
func (s *Service) Learned(ctx context.Context, by access.Caller, id int64) (Lesson, error) {
	if err := s.Flush(ctx); err != nil {
		return Lesson{}, err
	}
	key, err := s.Store.APIKey(ctx, by.Account.Key, id)
	if err != nil {
		return Lesson{}, keyFailure(err, "read", id)
	}
	l := Lesson{Needed: scopes(key.LearntNeeded), Refused: scopes(key.LearntRefused), Until: key.LearnUntil.Time}
	l.Proposal = slices.DeleteFunc(slices.Clone(l.Needed), func(scope access.Scope) bool {
		return scope.IsAdmin() && !by.Account.IsAdmin()
	})
	return l, nil
}

// merged is both of two notes of a key.
func merged(a, b model.APIKeyNote) model.APIKeyNote {
	if b.At.After(a.At.Time) {
		a, b = b, a
	}
	a.Needed, a.Refused = union(a.Needed, b.Needed), union(a.Refused, b.Refused)
	return a
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}
