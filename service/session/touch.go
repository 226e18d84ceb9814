package session

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/behind"
)

// newer is the later of two uses of a login, or of a device. Where it keeps what
// is there, it keeps what the earlier one says.
func newer(a, b model.Touch) model.Touch {
	if !b.At.After(a.At.Time) {
		a, b = b, a
	}
	if b.Keep {
		b.UserAgent, b.IP = cmp.Or(b.UserAgent, a.UserAgent), cmp.Or(b.IP, a.IP)
		b.Keep = a.Keep || a.At.IsZero()
	}
	return b
}

// showing is a device with a use that is not written yet.
func showing(d model.DeviceView, t model.Touch) model.DeviceView {
	d.SeenAt = t.At
	if t.Keep {
		t.UserAgent, t.IP = cmp.Or(t.UserAgent, d.UserAgent), cmp.Or(t.IP, d.IP)
	}
	d.UserAgent, d.IP = t.UserAgent, t.IP
	return d
}

// latest is the newest use per device that is not written yet.
func (s *Service) latest() map[string]model.Touch {
	newest := map[string]model.Touch{}
	for _, touch := range s.touches.AllWaiting() {
		newest[touch.DeviceKey] = newer(newest[touch.DeviceKey], touch)
	}
	return newest
}

// Flush writes the uses of logins that are not written yet. What was noted
// before the call is in the database when it returns nil. What cannot be written
// waits for the next time.
func (s *Service) Flush(ctx context.Context) error {
	if err := s.touches.Flush(ctx); err != nil {
		return fmt.Errorf("note uses of logins: %w", err)
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
	return behind.Upkeep{Of: "session", Flush: s.Flush, Clean: s.Clean, Log: s.log}.Run(ctx)
}
