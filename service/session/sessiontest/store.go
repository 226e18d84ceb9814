package sessiontest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/session"
)

var _ session.Store = (*Store)(nil)

// Store keeps devices and logins in memory. It is safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	accounts map[string]model.Account
	devices  map[string]model.Device
	logins   map[string]model.Login
	places   map[model.Place]model.Time
	keys     map[int64]model.SSHKey
}

// New makes a store without accounts.
func New() *Store {
	return &Store{
		accounts: map[string]model.Account{},
		devices:  map[string]model.Device{},
		logins:   map[string]model.Login{},
		places:   map[model.Place]model.Time{},
		keys:     map[int64]model.SSHKey{},
	}
}

// AddAccount adds an account; of a only the key, the id, the name, the epoch,
// Disabled and SessionTTL count. Key, id and name are chosen where a has none.
func (s *Store) AddAccount(a model.Account) model.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.ID == 0 {
		a.ID = int64(len(s.accounts) + 1)
	}
	if a.Key == "" {
		a.Key = fmt.Sprintf("%032x", a.ID)
	}
	if a.Username == "" {
		a.Username = fmt.Sprintf("name%d", a.ID)
	}
	s.accounts[a.Key] = a
	return a
}

// ChangeAccount lets change set anything of the account but its key.
func (s *Store) ChangeAccount(key string, change func(*model.Account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[key]
	change(&a)
	s.accounts[key] = a
}

// EndAccount ends the account's logins and raises its epoch, as a change of
// password does.
func (s *Store) EndAccount(key string, why model.EndReason, at model.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[key]
	a.Epoch++
	s.accounts[key] = a
	s.end(func(l model.Login) bool { return l.AccountKey == key }, why, at)
}

// DeleteAccount deletes an account and all that hangs on it.
func (s *Store) DeleteAccount(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, key)
	maps.DeleteFunc(s.places, func(p model.Place, _ model.Time) bool { return p.AccountKey == key })
	maps.DeleteFunc(s.devices, func(_ string, d model.Device) bool { return d.AccountKey == key })
	maps.DeleteFunc(s.logins, func(_ string, l model.Login) bool { return l.AccountKey == key })
}

