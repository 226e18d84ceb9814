package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/model"
	"latchkey/service/racetest"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
)

func TestParallelAttemptsDoNotSlipBy(t *testing.T) {
	for name, tt := range map[string]struct {
		attempt func(i int) throttle.Attempt
		want    int
	}{
		"on one account from one address":  {func(int) throttle.Attempt { return from(here, "owner") }, 10},
		"on 60 accounts from one address":  {func(i int) throttle.Attempt { return from(here, strconv.Itoa(i)) }, 15},
		"on one account from 60 addresses": {func(i int) throttle.Attempt { return from(fmt.Sprintf("10.0.0.%d", i), "owner") }, 10},
		"from one known device": {func(int) throttle.Attempt {
			return throttle.Attempt{AccountKey: "owner", Address: here, Device: "phone", Known: true}
		}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newService(t)
			looked := racetest.Together(t, 60, throttle.ErrThrottled, func(i int) error {
				ticket, err := s.Begin(t.Context(), tt.attempt(i))
				if err == nil {
					ticket.Fail()
				}
				return err
			})
			if looked != tt.want {
				t.Errorf("%d were looked at, want %d", looked, tt.want)
			}
		})
	}
}

func TestRightSignInsAtOnceAllGetIn(t *testing.T) {
	for name, attempt := range map[string]throttle.Attempt{
		"from nowhere known":   from(here, "owner"),
		"from a known device":  {AccountKey: "owner", Address: here, Device: "phone", Known: true},
		"without any address":  from("", "owner"),
		"under a foreign name": from(there, "nobody"),
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newService(t)
			var in atomic.Int64
			var all sync.WaitGroup
			for range 100 {
				all.Go(func() {
					ticket, err := s.Begin(t.Context(), attempt)
					if err != nil {
						t.Error(err)
						return
					}
					runtime.Gosched() // the password is being looked at
					in.Add(1)
					ticket.Succeed()
				})
			}
			all.Wait()
			if in.Load() != 100 {
				t.Errorf("%d of 100 got in", in.Load())
			}
		})
	}
}

// A crowd does not wait without bound, and leaves nothing behind.
func TestOnlySoManyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newService(t)
		for range 2 { // the second time nobody of the first is left
			var before []*throttle.Ticket
			for range 10 {
				ticket, err := s.Begin(t.Context(), from(here, "owner"))
				if err != nil {
					t.Fatal(err)
				}
				before = append(before, ticket)
			}
			var in, out atomic.Int64
			for range 300 {
				go func() {
					ticket, err := s.Begin(t.Context(), from(here, "owner"))
					if err != nil {
						out.Add(1)
						return
					}
					in.Add(1)
					ticket.Fail()
				}()
			}
			synctest.Wait()
			if in.Load() != 0 || out.Load() != 300-128 {
				t.Errorf("%d got in and %d were refused, want 128 of 300 to wait", in.Load(), out.Load())
			}
			for _, ticket := range before {
				ticket.Fail()
			}
			synctest.Wait()
			if in.Load() != 0 || out.Load() != 300 {
				t.Errorf("%d got in and %d were refused, want all to be refused", in.Load(), out.Load())
			}
			liftAccount(t, s, "owner")
			liftAddress(t, s, here)
		}
	})
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	s, _ := newService(t)
	for range 10 {
		if _, err := s.Begin(t.Context(), from(here, "owner")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.Begin(ctx, from(there, "owner")); !errors.Is(err, throttle.ErrThrottled) {
		t.Errorf("Begin = %v, want to be refused", err)
	}
}

// A store that answers nobody holds an attempt up for ten seconds, and those
// that wait for it no longer (F-05).
func TestWaitingForAStoreThatHangsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := hanging{Store: throttletest.New(), back: make(chan struct{})}
		s := start(t, throttle.Defaults(), store, time.Now)
		begun := time.Now()
		var (
			all    sync.WaitGroup
			stored atomic.Int64
		)
		for range 40 {
			all.Go(func() {
				ticket, err := s.Begin(t.Context(), from(here, "owner"))
				if err == nil { // the one whose write it is
					stored.Add(1)
					ticket.Cancel()
				} else if waited := time.Since(begun); !errors.Is(err, model.ErrUnavailable) || waited != 10*time.Second {
					t.Errorf("after %v Begin = %v, want %v after 10 s", waited, err, model.ErrUnavailable)
				}
			})
		}
		time.Sleep(30 * time.Second)
		close(store.back)
		all.Wait()
		if n := failures(t, s, from(here, "owner"), 40); n != 10 || stored.Load() != 1 {
			t.Errorf("%d got through, and %d are looked at afterwards, want 1 and 10", stored.Load(), n)
		}
	})
}

// hanging is a store whose writes wait.
type hanging struct {
	*throttletest.Store

	back chan struct{}
}

func (h hanging) SaveThrottles(ctx context.Context, lifts []model.ThrottleLift, rows []model.Throttle) error {
	<-h.back
	return h.Store.SaveThrottles(ctx, lifts, rows)
}
