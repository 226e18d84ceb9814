package sessiontest

import (
	"context"

	"latchkey/model"
)

// FreshenLogin writes when a login's owner proved who they are.
func (s *Store) FreshenLogin(ctx context.Context, p model.LoginProof) error {
	if err := gone(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l, a := s.logins[p.LoginID], s.accounts[p.AccountKey]
	if l.ID == "" || l.AccountKey != p.AccountKey || !isLive(l, p.Live) || a.Disabled || a.Epoch != p.Epoch {
		return model.ErrStale
	}
	l.FreshAt = p.Live.At
	s.logins[l.ID] = l
	return nil
}

// EndOthers ends every login of the account but one.
func (s *Store) EndOthers(ctx context.Context, accountKey, keepLogin string, why model.EndReason, live model.Live) (devices, logins int64, err error) {
	if err := gone(ctx); err != nil {
		return 0, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.logins[keepLogin]
	if kept.ID == "" || kept.AccountKey != accountKey || !isLive(kept, live) {
		return 0, 0, model.ErrStale
	}
	others := map[string]bool{}
	for _, l := range s.logins {
		if l.AccountKey == accountKey && l.ID != keepLogin && isLive(l, live) {
			logins++
			if l.DeviceKey != kept.DeviceKey {
				others[l.DeviceKey] = true
			}
		}
	}
	for key := range others {
		s.suspend(s.devices[key], live.At)
	}
	s.end(func(l model.Login) bool { return l.AccountKey == accountKey && l.ID != keepLogin }, why, live.At)
	return int64(len(others)), logins, nil
}