// OpenLogin makes a login and the room for it.
func (s *Store) OpenLogin(ctx context.Context, o model.LoginOpening) (int64, error) {
	if err := gone(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.mayOpen(o); err != nil {
		return 0, err
	}
	return s.open(o)
}

// mayOpen fails unless the account may still finish the sign-in it began.
func (s *Store) mayOpen(o model.LoginOpening) error {
	switch a, ok := s.accounts[o.Login.AccountKey]; {
	case !ok:
		return model.ErrNotFound
	case a.Disabled || a.Epoch != o.Epoch:
		return model.ErrStale
	}
	return nil
}

// open makes a login and the room for it.
func (s *Store) open(o model.LoginOpening) (int64, error) {
	if _, taken := s.logins[o.Login.ID]; taken {
		return 0, model.ErrConflict
	}
	surplus, err := s.surplus(o)
	if err != nil {
		return 0, err
	}
	keep := s.busiest(o)
	at := o.Login.CreatedAt
	ended := s.end(func(l model.Login) bool { return slices.Contains(surplus, l.DeviceKey) }, model.EndLimit, at)
	ended += s.end(func(l model.Login) bool {
		return l.ID == o.Replaces && l.DeviceKey == o.Device.Key
	}, model.EndReplaced, at)
	ended += s.end(func(l model.Login) bool {
		return l.DeviceKey == o.Device.Key && isLive(l, o.Live) && !slices.Contains(keep, l.ID)
	}, model.EndReplaced, at)
	device := o.Device
	if before, there := s.devices[device.Key]; there {
		device.AccountKey, device.CreatedAt, device.NewUntil = before.AccountKey, before.CreatedAt, before.NewUntil
	}
	s.devices[device.Key] = device
	s.logins[o.Login.ID] = o.Login
	s.forgetSurplus(o)
	return ended, nil
}

// forgetSurplus bounds the rows that an account leaves behind.
func (s *Store) forgetSurplus(o model.LoginOpening) {
	var ended []model.Login
	for _, l := range s.logins {
		if l.AccountKey == o.Login.AccountKey && !l.EndedAt.IsZero() {
			ended = append(ended, l)
		}
	}
	slices.SortFunc(ended, func(a, b model.Login) int {
		return cmp.Or(b.EndedAt.Compare(a.EndedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	for _, l := range ended[min(len(ended), o.KeepEnded):] {
		delete(s.logins, l.ID)
	}
	var idle []model.Device
	for _, d := range s.devices {
		if d.AccountKey == o.Login.AccountKey && !s.active(d.Key, model.Live{At: o.Live.At}) {
			idle = append(idle, d)
		}
	}
	slices.SortFunc(idle, func(a, b model.Device) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt.Time), cmp.Compare(a.Key, b.Key))
	})
	for _, d := range idle[min(len(idle), o.KeepIdle):] {
		delete(s.devices, d.Key)
	}
}

// surplus is the idlest devices that must go for the one that signs in.
func (s *Store) surplus(o model.LoginOpening) ([]string, error) {
	var others []model.Device
	for _, d := range s.devices {
		if d.AccountKey == o.Login.AccountKey && d.Key != o.Device.Key &&
			class(d.Kind) == class(o.Device.Kind) && s.active(d.Key, o.Live) {
			others = append(others, d)
		}
	}
	slices.SortFunc(others, func(a, b model.Device) int {
		return cmp.Or(a.SeenAt.Compare(b.SeenAt.Time), a.CreatedAt.Compare(b.CreatedAt.Time), cmp.Compare(a.Key, b.Key))
	})
	have, room := int64(len(others)), o.DeviceCap
	if o.MaxDevices > 0 && have >= o.MaxDevices {
		switch {
		case o.EvictOldest:
			room = min(room, o.MaxDevices)
		case !s.active(o.Device.Key, o.Live):
			return nil, model.ErrLimit
		}
	}
	var keys []string
	for _, d := range others[:max(0, have-room+1)] {
		keys = append(keys, d.Key)
	}
	return keys, nil
}

// class is the kinds of device that share a limit.
func class(k model.DeviceKind) model.DeviceKind {
	if k == model.DeviceOAuth || k == model.DeviceSFTP {
		return k
	}
	return ""
}

// busiest is the live logins of the opening's device that may stay beside it.
func (s *Store) busiest(o model.LoginOpening) []string {
	var of []model.Login
	for _, l := range s.logins {
		if l.DeviceKey == o.Device.Key && l.ID != o.Replaces && isLive(l, o.Live) {
			of = append(of, l)
		}
	}
	slices.SortFunc(of, func(a, b model.Login) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt.Time), b.CreatedAt.Compare(a.CreatedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	var ids []string
	for _, l := range of[:min(len(of), o.LoginCap-1)] {
		ids = append(ids, l.ID)
	}
	return ids
}

// Login finds a login, live or ended.
func (s *Store) Login(ctx context.Context, id string) (model.Login, error) {
	if err := gone(ctx); err != nil {
		return model.Login{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.logins[id]
	if !ok {
		return model.Login{}, model.ErrNotFound
	}
	return l, nil
}

// EndLogin ends one login of the account if it is live.
func (s *Store) EndLogin(ctx context.Context, accountKey, id string, why model.EndReason, at model.Time) (int64, error) {
	if err := gone(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(func(l model.Login) bool { return l.AccountKey == accountKey && l.ID == id }, why, at), nil
}

// EndDevice ends every login of a device.
func (s *Store) EndDevice(ctx context.Context, accountKey, deviceKey string, why model.EndReason, at model.Time) (model.Device, int64, error) {
	if err := gone(ctx); err != nil {
		return model.Device{}, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.devices[deviceKey]
	if !ok || accountKey != "" && d.AccountKey != accountKey {
		return model.Device{}, 0, model.ErrNotFound
	}
	if why == model.EndEvicted {
		s.suspend(d, at)
	}
	return d, s.end(func(l model.Login) bool { return l.DeviceKey == deviceKey }, why, at), nil
}

// Touch writes when logins were last used.
func (s *Store) Touch(ctx context.Context, touches []model.Touch) error {
	if err := gone(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range touches {
		l, ok := s.logins[t.LoginID]
		if !ok || !l.EndedAt.IsZero() || !l.SeenAt.Before(t.At.Time) {
			continue
		}
		l.SeenAt = t.At
		s.logins[l.ID] = l
		if d, ok := s.devices[t.DeviceKey]; ok && !d.SeenAt.After(t.At.Time) {
			s.devices[d.Key] = touched(d, t)
		}
	}
	return nil
}

// touched is the device after a use.
func touched(d model.Device, t model.Touch) model.Device {
	d.SeenAt = t.At
	if !t.Keep || t.UserAgent != "" {
		d.UserAgent = t.UserAgent
	}
	if !t.Keep || t.IP != "" {
		d.IP = t.IP
	}
	return d
}

// end ends those of the chosen logins that have not ended.
func (s *Store) end(which func(model.Login) bool, why model.EndReason, at model.Time) int64 {
	var n int64
	for id, l := range s.logins {
		if which(l) && l.EndedAt.IsZero() {
			l.EndedAt, l.EndReason = at, why
			s.logins[id] = l
			n++
		}
	}
	return n
}

// active reports whether the device has a live login.
func (s *Store) active(deviceKey string, live model.Live) bool {
	for _, l := range s.logins {
		if l.DeviceKey == deviceKey && isLive(l, live) {
			return true
		}
	}
	return false
}

func isLive(l model.Login, at model.Live) bool {
	return l.EndedAt.IsZero() && l.ExpiresAt.After(at.At.Time) &&
		(at.SeenAfter.IsZero() || l.Kind == model.LoginApp || l.SeenAt.After(at.SeenAfter.Time)) &&
		(at.CreatedAfter.IsZero() || !l.Kind.IsSigned() || l.CreatedAt.After(at.CreatedAfter.Time))
}

// gone is what a store says whose caller went away.
func gone(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", model.ErrUnavailable, err)
	}
	return nil
}

// LastExpiry is when the last of the logins with a session token made before an instant expires.
func (s *Store) LastExpiry(ctx context.Context, createdBefore model.Time) (model.Time, error) {
	if err := gone(ctx); err != nil {
		return model.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var last model.Time
	for _, l := range s.logins {
		if l.Kind.IsSigned() && l.CreatedAt.Before(createdBefore.Time) && l.ExpiresAt.After(last.Time) {
			last = l.ExpiresAt
		}
	}
	return last, nil
}
