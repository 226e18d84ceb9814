package audittest

import (
	"sync"
	"testing"

	"latchkey/model"
)

// parallelWriters: every event that was acknowledged is there once, whoever
// else writes it.
func parallelWriters(t *testing.T, h Harness) {
	const writers, each = 8, 20
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				own, shared := sample(100+w*each+i), sample(i)
				if err := h.Store.AddEvents(t.Context(), []model.AuditEvent{own, shared}); err != nil {
					t.Errorf("AddEvents = %v", err)
				}
			}
		})
	}
	all.Wait()
	seen := map[int64]int{}
	for _, n := range nonces(list(t, h, model.AuditQuery{})) {
		seen[n]++
	}
	if len(seen) != (writers+1)*each {
		t.Errorf("%d events are there, want %d", len(seen), (writers+1)*each)
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("event %d is there %d times", n, times)
		}
	}
}
