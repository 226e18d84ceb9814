package throttle_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/fault"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
)

func list(t *testing.T, s *throttle.Service) []throttle.Full {
	t.Helper()
	full, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return full
}

func TestListShowsWhoIsRefusedAndUntilWhen(t *testing.T) {
	for name, tt := range map[string]struct {
		fill func(t *testing.T, s *throttle.Service)
		want []throttle.Full
	}{
		"nobody": {func(*testing.T, *throttle.Service) {}, []throttle.Full{}},
		"who has one failure left": {func(t *testing.T, s *throttle.Service) {
			spray(t, s, here, 14)
			failures(t, s, from(there, "owner"), 9)
		}, []throttle.Full{}},
		"an address": {func(t *testing.T, s *throttle.Service) { spray(t, s, "2001:db8:1:2::1", 15) }, []throttle.Full{
			{Kind: model.ThrottleAddress, Address: "2001:db8:1:2::/64", BlockedUntil: at(20 * time.Second), Failures: 15},
		}},
		"what is no address": {func(t *testing.T, s *throttle.Service) { spray(t, s, "@", 15) }, []throttle.Full{
			{Kind: model.ThrottleAddress, Address: "unknown", BlockedUntil: at(20 * time.Second), Failures: 15},
		}},
		"an account": {func(t *testing.T, s *throttle.Service) { failures(t, s, from(here, "owner"), 10) }, []throttle.Full{
			{Kind: model.ThrottleAccount, AccountKey: "owner", BlockedUntil: at(6 * time.Minute), Failures: 10},
		}},
		"no name that nobody has": {func(t *testing.T, s *throttle.Service) {
			failures(t, s, throttle.Attempt{Name: "nobody", Address: here}, 10)
		}, []throttle.Full{}},
		"a known source": {func(t *testing.T, s *throttle.Service) { failures(t, s, phone(here), 10) }, []throttle.Full{
			{Kind: model.ThrottleSource, AccountKey: "owner", BlockedUntil: at(30 * time.Second), Failures: 10},
		}},
		"codes": {func(t *testing.T, s *throttle.Service) {
			for i := range 20 {
				looked(t, s, fmt.Sprintf("10.0.0.%d", i), 1)
			}
		}, []throttle.Full{{Kind: model.ThrottleCodes, AccountKey: "owner", BlockedUntil: at(3 * time.Minute), Failures: 20}}},
		"codes from one address": {func(t *testing.T, s *throttle.Service) { looked(t, s, here, 5) }, []throttle.Full{
			{Kind: model.ThrottleSourceCodes, AccountKey: "owner", BlockedUntil: at(3 * time.Minute), Failures: 5},
		}},
		"nobody who was let off": {func(t *testing.T, s *throttle.Service) {
			failures(t, s, from(here, "owner"), 9)
			cancel(t, s, from(here, "owner"))
		}, []throttle.Full{}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			tt.fill(t, h.Service)
			if diff := cmp.Diff(tt.want, list(t, h.Service)); diff != "" {
				t.Errorf("the list (-want +got):\n%s", diff)
			}
			h.kill(t)
			if diff := cmp.Diff(tt.want, list(t, h.Service)); diff != "" {
				t.Errorf("the list after a restart (-want +got):\n%s", diff)
			}
			for _, f := range tt.want {
				h.clock.move(time.Until(f.BlockedUntil) - time.Until(h.clock.now()))
			}
			if got := list(t, h.Service); len(got) != 0 {
				t.Errorf("after its time the list is still %+v", got)
			}
		})
	}
}

// at is an instant after the tests' start.
func at(after time.Duration) time.Time { return model.At(time.Unix(1_800_000_000, 0).Add(after)).Time }

