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

	"latchkey/service/fault"
	"latchkey/service/throttle"
)

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time        { return time.Unix(1_800_000_000, c.at.Load()) }
func (c *clock) move(by time.Duration) { c.at.Add(int64(by)) }

func newService(t testing.TB) (*throttle.Service, *clock) {
	t.Helper()
	c := &clock{}
	s, err := throttle.New(throttle.Defaults(), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// from is an attempt on an account by an unknown device.
func from(address, account string) throttle.Attempt {
	return throttle.Attempt{AccountKey: account, Address: address}
}

// fail is one wrong password; it reports whether the password was looked at.
func fail(t testing.TB, s *throttle.Service, a throttle.Attempt) bool {
	t.Helper()
	ticket, err := s.Begin(t.Context(), a)
	if err == nil {
		ticket.Fail()
	} else if !errors.Is(err, throttle.ErrThrottled) {
		t.Fatal(err)
	}
	return err == nil
}

// failures is how many of n wrong passwords are looked at.
func failures(t testing.TB, s *throttle.Service, a throttle.Attempt, n int) int {
	t.Helper()
	looked := 0
	for range n {
		if fail(t, s, a) {
			looked++
		}
	}
	return looked
}

// spray is how many of n wrong passwords, each for another name, are looked at.
func spray(t testing.TB, s *throttle.Service, address string, n int) int {
	t.Helper()
	looked := 0
	for i := range n {
		if fail(t, s, from(address, fmt.Sprintf("%s victim %d", t.Name(), i))) {
			looked++
		}
	}
	return looked
}

func signIn(t testing.TB, s *throttle.Service, a throttle.Attempt) {
	t.Helper()
	ticket, err := s.Begin(t.Context(), a)
	if err != nil {
		t.Fatalf("sign-in of %+v: %v", a, err)
	}
	ticket.Succeed()
}

const here, there = "192.0.2.1", "198.51.100.7"

func TestBudgets(t *testing.T) {
	for name, tt := range map[string]struct {
		run  func(t *testing.T, s *throttle.Service, c *clock) int
		want int
	}{
		"one address has 15 failures, whatever the names": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return spray(t, s, here, 40)
		}, 15},
		"and one more after 20 seconds": {func(t *testing.T, s *throttle.Service, c *clock) int {
			spray(t, s, here, 40)
			c.move(20 * time.Second)
			return spray(t, s, here, 40)
		}, 1},
		"and all again after 5 minutes": {func(t *testing.T, s *throttle.Service, c *clock) int {
			spray(t, s, here, 40)
			c.move(5 * time.Minute)
			return spray(t, s, here, 40)
		}, 15},
		"one account has 10 failures from all unknown addresses together": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked := 0
			for i := range 1000 {
				looked += failures(t, s, from(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "owner"), 1)
			}
			return looked
		}, 10},
		"and one more each 6 minutes": {func(t *testing.T, s *throttle.Service, c *clock) int {
			failures(t, s, from(here, "owner"), 20)
			c.move(12 * time.Minute)
			return failures(t, s, from(there, "owner"), 20)
		}, 2},
		"what the account refuses is not counted for the address": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			failures(t, s, from(here, "owner"), 40)
			return spray(t, s, here, 40)
		}, 5},
		"a known address has a budget of 10 of its own": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(there, "owner"), 40)
			return failures(t, s, from(here, "owner"), 40)
		}, 10},
		"a known device has one wherever it is": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			a, b := from(here, "owner"), from(there, "owner")
			a.Device, a.Known, b.Device, b.Known = "phone", true, "phone", true
			return failures(t, s, a, 6) + failures(t, s, b, 40)
		}, 10},
		"a device nobody vouches for is not known": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			failures(t, s, from(here, "owner"), 10)
			a := from(there, "owner")
			a.Device = "phone"
			return failures(t, s, a, 1)
		}, 0},
		"a known source's failures count for its address": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(here, "owner"), 10)
			return spray(t, s, here, 40)
		}, 5},
		"an address is known for 30 days": {func(t *testing.T, s *throttle.Service, c *clock) int {
			signIn(t, s, from(here, "owner"))
			c.move(30*24*time.Hour - time.Second)
			failures(t, s, from(there, "owner"), 10)
			return failures(t, s, from(here, "owner"), 1)
		}, 1},
		"and not for longer": {func(t *testing.T, s *throttle.Service, c *clock) int {
			signIn(t, s, from(here, "owner"))
			c.move(30 * 24 * time.Hour)
			failures(t, s, from(there, "owner"), 10)
			return failures(t, s, from(here, "owner"), 1)
		}, 0},
		"it is known to that account alone": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "attacker"))
			failures(t, s, from(there, "owner"), 10)
			return failures(t, s, from(here, "owner"), 1)
		}, 0},
		"a /64 of IPv6 is one address": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return spray(t, s, "2001:db8:1:2::1", 10) + spray(t, s, "2001:db8:1:2:ffff::9", 10)
		}, 15},
		"the next /64 is another": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return spray(t, s, "2001:db8:1:2::1", 10) + spray(t, s, "2001:db8:1:3::1", 10)
		}, 20},
		"IPv4 inside IPv6 is that IPv4 address": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return spray(t, s, here, 10) + spray(t, s, "::ffff:"+here, 10)
		}, 15},
		"its neighbour is another": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return spray(t, s, "::ffff:192.0.2.1", 10) + spray(t, s, "::ffff:192.0.2.2", 10)
		}, 20},
		"what is no address counts as one": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return spray(t, s, "@", 10) + spray(t, s, "", 10)
		}, 15},
		"lifting the account lets strangers try again": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			failures(t, s, from(here, "owner"), 10)
			s.LiftAccount(t.Context(), "owner")
			return failures(t, s, from(there, "owner"), 40)
		}, 10},
		"lifting the account lets known sources try again": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(here, "owner"), 10)
			s.LiftAccount(t.Context(), "owner")
			return failures(t, s, from(here, "owner"), 40)
		}, 10},
		"lifting the account lifts no other": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked := 0
			for i := range 200 { // more than there are shards
				failures(t, s, from(fmt.Sprintf("10.0.0.%d", i), strconv.Itoa(i)), 10)
			}
			s.LiftAccount(t.Context(), "attacker")
			for i := range 200 {
				looked += failures(t, s, from(fmt.Sprintf("10.0.1.%d", i), strconv.Itoa(i)), 1)
			}
			return looked
		}, 0},
		"lifting the address lets it try again": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			spray(t, s, "2001:db8:1:2::1", 20)
			s.LiftAddress(t.Context(), "2001:db8:1:2::7")
			return spray(t, s, "2001:db8:1:2::1", 40)
		}, 15},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newService(t)
			if got := tt.run(t, s, c); got != tt.want {
				t.Errorf("%d passwords were looked at, want %d", got, tt.want)
			}
		})
	}
}

