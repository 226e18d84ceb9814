package apikeytest

import (
	"context"
	"slices"
	"strings"
	"time"

	"latchkey/model"
)

// RevokeAPIKeyText is apikey.Store's.
func (s *Store) RevokeAPIKeyText(_ context.Context, hash string, at model.Time) (model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		k := &s.keys[i]
		switch {
		case !k.RevokedAt.IsZero():
		case k.Hash == hash:
			k.RevokedAt, k.RevokedWhy = at, model.RevokedLeaked
			return *k, nil
		case k.OldHash == hash && k.OldUntil.After(at.Time):
			k.OldHash, k.OldUntil = "", model.Time{}
			return *k, nil
		}
	}
	return model.APIKey{}, model.ErrNotFound
}

// RevokeDeviceAPIKeys is apikey.Store's.
func (s *Store) RevokeDeviceAPIKeys(_ context.Context, accountKey, deviceKey string, at model.Time) ([]model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []model.APIKey
	for i := range s.keys {
		k := &s.keys[i]
		if k.CreatedOnDevice == deviceKey && k.RevokedAt.IsZero() && (accountKey == "" || k.AccountKey == accountKey) {
			k.RevokedAt, k.RevokedWhy = at, model.RevokedDevice
			list = append(list, *k)
		}
	}
	return list, nil
}

// NoteAPIKeys is apikey.Store's.
func (s *Store) NoteAPIKeys(_ context.Context, notes []model.APIKeyNote) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range notes {
		k := s.find("", n.ID)
		if k == nil {
			continue
		}
		if n.At.After(k.LastUsedAt.Time) {
			k.LastUsedAt, k.LastUsedIP, k.LastUsedUA = n.At, n.IP, n.UA
		}
		if !k.LearnUntil.IsZero() {
			k.LearntNeeded, k.LearntRefused = with(k.LearntNeeded, n.Needed), with(k.LearntRefused, n.Refused)
		}
	}
	return nil
}

func with(list string, more []string) string {
	words := append(strings.Fields(list), more...)
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// ExpiringAPIKeys is apikey.Store's.
func (s *Store) ExpiringAPIKeys(_ context.Context, at model.Time, days int64, limit int) ([]model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := at.Add(time.Duration(days) * 24 * time.Hour)
	return s.first(limit, func(k model.APIKey) bool {
		return due(k, days) && k.ExpiresAt.After(at.Time) && !k.ExpiresAt.After(until)
	}), nil
}

func due(k model.APIKey, days int64) bool {
	return k.RevokedAt.IsZero() && (k.WarnedDays == 0 || k.WarnedDays > days)
}

// WarnAPIKey is apikey.Store's.
func (s *Store) WarnAPIKey(_ context.Context, key model.APIKey, days int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find("", key.ID)
	if k == nil || !due(*k, days) || k.ExpiresAt != key.ExpiresAt {
		return model.ErrStale
	}
	k.WarnedDays = days
	return nil
}

// UnusedAPIKeys is apikey.Store's.
func (s *Store) UnusedAPIKeys(_ context.Context, q model.APIKeyIdle) ([]model.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first(q.Limit, func(k model.APIKey) bool {
		return k.ID > q.AfterID && unused(k, q.Since) && (!q.Untold || untold(k))
	}), nil
}

func unused(k model.APIKey, since model.Time) bool {
	return k.RevokedAt.IsZero() && !k.UsedAt().After(since.Time)
}

func untold(k model.APIKey) bool {
	return k.UnusedToldAt.IsZero() || k.UnusedToldAt.Before(k.LastUsedAt.Time)
}

// ReportAPIKey is apikey.Store's.
func (s *Store) ReportAPIKey(_ context.Context, id int64, since, at model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find("", id)
	if k == nil || !unused(*k, since) || !untold(*k) {
		return model.ErrStale
	}
	k.UnusedToldAt = at
	return nil
}

// RevokeUnusedAPIKey is apikey.Store's.
func (s *Store) RevokeUnusedAPIKey(_ context.Context, id int64, since, at model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.find("", id)
	if k == nil || !unused(*k, since) {
		return model.ErrStale
	}
	k.RevokedAt, k.RevokedWhy = at, model.RevokedUnused
	return nil
}

// first is a copy of the first keys that match; the caller holds the lock.
func (s *Store) first(limit int, match func(model.APIKey) bool) []model.APIKey {
	var list []model.APIKey
	for _, k := range s.keys {
		if len(list) < limit && match(k) {
			list = append(list, k)
		}
	}
	return list
}
