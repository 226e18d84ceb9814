package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/revocation"
)

// List is the caller's active devices, oldest first. Callers without a device
// of their own, such as guests, share nobody's: the list is empty.
func (s *Service) List(ctx context.Context, by access.Caller) ([]model.DeviceView, error) {
	if by.Kind == access.Guest || by.Account.IsGuest() {
		return []model.DeviceView{}, nil
	}
	return s.devices(ctx, by.Account.Key)
}

// ListAll is everybody's active devices, oldest first.
func (s *Service) ListAll(ctx context.Context) ([]model.DeviceView, error) {
	return s.devices(ctx, "")
}

func (s *Service) devices(ctx context.Context, accountKey string) ([]model.DeviceView, error) {
	if s.cfg.IdleTimeout > 0 { // what was just used is not idle
		if err := s.Flush(ctx); err != nil {
			return nil, err
		}
	}
	list, err := s.store.Devices(ctx, accountKey, s.live(s.now()))
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	latest := s.latest()
	now := s.now()
	for i := range list {
		d := &list[i]
		d.New = d.NewUntil.After(now)
		if t, ok := latest[d.Key]; ok && t.At.After(d.SeenAt.Time) {
			*d = showing(*d, t)
		}
	}
	return list, nil
}

// Evict ends every login of one of the caller's devices. A device that is
// already signed out is not an error; one that does not exist, or is somebody
// else's, is ErrNoDevice.
func (s *Service) Evict(ctx context.Context, by access.Caller, deviceKey string) error {
	if by.Kind == access.Guest || by.Account.IsGuest() {
		return ErrNoDevice
	}
	return s.evict(ctx, by.Account.Key, deviceKey)
}

// EvictAny is Evict for anybody's device.
func (s *Service) EvictAny(ctx context.Context, deviceKey string) error {
	return s.evict(ctx, "", deviceKey)
}

func (s *Service) evict(ctx context.Context, accountKey, deviceKey string) error {
	device, n, err := s.store.EndDevice(ctx, accountKey, deviceKey, model.EndEvicted, model.At(s.now()))
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoDevice
	}
	if err != nil {
		return fmt.Errorf("evict device: %w", err)
	}
	s.announce(ctx, device.AccountKey)
	return s.audit.Record(ctx, audit.Event{
		Kind: audit.DeviceEvicted, AccountKey: device.AccountKey, DeviceKey: device.Key,
		Detail: []slog.Attr{slog.Int64("logins", n)},
	})
}

// Logout ends the caller's device, or only the caller's login where the device
// is the one of all callers without a Client-Id. It does nothing for callers
// without a login.
func (s *Service) Logout(ctx context.Context, by access.Caller) error {
	if by.Kind != access.SessionToken {
		return nil
	}
	account, at := by.Account.Key, model.At(s.now())
	var err error
	if by.DeviceKey == s.DeviceKey(account, "") {
		_, err = s.store.EndLogin(ctx, account, by.LoginID, model.EndLogout, at)
	} else {
		_, _, err = s.store.EndDevice(ctx, account, by.DeviceKey, model.EndLogout, at)
	}
	if err != nil && !errors.Is(err, model.ErrNotFound) {
		return fmt.Errorf("log out: %w", err)
	}
	s.announce(ctx, account)
	return s.audit.Record(ctx, audit.Event{
		Kind: audit.SignedOut, AccountKey: account, DeviceKey: by.DeviceKey, Detail: []slog.Attr{slog.String("login", by.LoginID)},
	})
}

// DropInactive deletes the rows of devices without a live login: those of the
// account with the id, or all if it is 0. An id that nobody has is no error. A
// login that is merely idle keeps its device until Clean has ended it.
func (s *Service) DropInactive(ctx context.Context, accountID int64) error {
	n, err := s.store.DropInactive(ctx, accountID, "", s.unexpired(s.now()))
	if err != nil {
		return fmt.Errorf("drop inactive devices: %w", err)
	}
	return s.audit.Record(ctx, audit.Event{
		Kind: audit.DevicesCleaned, AccountID: accountID, Detail: []slog.Attr{slog.Int64("devices", n)},
	})
}

// Drop ends anybody's device and deletes its row. It fails with ErrNoDevice.
func (s *Service) Drop(ctx context.Context, deviceKey string) error {
	if err := s.EvictAny(ctx, deviceKey); err != nil {
		return err
	}
	if _, err := s.store.DropInactive(ctx, 0, deviceKey, s.unexpired(s.now())); err != nil {
		return fmt.Errorf("drop device: %w", err)
	}
	return nil
}

// announce is the second half of every ending: it returns when nobody
// remembers what was ended.
func (s *Service) announce(ctx context.Context, accountKey string) {
	s.hub.Publish(ctx, revocation.Notice{AccountKey: accountKey})
}
