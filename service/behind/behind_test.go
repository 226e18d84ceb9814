package behind_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/model"
	"latchkey/service/behind"
)

// shelf takes batches of numbers, or breaks.
type shelf struct {
	mu      sync.Mutex
	broken  error
	batches [][]int
}

func (s *shelf) write(_ context.Context, batch []int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.batches = append(s.batches, batch)
	return nil
}

func newWriter(s *shelf) *behind.Writer[string, int] {
	return behind.New[string](func(a, b int) int { return max(a, b) }, s.write)
}

func TestValuesOfAKeyAreWrittenAsOne(t *testing.T) {
	s := &shelf{}
	w := newWriter(s)
	for _, n := range []int{3, 7, 5} {
		w.Add("a", n)
	}
	if n, ok := w.Waiting("a"); !ok || n != 7 || len(w.AllWaiting()) != 1 {
		t.Errorf("Waiting = %d, %v", n, ok)
	}
	for range 2 {
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.batches) != 1 || len(s.batches[0]) != 1 || s.batches[0][0] != 7 {
		t.Errorf("written: %v, want one batch of 7", s.batches)
	}
	if _, ok := w.Waiting("a"); ok {
		t.Error("it still waits")
	}
}

func TestWhatCannotBeWrittenWaits(t *testing.T) {
	s := &shelf{broken: errors.New("broken disk")}
	w := newWriter(s)
	w.Add("a", 7)
	if err := w.Flush(t.Context()); !errors.Is(err, s.broken) {
		t.Errorf("Flush = %v", err)
	}
	w.Add("a", 5)
	s.broken = nil
	if err := w.Flush(t.Context()); err != nil || len(s.batches) != 1 || s.batches[0][0] != 7 {
		t.Errorf("written: %v, %v, want the 7", s.batches, err)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	s := &shelf{}
	w := behind.New[int](func(a, b int) int { return max(a, b) }, s.write)
	for n := range 2500 {
		w.Add(n, n)
	}
	if err := w.Flush(t.Context()); err != nil || len(s.batches) != 3 {
		t.Errorf("%d batches, %v, want 3", len(s.batches), err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w := behind.New[int](func(a, b int) int { return max(a, b) }, (&shelf{}).write)
	for n := range 200_001 {
		w.Add(n, n)
	}
	w.Add(0, 9)
	if n, _ := w.Waiting(0); n != 9 || len(w.AllWaiting()) != 200_000 {
		t.Errorf("%d wait, and a key that is there became %d", len(w.AllWaiting()), n)
	}
}

func TestAStuckWriteHoldsNobodyForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := behind.New[int](func(a, _ int) int { return a }, func(context.Context, []int) error {
			<-release
			return nil
		})
		w.Add(1, 1)
		var first sync.WaitGroup
		first.Go(func() {
			if err := w.Flush(t.Context()); err != nil {
				t.Errorf("Flush = %v", err)
			}
		})
		synctest.Wait()
		if err := w.Flush(t.Context()); !errors.Is(err, model.ErrUnavailable) {
			t.Errorf("Flush beside a stuck one = %v, want ErrUnavailable", err)
		}
		close(release)
		first.Wait()
	})
}

func TestUpkeepRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var flushed, cleaned atomic.Int64
		var log bytes.Buffer
		u := behind.Upkeep{
			Of: "test", Log: slog.New(slog.NewTextHandler(&log, nil)),
			Flush: func(context.Context) error { flushed.Add(1); return nil },
			Clean: func(context.Context) error { cleaned.Add(1); return errors.New("broken disk") },
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- u.Run(ctx) }()
		time.Sleep(90*time.Second + time.Millisecond) // of the bubble's clock
		synctest.Wait()
		if f, c := flushed.Load(), cleaned.Load(); f != 90 || c != 1 {
			t.Errorf("after 90 s: flushed %d times and cleaned %d", f, c)
		}
		stop()
		if err := <-done; err != nil || flushed.Load() != 91 {
			t.Errorf("Run = %v, flushed %d times, want once more at the end", err, flushed.Load())
		}
		if !strings.Contains(log.String(), "broken disk") {
			t.Errorf("the log does not say what failed: %s", log.String())
		}
	})
}
