package sessiontest

import (
	"context"
	"maps"
	"slices"

	"latchkey/model"
)

// AddKey makes an SSH key known and returns its id.
func (s *Store) AddKey(accountKey string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := int64(len(s.keys) + 1)
	s.keys[id] = model.SSHKey{ID: id, AccountKey: accountKey}
	return id
}

// Key is the SSH key with the id, or a zero one.
func (s *Store) Key(id int64) model.SSHKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[id]
}

// DeleteKey deletes a key, and with it its device and that one's logins.
func (s *Store) DeleteKey(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[id] = model.SSHKey{}
	for key, d := range s.devices {
		if d.SSHKeyID != nil && *d.SSHKeyID == id {
			delete(s.devices, key)
			maps.DeleteFunc(s.logins, func(_ string, l model.Login) bool { return l.DeviceKey == key })
		}
	}
}

// suspend shuts the key behind the device out.
func (s *Store) suspend(d model.Device, at model.Time) {
	if d.SSHKeyID == nil {
		return
	}
	if k := s.keys[*d.SSHKeyID]; k.AccountKey == d.AccountKey && k.SuspendedAt.IsZero() {
		k.SuspendedAt = at
		s.keys[k.ID] = k
	}
}

// JoinLogin renews the device's newest live login, or makes one.
func (s *Store) JoinLogin(ctx context.Context, o model.LoginOpening) (model.Login, int64, error) {
	if err := gone(ctx); err != nil {
		return model.Login{}, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayOpen(o); err != nil {
		return o.Login, 0, err
	}
	if id := o.Device.SSHKeyID; id != nil {
		if k := s.keys[*id]; k.AccountKey != o.Device.AccountKey || !k.SuspendedAt.IsZero() {
			return o.Login, 0, model.ErrStale
		}
	}
	var newest model.Login
	for _, l := range s.logins {
		if l.DeviceKey == o.Device.Key && isLive(l, o.Live) && (newest.ID == "" || l.SeenAt.After(newest.SeenAt.Time)) {
			newest = l
		}
	}
	if newest.ID == "" {
		ended, err := s.open(o)
		return o.Login, ended, err
	}
	login := o.Login
	login.ID = newest.ID
	s.logins[login.ID] = login
	device := o.Device
	device.CreatedAt = s.devices[device.Key].CreatedAt
	s.devices[device.Key] = device
	return login, 0, nil
}

// RenewLogins moves the lifetime of those logins that are live.
func (s *Store) RenewLogins(ctx context.Context, r model.Renewal) ([]string, error) {
	if err := gone(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var alive []string
	for id, l := range s.logins {
		if slices.Contains(r.IDs, id) && isLive(l, r.Live) {
			l.CreatedAt, l.ExpiresAt = r.Live.At, r.ExpiresAt
			s.logins[id] = l
			alive = append(alive, id)
		}
	}
	return alive, nil
}
