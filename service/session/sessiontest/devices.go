package sessiontest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"latchkey/model"
)

// Devices lists active devices, oldest first.
func (s *Store) Devices(ctx context.Context, accountKey string, live model.Live) ([]model.DeviceView, error) {
	if err := gone(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	views := map[string]model.DeviceView{}
	for _, l := range s.logins {
		d, ok := s.devices[l.DeviceKey]
		if !ok || !isLive(l, live) || accountKey != "" && d.AccountKey != accountKey {
			continue
		}
		v := views[d.Key]
		a := s.accounts[d.AccountKey]
		v.Device, v.AccountID, v.Username = d, a.ID, a.Username
		if l.ExpiresAt.After(v.ExpiresAt.Time) {
			v.ExpiresAt = l.ExpiresAt
		}
		views[d.Key] = v
	}
	list := make([]model.DeviceView, 0, len(views))
	for _, v := range views {
		list = append(list, v)
	}
	slices.SortFunc(list, func(a, b model.DeviceView) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt.Time), cmp.Compare(a.Key, b.Key))
	})
	return list, nil
}

// DeviceSeen reports whether the account's device was seen after since.
func (s *Store) DeviceSeen(ctx context.Context, accountKey, deviceKey string, since model.Time) (bool, error) {
	if err := gone(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.devices[deviceKey]
	return ok && d.AccountKey == accountKey && d.SeenAt.After(since.Time), nil
}

// DropInactive deletes devices without a live login.
func (s *Store) DropInactive(ctx context.Context, accountID int64, deviceKey string, live model.Live) (int64, error) {
	if err := gone(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	for key, d := range s.devices {
		if (accountID == 0 || s.accounts[d.AccountKey].ID == accountID) &&
			(deviceKey == "" || deviceKey == key) && !s.active(key, live) {
			delete(s.devices, key)
			n++
		}
	}
	return n, nil
}

// Clean takes away what nobody needs any more.
func (s *Store) Clean(ctx context.Context, c model.Cleaning) (int64, []string, error) {
	if err := gone(ctx); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var (
		idle, expired, devices int
		accounts               []string
	)
	for id, l := range s.logins {
		unused := l.Kind != model.LoginApp && !c.UnusedSince.IsZero() && !l.SeenAt.After(c.UnusedSince.Time)
		if unused && isLive(l, model.Live{At: c.Now}) && idle < c.AtMost {
			l.EndedAt, l.EndReason = c.Now, model.EndCleaned
			s.logins[id] = l
			accounts = append(accounts, l.AccountKey)
			idle++
		}
	}
	for id, l := range s.logins {
		if l.ExpiresAt.Before(c.ExpiredAt.Time) && expired < c.AtMost {
			delete(s.logins, id)
			expired++
		}
	}
	for key, d := range s.devices {
		if s.abandoned(d, c) && devices < c.AtMost {
			delete(s.devices, key)
			devices++
		}
	}
	return int64(idle + expired + devices), accounts, nil
}

// abandoned reports whether the device is past its account's idle time, or
// past the setting's where the account has none of its own.
func (s *Store) abandoned(d model.Device, c model.Cleaning) bool {
	seconds := c.DeviceIdle
	if own := s.accounts[d.AccountKey].SessionTTL; own != nil {
		seconds = *own
	}
	idle := time.Duration(seconds) * time.Second
	return seconds > 0 && d.SeenAt.Before(c.Now.Add(-idle)) && !s.active(d.Key, model.Live{At: c.Now})
}
