package keyringtest

import (
	"context"
	"slices"
	"strings"

	"latchkey/model"
)

// Put stores a value at its place, in place of what is there.
func (s *Store) Put(value model.Sealed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.at(value); at >= 0 {
		s.values[at] = value
		return
	}
	s.values = append(s.values, value)
}

// Values are all values, in the order in which their places were first used.
func (s *Store) Values() []model.Sealed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.values)
}

// at is where the value's place is in the list, or -1.
func (s *Store) at(v model.Sealed) int {
	return slices.IndexFunc(s.values, func(o model.Sealed) bool { return o.AAD() == v.AAD() })
}

// ResealKeys is keyring.Store's.
func (s *Store) ResealKeys(_ context.Context, keys []model.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	rows := slices.Clone(s.rows)
	if len(keys) != len(rows) {
		return model.ErrStale
	}
	for _, key := range keys {
		at := slices.IndexFunc(rows, func(k model.Key) bool { return k.ID == key.ID && k.Purpose == key.Purpose })
		if at < 0 {
			return model.ErrStale
		}
		rows[at].Sealed = key.Sealed
	}
	s.rows = rows
	return nil
}

// Sealed is keyring.Store's.
func (s *Store) Sealed(_ context.Context, notUnder string, after model.Sealed, limit int) ([]model.Sealed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	list := []model.Sealed{}
	for _, v := range s.values[s.at(after)+1:] {
		if len(list) < limit && strings.HasPrefix(v.Value, "v1:") && !strings.HasPrefix(v.Value, "v1:"+notUnder+":") {
			list = append(list, v)
		}
	}
	return list, nil
}

// Reseal is keyring.Store's.
func (s *Store) Reseal(_ context.Context, values []model.Reseal) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return 0, s.fail
	}
	replaced := 0
	for _, v := range values {
		if at := s.at(v.Sealed); at >= 0 && s.values[at].Value == v.Value {
			s.values[at].Value = v.Becomes
			replaced++
		}
	}
	return replaced, nil
}

// RemoveSealKey is keyring.Store's.
func (s *Store) RemoveSealKey(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if slices.ContainsFunc(s.values, func(v model.Sealed) bool { return strings.HasPrefix(v.Value, "v1:"+id+":") }) {
		return model.ErrConflict
	}
	left := slices.DeleteFunc(slices.Clone(s.rows), func(k model.Key) bool {
		return k.ID == id && k.Purpose == model.KeySeal
	})
	if len(left) == len(s.rows) {
		return model.ErrNotFound
	}
	s.rows = left
	return nil
}
