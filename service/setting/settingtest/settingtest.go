// Package settingtest owns what tests of settings need: a working in-memory
// setting.Store, a Sealer, and the conformance suite every Store must pass. It
// is for tests only.
package settingtest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/setting"
)

// Store is a working setting.Store in memory. It is safe for concurrent use.
type Store struct {
	mu   sync.Mutex
	rows map[string]string
	fail error
}

// New makes an empty store.
func New() *Store { return &Store{rows: map[string]string{}} }

// Fail makes every later call return err; nil ends that.
func (s *Store) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Settings is setting.Store's.
func (s *Store) Settings(context.Context) ([]model.Setting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	var rows []model.Setting
	for _, key := range slices.Sorted(maps.Keys(s.rows)) {
		rows = append(rows, model.Setting{Key: key, Value: s.rows[key]})
	}
	return rows, nil
}

// SaveSettings is setting.Store's.
func (s *Store) SaveSettings(_ context.Context, rows []model.Setting) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, row := range rows {
		s.rows[row.Key] = row.Value
	}
	return nil
}

// NewSealer makes a sealer under a random key of its own.
func NewSealer() setting.Sealer {
	s := keyringtest.NewSealer()
	return setting.Sealer{Seal: s.Seal, Open: s.Open}
}
