package throttle_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/service/fault"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
)

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time        { return time.Unix(1_800_000_000, c.at.Load()) }
func (c *clock) move(by time.Duration) { c.at.Add(int64(by)) }

func newService(t testing.TB) (*throttle.Service, *clock) {
	t.Helper()
	c := &clock{}
	return start(t, throttle.Defaults(), throttletest.New(), c.now), c
}

// start begins a service on what the store holds.
func start(t testing.TB, cfg throttle.Config, store throttle.Store, now func() time.Time) *throttle.Service {
	t.Helper()
	s, err := throttle.New(cfg, throttle.Deps{
		Store: store, Key: []byte("0123456789abcdef0123456789abcdef"), Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err == nil {
		err = s.Load(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
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

func liftAccount(t testing.TB, s *throttle.Service, accountKey string) {
	t.Helper()
	if err := s.LiftAccount(t.Context(), accountKey); err != nil {
		t.Fatal(err)
	}
}

func liftAddress(t testing.TB, s *throttle.Service, address string) {
	t.Helper()
	if _, err := s.LiftAddress(t.Context(), address); err != nil {
		t.Fatal(err)
	}
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
			liftAccount(t, s, "owner")
			return failures(t, s, from(there, "owner"), 40)
		}, 10},
		"lifting the account lets known sources try again": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(here, "owner"), 10)
			liftAccount(t, s, "owner")
			return failures(t, s, from(here, "owner"), 40)
		}, 10},
		"lifting the account lifts no other": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked := 0
			for i := range 200 { // more than there are shards
				failures(t, s, from(fmt.Sprintf("10.0.0.%d", i), strconv.Itoa(i)), 10)
			}
			liftAccount(t, s, "attacker")
			for i := range 200 {
				looked += failures(t, s, from(fmt.Sprintf("10.0.1.%d", i), strconv.Itoa(i)), 1)
			}
			return looked
		}, 0},
		"lifting the address lets it try again": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			spray(t, s, "2001:db8:1:2::1", 20)
			liftAddress(t, s, "2001:db8:1:2::7")
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
			for i := range 4 {
				_ = codes(t, s, fmt.Sprintf("10.0.0.%d", i), 5)
			}
			return codes(t, s, here, 1)
		}, 3 * time.Minute},
		"codes from one address for 3 minutes": {func(t *testing.T, s *throttle.Service) error {
			return codes(t, s, here, 6)
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
