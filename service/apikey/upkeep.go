package apikey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/behind"
)

const (
	sweepAtMost = 100 // keys in one question
	unusedEvery = time.Hour
)

// warnings are the days before the expiry of a key on which its owner is
// warned, the first one first.
func warnings() []int64 { return []int64{7, 1} }

// UpkeepStore is what a Store does for keys that nobody looks after.
type UpkeepStore interface {
	// ExpiringAPIKeys lists at most limit keys that are not revoked, expire
	// after at and within days from then, and whose last warning was of more
	// days, or none.
	ExpiringAPIKeys(ctx context.Context, at model.Time, days int64, limit int) ([]model.APIKey, error)
	// WarnAPIKey says that the key is warned of so many days before its expiry;
	// of parallel calls one succeeds. model.ErrStale if that was said before, if
	// the expiry is another by now, or the key is revoked or gone.
	WarnAPIKey(ctx context.Context, key model.APIKey, days int64) error
	// UnusedAPIKeys lists at most limit keys above afterID, by ascending ID, that
	// are not revoked and were not used since an instant; with untold only those
	// that were not reported since they were used last.
	UnusedAPIKeys(ctx context.Context, q model.APIKeyIdle) ([]model.APIKey, error)
	// ReportAPIKey says that an unused key is reported; of parallel calls one
	// succeeds. model.ErrStale if it was reported since, was used, is revoked or
	// gone.
	ReportAPIKey(ctx context.Context, id int64, since, at model.Time) error
	// RevokeUnusedAPIKey revokes an unused key; model.ErrStale as ReportAPIKey,
	// however often it was reported.
	RevokeUnusedAPIKey(ctx context.Context, id int64, since, at model.Time) error
}

// Flush writes what requests left behind and is not written yet. What was noted
// before the call is in the database when it returns nil.
func (s *Service) Flush(ctx context.Context) error {
	if err := s.notes.Flush(ctx); err != nil {
		return fmt.Errorf("note uses of API keys: %w", err)
	}
	return nil
}

// Upkeep warns owners of keys that expire, and once an hour reports keys that
// nobody uses, or revokes them if the operator wants that. Each is told once,
// however many processes look.
func (s *Service) Upkeep(ctx context.Context) error {
	s.forgetLearners()
	return errors.Join(s.warn(ctx), s.sweep(ctx))
}

// Run flushes and looks after keys until ctx ends, and flushes once more before
// it returns nil.
func (s *Service) Run(ctx context.Context) error { return s.upkeep().Run(ctx) }

// Close flushes, and logs if that cannot be.
func (s *Service) Close(ctx context.Context) { s.upkeep().Close(ctx) }

func (s *Service) upkeep() behind.Upkeep {
	return behind.Upkeep{Of: "api_keys", Flush: s.Flush, Clean: s.Upkeep, Log: s.Log}
}

func (s *Service) warn(ctx context.Context) error {
	for _, days := range slices.Backward(warnings()) { // who is told of a day is not told of seven
		if err := s.warnWithin(ctx, days); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) warnWithin(ctx context.Context, days int64) error {
	for {
		keys, err := s.Store.ExpiringAPIKeys(ctx, model.At(s.Now()), days, sweepAtMost)
		if err != nil {
			return fmt.Errorf("look for API keys that expire: %w", err)
		}
		for _, key := range keys {
			if err := s.warnOf(ctx, key, days); err != nil {
				return err
			}
		}
		if len(keys) < sweepAtMost {
			return nil
		}
	}
}

// warnOf says first that the owner is told, so that nobody is told twice: a
// crash between the two costs a warning.
func (s *Service) warnOf(ctx context.Context, key model.APIKey, days int64) error {
	err := s.Store.WarnAPIKey(ctx, key, days)
	if errors.Is(err, model.ErrStale) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("warn of API key %d: %w", key.ID, err)
	}
	s.Expiring(ctx, key)
	return s.note(ctx, audit.APIKeyExpiring, key,
		slog.Int64("days", days), slog.Time("expires_at", key.ExpiresAt.Time))
}

// sweep looks for unused keys.
func (s *Service) sweep(ctx context.Context) error {
	now, most, off := s.Now(), s.UnusedFor(), s.SwitchOff()
	if last := s.unusedAt.Load(); most == 0 || now.UnixMilli()-last < unusedEvery.Milliseconds() {
		return nil
	}
	if err := s.Flush(ctx); err != nil { // what was just used is not unused
		return err
	}
	q := model.APIKeyIdle{Since: model.At(now.Add(-most)), Untold: !off, Limit: sweepAtMost}
	for {
		keys, err := s.Store.UnusedAPIKeys(ctx, q)
		if err != nil {
			return fmt.Errorf("look for unused API keys: %w", err)
		}
		for _, key := range keys {
			q.AfterID = key.ID
			if err := s.retire(ctx, key, q.Since, off); err != nil {
				return err
			}
		}
		if len(keys) < sweepAtMost {
			s.unusedAt.Store(now.UnixMilli())
			return nil
		}
	}
}

// retire revokes an unused key, or reports it.
func (s *Service) retire(ctx context.Context, key model.APIKey, since model.Time, off bool) error {
	at := model.At(s.Now())
	act := s.Store.ReportAPIKey
	if off {
		act = s.Store.RevokeUnusedAPIKey
	}
	err := act(ctx, key.ID, since, at)
	switch {
	case errors.Is(err, model.ErrStale):
		return nil
	case err != nil:
		return fmt.Errorf("retire API key %d: %w", key.ID, err)
	case off:
		return s.tell(ctx, audit.APIKeyRevoked, key, slog.String("why", string(model.RevokedUnused)))
	}
	return s.note(ctx, audit.APIKeyUnused, key, slog.Time("used_at", key.UsedAt().Time))
}
