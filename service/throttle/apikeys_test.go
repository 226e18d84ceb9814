package throttle_test

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/fault"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
)

// wrongKeys is how many of n wrong keys from an address are told that they are.
func wrongKeys(t *testing.T, s *throttle.Service, address string, n int) int {
	t.Helper()
	told := 0
	for range n {
		err := s.WrongAPIKey(address)
		switch {
		case err == nil:
			told++
		case !errors.Is(err, throttle.ErrAPIKeys), fault.Of(err).RetryAfter <= 0, fault.Of(err).Kind != fault.TooMany:
			t.Fatalf("WrongAPIKey = %v, want ErrAPIKeys with the time to wait", err)
		}
	}
	return told
}

// P-03: 15 in 5 minutes from one address.
func TestWrongAPIKeysAreCountedByAddress(t *testing.T) {
	s, c := newService(t)
	if got := wrongKeys(t, s, here, 40); got != 15 {
		t.Errorf("%d of 40 wrong keys were told so, want 15", got)
	}
	if got := wrongKeys(t, s, there, 1); got != 1 {
		t.Error("another address is held back, too")
	}
	if wait := fault.Of(s.WrongAPIKey(here)).RetryAfter; wait != 20*time.Second {
		t.Errorf("wait for %v, want 20 s", wait)
	}
	c.move(time.Minute)
	if got := wrongKeys(t, s, here, 40); got != 3 {
		t.Errorf("after a minute %d more were told so, want 3", got)
	}
	wrongKeys(t, s, "2001:db8:1:2::1", 15)
	if got := wrongKeys(t, s, "2001:db8:1:2:ffff::9", 1); got != 0 {
		t.Error("another address of the same /64 has a budget of its own")
	}
}

// Decision 16: neither budget is the other's.
func TestWrongAPIKeysLockNobodyOutOfSigningIn(t *testing.T) {
	s, _ := newService(t)
	wrongKeys(t, s, here, 40)
	if got := spray(t, s, here, 40); got != 15 {
		t.Errorf("%d passwords were looked at after wrong keys, want 15", got)
	}
	s, _ = newService(t)
	spray(t, s, here, 40)
	if got := wrongKeys(t, s, here, 40); got != 15 {
		t.Errorf("%d keys were told they are wrong after wrong passwords, want 15", got)
	}
}

func TestWrongAPIKeysInParallelAreCountedOnce(t *testing.T) {
	s, _ := newService(t)
	var (
		all  sync.WaitGroup
		told atomic.Int64
	)
	for range 200 {
		all.Go(func() {
			if s.WrongAPIKey(here) == nil {
				told.Add(1)
			}
		})
	}
	all.Wait()
	if told.Load() != 15 {
		t.Errorf("%d of 200 at once were told so, want 15", told.Load())
	}
}

// F-07, and who is refused can be seen and let off.
func TestWrongAPIKeysArePersistentListedAndLifted(t *testing.T) {
	h := newHouse(t)
	wrongKeys(t, h.Service, here, 15)
	full := list(t, h.Service) // writes what is noted
	h.kill(t)
	for when, got := range map[string][]throttle.Full{"at once": full, "after a kill": list(t, h.Service)} {
		if len(got) != 1 || got[0].Kind != model.ThrottleAPIKeys || got[0].Address != here || got[0].Failures != 15 {
			t.Errorf("%s: the list is %+v", when, got)
		}
	}
	if got := wrongKeys(t, h.Service, here, 1); got != 0 {
		t.Error("a restart forgives wrong keys")
	}
	liftAddress(t, h.Service, here)
	h.kill(t)
	if got := wrongKeys(t, h.Service, here, 40); got != 15 {
		t.Errorf("after lifting %d were told so, want 15", got)
	}
}

// F-08.
func TestWrongAPIKeysAreBounded(t *testing.T) {
	c, cfg := &clock{}, throttle.Defaults()
	cfg.MaxKeys = 640
	s := start(t, cfg, absorbing{throttletest.New()}, c.now)
	for i := range 20_000 {
		_ = s.WrongAPIKey("10." + strconv.Itoa(i>>16) + "." + strconv.Itoa(i>>8&255) + "." + strconv.Itoa(i&255))
		c.move(time.Microsecond)
	}
	if n := s.Keys(); n > cfg.MaxKeys {
		t.Errorf("%d keys are held, want at most %d", n, cfg.MaxKeys)
	}
}