func TestWhatIsLiftedStaysLifted(t *testing.T) {
	h := newHouse(t)
	signIn(t, h.Service, from("203.0.113.1", "owner"))
	spray(t, h.Service, here, 15)
	failures(t, h.Service, from(there, "owner"), 10)
	failures(t, h.Service, phone("203.0.113.9"), 10)
	looked(t, h.Service, there, 5)
	failures(t, h.Service, from("203.0.113.7", "other"), 10)
	liftAccount(t, h.Service, "owner")
	liftAddress(t, h.Service, here)
	for _, when := range []string{"at once", "after a kill"} {
		if full := list(t, h.Service); len(full) != 1 || full[0].AccountKey != "other" {
			t.Errorf("%s: the list is %+v, want the other account alone", when, full)
		}
		for what, n := range map[string]int{
			"from a stranger":    failures(t, h.Service, from("203.0.113.8", "owner"), 1),
			"from the address":   spray(t, h.Service, here, 1),
			"from the phone":     failures(t, h.Service, phone("203.0.113.9"), 1),
			"code":               looked(t, h.Service, there, 1),
			"from what is known": failures(t, h.Service, from("203.0.113.1", "owner"), 1),
		} {
			if n != 1 {
				t.Errorf("%s: no attempt %s is looked at", when, what)
			}
		}
		h.kill(t)
	}
}

func TestLiftingAddresses(t *testing.T) {
	s, _ := newService(t)
	for given, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::/64", "2001:DB8::/64": "2001:db8::/64",
		"fe80::1%eth0": "fe80::/64", "unknown": "unknown",
	} {
		if got, err := s.LiftAddress(t.Context(), given); err != nil || got != want {
			t.Errorf("LiftAddress(%q) = %q, %v, want %q", given, got, err, want)
		}
	}
	for _, given := range []string{"", "nowhere", "192.0.2.0/24", "2001:db8::/48", "192.0.2.1:80", "[::1]"} {
		if got, err := s.LiftAddress(t.Context(), given); !errors.Is(err, throttle.ErrAddress) || fault.Of(err).Kind != fault.Invalid {
			t.Errorf("LiftAddress(%q) = %q, %v, want %v", given, got, err, throttle.ErrAddress)
		}
	}
}

// Guesses that go on while their account is lifted cannot bring back what was
// lifted.
func TestLiftingRacesWithGuesses(t *testing.T) {
	h := newHouse(t)
	for range 50 {
		failures(t, h.Service, from(here, "owner"), 10)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { // each fails once at most: two are not enough to be refused
				if ticket, err := h.Begin(t.Context(), from("10.0.0."+strconv.Itoa(i), "owner")); err == nil {
					ticket.Cancel()
				}
			})
		}
		liftAccount(t, h.Service, "owner")
		all.Wait()
		h.Close(t.Context())
		h.kill(t)
		if full := list(t, h.Service); len(full) != 0 {
			t.Fatalf("after lifting, the list is %+v", full)
		}
		liftAccount(t, h.Service, "owner")
		liftAddress(t, h.Service, here)
	}
}

// F-08: rows are bounded by cleaning, and what lasts longest stays.
func TestRowsAreBoundedByCleaning(t *testing.T) {
	c, store := &clock{}, throttletest.New()
	cfg := throttle.Defaults()
	cfg.MaxKeys = 640
	s := start(t, cfg, store, c.now)
	failures(t, s, from(there, "owner"), 10)
	for i := range 20_000 {
		fail(t, s, throttle.Attempt{Name: strconv.Itoa(i), Address: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)})
		if c.move(time.Millisecond); i%2000 == 0 {
			clean(t, s)
			if n := store.Size(); n > 2*cfg.MaxKeys {
				t.Fatalf("%d rows after cleaning, want at most 2 × %d", n, cfg.MaxKeys)
			}
		}
	}
	again := start(t, cfg, store, c.now)
	if fail(t, again, from("203.0.113.1", "owner")) {
		t.Error("the flood washed the owner's counter away")
	}
	c.move(31 * 24 * time.Hour)
	clean(t, s)
	if n := store.Size(); n != 0 {
		t.Errorf("%d rows are left when nothing matters any more", n)
	}
}

func clean(t *testing.T, s *throttle.Service) {
	t.Helper()
	if err := s.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
}
