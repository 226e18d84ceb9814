package cache_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"latchkey/service/cache"
)

func TestFindKeepsUnderTheGroupItLearns(t *testing.T) {
	c := cache.New[string, int](64)
	loads := 0
	find := func() int {
		v, err := c.Find(t.Context(), "key", func(context.Context) (int, string, error) {
			loads++
			return loads, "alice", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	find()
	if v, ok := c.Get("key"); !ok || v != 1 {
		t.Errorf("Get = %d, %v, want what was found", v, ok)
	}
	for name, invalidate := range map[string]func(){
		"its group": func() { c.Invalidate("alice") }, "everything": c.InvalidateAll,
	} {
		invalidate()
		if v, ok := c.Get("key"); ok {
			t.Errorf("after invalidating %s, Get = %d", name, v)
		}
		if v := find(); v != loads {
			t.Errorf("after invalidating %s, Find = %d, want a new load", name, v)
		}
	}
}

func TestFindKeepsNothingThatFailed(t *testing.T) {
	c, broken := cache.New[string, int](64), errors.New("broken")
	_, err := c.Find(t.Context(), "key", func(context.Context) (int, string, error) { return 1, "alice", broken })
	if _, ok := c.Get("key"); ok || !errors.Is(err, broken) {
		t.Errorf("Find = %v and kept: %v", err, ok)
	}
}

// A value that was read before an invalidation, of whatever group, is not kept.
func TestFindKeepsNothingThatWasOvertaken(t *testing.T) {
	c := cache.New[string, int](64)
	for name, invalidate := range map[string]func(){
		"its group": func() { c.Invalidate("alice") }, "everything": c.InvalidateAll,
	} {
		v, err := c.Find(t.Context(), "key", func(context.Context) (int, string, error) {
			invalidate()
			return 1, "alice", nil
		})
		if _, kept := c.Get("key"); kept || v != 1 || err != nil {
			t.Errorf("%s was invalidated meanwhile: Find = %d, %v, and kept: %v", name, v, err, kept)
		}
	}
}

// What is loaded before an invalidation is never served after it, whichever
// group the value turns out to belong to.
func TestFindLosesAgainstInvalidations(t *testing.T) {
	c := cache.New[string, int64](64)
	var state atomic.Int64
	find := func() (int64, error) {
		if v, ok := c.Get("key"); ok {
			return v, nil
		}
		return c.Find(t.Context(), "key", func(context.Context) (int64, string, error) { return state.Load(), "alice", nil })
	}
	var readers sync.WaitGroup
	var told atomic.Int64 // every read that begins now must see at least this
	stop := make(chan struct{})
	for range 8 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := told.Load()
				if v, err := find(); err != nil || v < least {
					t.Errorf("Find = %d, %v, after %d was told", v, err, least)
					return
				}
			}
		})
	}
	for n := range int64(20_000) {
		state.Store(n)
		c.Invalidate("alice")
		told.Store(n)
	}
	close(stop)
	readers.Wait()
}
