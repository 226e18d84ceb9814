package audit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/audit/audittest"
)

// moody is a store of which every third batch fails, half of those after it was
// written all the same.
type moody struct {
	*audittest.Store

	batches atomic.Int64
}

func (m *moody) AddEvents(ctx context.Context, events []model.AuditEvent) error {
	switch m.batches.Add(1) % 6 {
	case 2:
		return model.ErrUnavailable
	case 5:
		return errors.Join(m.Store.AddEvents(ctx, events), model.ErrUnavailable)
	}
	return m.Store.AddEvents(ctx, events)
}

// Whatever fails and whoever flushes: an event that was acknowledged is stored
// when Record returns, and every event is stored once in the end.
func TestParallelEventsAreStoredOnce(t *testing.T) {
	store := &moody{Store: audittest.New()}
	r := audit.Keep(slog.New(slog.DiscardHandler), audit.Config{Store: store, Now: time.Now, Keep: time.Hour, Most: 1 << 40})
	ctx, stop := context.WithCancel(t.Context())
	var upkeep, all sync.WaitGroup
	upkeep.Go(func() { _ = r.Run(ctx) })
	const callers, each = 16, 40
	for caller := range callers {
		all.Go(func() {
			for i := range each {
				e := audit.Event{Kind: audit.DeviceEvicted, DeviceKey: fmt.Sprintf("%d-%d", caller, i)}
				if caller%2 == 0 {
					r.Note(ctx, e)
					continue
				}
				err := r.Record(ctx, e)
				if err != nil && !errors.Is(err, model.ErrUnavailable) {
					t.Errorf("Record = %v", err)
				}
				if err == nil && !holds(store.Store, e.DeviceKey) {
					t.Errorf("%s is acknowledged and not stored", e.DeviceKey)
				}
				if i%10 == 0 {
					_, _ = r.Search(ctx, audit.Filter{}, 1, 10)
				}
			}
		})
	}
	all.Wait()
	stop()
	upkeep.Wait()
	for r.Close(t.Context()) != nil {
		continue
	}
	times := map[string]int{}
	for _, e := range store.All() {
		times[e.DeviceKey]++
	}
	if len(times) != callers*each {
		t.Errorf("%d events are stored, want %d", len(times), callers*each)
	}
	for key, n := range times {
		if n != 1 {
			t.Errorf("%s is stored %d times", key, n)
		}
	}
}

func holds(s *audittest.Store, device string) bool {
	for _, e := range s.All() {
		if e.DeviceKey == device {
			return true
		}
	}
	return false
}
