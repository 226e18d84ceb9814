package session

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"latchkey/model"
)

// touches are the uses of logins that are not written yet, one per login.
type touches struct {
	mu      sync.Mutex
	waiting map[string]model.Touch // by login id
}

func (t *touches) add(touch model.Touch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = make(map[string]model.Touch)
	}
	before, there := t.waiting[touch.LoginID]
	if touch.Keep {
		touch = over(before, touch)
	}
	if !there && len(t.waiting) >= pendingCap {
		return // the database has been away for long; last_active is worth no more memory
	}
	if touch.At.After(before.At.Time) {
		t.waiting[touch.LoginID] = touch
	}
}

// over is a use that leaves empty what an earlier one says.
func over(before, touch model.Touch) model.Touch {
	if touch.UserAgent == "" {
		touch.UserAgent = before.UserAgent
	}
	if touch.IP == "" {
		touch.IP = before.IP
	}
	return touch
}

// showing is a device with a use that is not written yet.
func showing(d model.DeviceView, t model.Touch) model.DeviceView {
	d.SeenAt = t.At
	if !t.Keep || t.UserAgent != "" {
		d.UserAgent = t.UserAgent
	}
	if !t.Keep || t.IP != "" {
		d.IP = t.IP
	}
	return d
}

func (t *touches) take() []model.Touch {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.Collect(maps.Values(t.waiting))
	t.waiting = nil
	return list
}

// latest is the newest use per device that is not written yet.
func (t *touches) latest() map[string]model.Touch {
	t.mu.Lock()
	defer t.mu.Unlock()
	newest := make(map[string]model.Touch, len(t.waiting))
	for _, touch := range t.waiting {
		if touch.At.After(newest[touch.DeviceKey].At.Time) {
			newest[touch.DeviceKey] = touch
		}
	}
	return newest
}

// Flush writes the uses of logins that are not written yet, in one batch. What
// was noted before the call is in the database when it returns nil. What cannot
// be written waits for the next time.
func (s *Service) Flush(ctx context.Context) error {
	select {
	case s.flushing <- struct{}{}:
		defer func() { <-s.flushing }()
	case <-time.After(flushWait):
		return fmt.Errorf("write touches: another batch is stuck: %w", model.ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("write touches: %w: %w", model.ErrUnavailable, ctx.Err())
	}
	list := s.touches.take()
	for len(list) > 0 {
		batch := list[:min(len(list), flushAtMost)]
		if err := s.store.Touch(ctx, batch); err != nil {
			for _, touch := range list {
				s.touches.add(touch)
			}
			return fmt.Errorf("write %d touches: %w", len(list), err)
		}
		list = list[len(batch):]
	}
	return nil
}

// Clean ends logins that were idle for too long and deletes what nobody needs.
func (s *Service) Clean(ctx context.Context) error {
	if err := s.Flush(ctx); err != nil { // what was just used is not idle
		return err
	}
	now := s.now()
	c := model.Cleaning{
		Now:        model.At(now),
		DeviceIdle: int64(s.deviceTTL() / time.Second),
		ExpiredAt:  model.At(now.Add(-rememberedFor)),
		AtMost:     cleanAtMost,
	}
	if s.cfg.IdleTimeout > 0 {
		c.UnusedSince = model.At(now.Add(-s.cfg.IdleTimeout))
	}
	for {
		changed, accounts, err := s.store.Clean(ctx, c)
		if err != nil {
			return fmt.Errorf("clean sessions: %w", err)
		}
		for _, key := range accounts {
			s.announce(ctx, key)
		}
		if changed < cleanAtMost {
			return nil
		}
	}
}

// Run flushes and cleans until ctx ends, and flushes once more before it
// returns nil. What cannot be written then is only when logins were last used.
func (s *Service) Run(ctx context.Context) error {
	flush, clean := time.NewTicker(flushEvery), time.NewTicker(cleanEvery)
	defer flush.Stop()
	defer clean.Stop()
	for {
		select {
		case <-flush.C:
			s.complain(ctx, s.Flush(ctx))
		case <-clean.C:
			s.complain(ctx, s.Clean(ctx))
		case <-ctx.Done():
			s.complain(context.WithoutCancel(ctx), s.Flush(context.WithoutCancel(ctx)))
			return nil
		}
	}
}

func (s *Service) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "session upkeep", slog.Any("error", err))
	}
}
