package journal_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/service/journal"
)

// book is where a journal writes to.
type book struct {
	mu      sync.Mutex
	items   []int
	batches int
	fail    error
	gate    chan struct{} // if not nil, a write waits for it
}

func (b *book) write(_ context.Context, batch []int) error {
	if b.gate != nil {
		<-b.gate
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.items = append(b.items, batch...)
	b.batches++
	return nil
}

func (b *book) has(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.items, n)
}

func TestWhatIsCommittedIsStored(t *testing.T) {
	var b book
	j := journal.New(b.write)
	var all sync.WaitGroup
	for n := range 500 {
		all.Go(func() {
			if err := j.Commit(t.Context(), n); err != nil || !b.has(n) {
				t.Errorf("Commit(%d) = %v, stored: %v", n, err, b.has(n))
			}
		})
	}
	all.Wait()
	if len(b.items) != 500 || j.Waiting() != 0 {
		t.Errorf("%d items stored, %d waiting, want each of 500 once", len(b.items), j.Waiting())
	}
}

func TestManyShareOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := book{gate: make(chan struct{})}
		j := journal.New(b.write)
		for n := range 100 {
			go func() { _ = j.Commit(t.Context(), n) }()
		}
		synctest.Wait() // one writes and is held back, the others wait for it
		close(b.gate)
		synctest.Wait()
		if len(b.items) != 100 || b.batches > 2 {
			t.Errorf("%d items in %d writes, want 100 in at most 2", len(b.items), b.batches)
		}
	})
}

func TestWhatFailedIsTriedAgainInOrder(t *testing.T) {
	away := errors.New("away")
	b := book{fail: away}
	j := journal.New(b.write)
	if err := j.Commit(t.Context(), 1); !errors.Is(err, away) {
		t.Fatalf("Commit = %v, want %v", err, away)
	}
	if err := j.Add(2); err != nil {
		t.Fatal(err)
	}
	b.fail = nil
	if err := j.Commit(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(b.items, []int{1, 2, 3}) {
		t.Errorf("stored %v, want 1 2 3", b.items)
	}
}

// A storage that takes its time to fail does so once for all who wait.
func TestACrowdFailsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away, tries := errors.New("away"), 0
		j := journal.New(func(context.Context, []int) error {
			tries++
			time.Sleep(5 * time.Second)
			return away
		})
		begun := time.Now()
		var all sync.WaitGroup
		for n := range 100 {
			all.Go(func() {
				if err := j.Commit(t.Context(), n); !errors.Is(err, away) {
					t.Errorf("Commit = %v, want %v", err, away)
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); tries != 1 || took != 5*time.Second {
			t.Errorf("%d tries in %v, want one in 5 s", tries, took)
		}
		if err := j.Flush(t.Context()); !errors.Is(err, away) || tries != 2 {
			t.Errorf("who comes later has %v after %d tries, want another try", err, tries)
		}
	})
}

func TestWhoGivesUpWaitingLeavesTheItemThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := book{gate: make(chan struct{})}
		j := journal.New(b.write)
		first := make(chan error, 1)
		go func() { first <- j.Commit(t.Context(), 1) }()
		synctest.Wait() // it writes, and is held back
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := j.Commit(ctx, 2); !errors.Is(err, context.Canceled) {
			t.Errorf("Commit of one who left = %v", err)
		}
		close(b.gate)
		if err := errors.Join(<-first, j.Flush(t.Context())); err != nil || !b.has(1) || !b.has(2) {
			t.Errorf("stored %v with %v, want 1 and 2", b.items, err)
		}
	})
}

func TestTheQueueIsBounded(t *testing.T) { // F-08
	away := errors.New("away")
	b := book{fail: away}
	j := journal.New(b.write)
	var err error
	taken := 0
	for err == nil && taken < 1_000_000 {
		if err = j.Add(taken); err == nil {
			taken++
		}
	}
	if !errors.Is(err, journal.ErrFull) || j.Waiting() != taken {
		t.Fatalf("after %d items: %v", taken, err)
	}
	if err := j.Commit(t.Context(), 0); !errors.Is(err, journal.ErrFull) {
		t.Errorf("Commit on a full queue = %v", err)
	}
	b.fail = nil
	if err := j.Flush(t.Context()); err != nil || len(b.items) != taken {
		t.Errorf("Flush = %v with %d of %d stored", err, len(b.items), taken)
	}
}
