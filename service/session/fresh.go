package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
)

// Freshen notes that the caller proved who they are just now, and returns when
// that was. Epoch is the account's when its password was checked: if the account
// changed since, it fails with ErrOvertaken. A login that is over stays so; then
// it fails as Standing does.
func (s *Service) Freshen(ctx context.Context, by access.Caller, epoch int64) (time.Time, error) {
	live := s.unexpired(s.now())
	err := s.store.FreshenLogin(ctx, model.LoginProof{
		AccountKey: by.Account.Key, LoginID: by.LoginID, Epoch: epoch, Live: live,
	})
	if errors.Is(err, model.ErrStale) {
		if over := s.Standing(ctx, by.LoginID); over != nil {
			return time.Time{}, over
		}
		return time.Time{}, ErrOvertaken
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("freshen login: %w", err)
	}
	s.announce(ctx, by.Account.Key) // so that nobody remembers it as stale
	return live.At.Time, nil
}

// Evicted is what EvictOthers ended.
type Evicted struct {
	Devices int64 // other than the caller's own
	Logins  int64 // on these, and on the caller's own
}

// EvictOthers ends every login of the account but the caller's, on the caller's
// own device too. It fails with access.ErrNotFresh, or as Standing does if the
// caller's own login is over.
func (s *Service) EvictOthers(ctx context.Context, by access.Caller) (Evicted, error) {
	now := s.now()
	if err := by.CheckFresh(now); err != nil {
		return Evicted{}, err
	}
	devices, logins, err := s.store.EndOthers(ctx, by.Account.Key, by.LoginID, model.EndEvicted, s.unexpired(now))
	if errors.Is(err, model.ErrStale) {
		if over := s.Standing(ctx, by.LoginID); over != nil {
			return Evicted{}, over
		}
		return Evicted{}, ErrInactive
	}
	if err != nil {
		return Evicted{}, fmt.Errorf("evict other devices: %w", err)
	}
	s.announce(ctx, by.Account.Key)
	return Evicted{Devices: devices, Logins: logins}, s.audit.Record(ctx, audit.Event{
		Kind: audit.DevicesEvicted, AccountKey: by.Account.Key,
		Detail: []slog.Attr{slog.Int64("devices", devices), slog.Int64("logins", logins)},
	})
}