func TestRefusalSaysWhatAndForHowLong(t *testing.T) {
	for name, tt := range map[string]struct {
		attempt func(t *testing.T, s *throttle.Service) error
		want    time.Duration
	}{
		"an address for 20 seconds": {func(t *testing.T, s *throttle.Service) error {
			spray(t, s, here, 15)
			_, err := s.Begin(t.Context(), from(here, "owner"))
			return err
		}, 20 * time.Second},
		"an account for 6 minutes": {func(t *testing.T, s *throttle.Service) error {
			failures(t, s, from(here, "owner"), 10)
			_, err := s.Begin(t.Context(), from(there, "owner"))
			return err
		}, 6 * time.Minute},
		"a known source for 30 seconds": {func(t *testing.T, s *throttle.Service) error {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(here, "owner"), 10)
			_, err := s.Begin(t.Context(), from(here, "owner"))
			return err
		}, 30 * time.Second},
		"codes for 3 minutes": {func(t *testing.T, s *throttle.Service) error {
			return codes(t, s, 21)
		}, 3 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newService(t)
			err := tt.attempt(t, s)
			const text = "Too many unsuccessful sign-in attempts have been made using an incorrect username or password, Try again later."
			if f := fault.Of(err); f.Kind != fault.TooMany || f.Text != text || f.RetryAfter != tt.want {
				t.Errorf("refusal = %+v, want TooMany after %v", f, tt.want)
			}
		})
	}
}

// codes tries n wrong codes and answers with the last one's error.
func codes(t *testing.T, s *throttle.Service, n int) (err error) {
	t.Helper()
	for range n {
		var ticket *throttle.Ticket
		if ticket, err = s.Codes(t.Context(), "owner"); err == nil {
			ticket.Fail()
		}
	}
	return err
}

func TestCodes(t *testing.T) {
	s, c := newService(t)
	if err := codes(t, s, 20); err != nil {
		t.Fatalf("20 codes: %v", err)
	}
	c.move(3 * time.Minute)
	for range 5 {
		ticket, err := s.Codes(t.Context(), "owner")
		if err != nil {
			t.Fatalf("a right code costs nothing: %v", err)
		}
		ticket.Succeed()
	}
	if err := codes(t, s, 1); err != nil {
		t.Errorf("one more after 3 minutes: %v", err)
	}
	if err := codes(t, s, 1); !errors.Is(err, throttle.ErrThrottled) {
		t.Errorf("right codes gave back wrong ones: %v", err)
	}
	if !fail(t, s, from(here, "owner")) {
		t.Error("wrong codes count as wrong passwords")
	}
}

func TestParallelAttemptsDoNotSlipBy(t *testing.T) {
	for name, tt := range map[string]struct {
		attempt func(i int) throttle.Attempt
		want    int64
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
			var looked atomic.Int64
			var all sync.WaitGroup
			for i := range 60 {
				all.Go(func() {
					if ticket, err := s.Begin(t.Context(), tt.attempt(i)); err == nil {
						looked.Add(1)
						ticket.Fail()
					}
				})
			}
			all.Wait()
			if n := looked.Load(); n != tt.want {
				t.Errorf("%d were looked at, want %d", n, tt.want)
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
		var first []*throttle.Ticket
		for range 10 {
			ticket, err := s.Begin(t.Context(), from(here, "owner"))
			if err != nil {
				t.Fatal(err)
			}
			first = append(first, ticket)
		}
		var in, out atomic.Int64
		crowd := func() {
			for range 300 {
				go func() {
					ticket, err := s.Begin(t.Context(), from(here, "owner"))
					if err != nil {
						out.Add(1)
						return
					}
					in.Add(1)
					ticket.Succeed()
				}()
			}
			synctest.Wait()
		}
		crowd()
		if in.Load() != 0 || out.Load() != 300-128 {
			t.Errorf("%d got in and %d were refused, want 128 of 300 to wait", in.Load(), out.Load())
		}
		for _, ticket := range first {
			ticket.Fail()
		}
		synctest.Wait()
		if in.Load() != 0 || out.Load() != 300 {
			t.Errorf("%d got in and %d were refused, want all to be refused", in.Load(), out.Load())
		}
		s.LiftAccount(t.Context(), "owner")
		s.LiftAddress(t.Context(), here)
		crowd()
		if in.Load() == 0 {
			t.Error("nobody gets in after all have left")
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
