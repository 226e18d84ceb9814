package throttle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
)

// house is a store that services come and go on.
type house struct {
	*throttle.Service

	store *throttletest.Store
	clock *clock
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{store: throttletest.New(), clock: &clock{}}
	h.kill(t)
	return h
}

// kill begins a new service, to which the one before has said nothing.
func (h *house) kill(t testing.TB) {
	t.Helper()
	h.Service = start(t, throttle.Defaults(), h.store, h.clock.now)
}

// F-07: neither an end nor a kill forgives anything.
func TestARestartForgivesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		fill func(t *testing.T, s *throttle.Service)
		try  func(t *testing.T, s *throttle.Service) int
		in   time.Duration // when one more is looked at
	}{
		"of an address": {
			func(t *testing.T, s *throttle.Service) { spray(t, s, here, 15) },
			func(t *testing.T, s *throttle.Service) int { return spray(t, s, here, 40) }, 20 * time.Second,
		},
		"of an IPv6 address": {
			func(t *testing.T, s *throttle.Service) { spray(t, s, "2001:db8:1:2::1", 15) },
			func(t *testing.T, s *throttle.Service) int { return spray(t, s, "2001:db8:1:2::7", 40) }, 20 * time.Second,
		},
		"of an account": {
			func(t *testing.T, s *throttle.Service) { failures(t, s, from(here, "owner"), 10) },
			func(t *testing.T, s *throttle.Service) int { return failures(t, s, from(there, "owner"), 40) }, 6 * time.Minute,
		},
		"of a name that nobody has": {
			func(t *testing.T, s *throttle.Service) {
				failures(t, s, throttle.Attempt{Name: "nobody", Address: here}, 10)
			},
			func(t *testing.T, s *throttle.Service) int {
				return failures(t, s, throttle.Attempt{Name: "nobody", Address: there}, 40)
			}, 6 * time.Minute,
		},
		"of a known device": {
			func(t *testing.T, s *throttle.Service) { failures(t, s, phone(here), 10) },
			func(t *testing.T, s *throttle.Service) int { return failures(t, s, phone(here), 40) }, 30 * time.Second,
		},
		"of codes": {
			func(t *testing.T, s *throttle.Service) {
				for i := range 4 {
					looked(t, s, fmt.Sprintf("10.0.0.%d", i), 5)
				}
			},
			func(t *testing.T, s *throttle.Service) int { return looked(t, s, here, 40) }, 3 * time.Minute,
		},
		"of codes from one address": {
			func(t *testing.T, s *throttle.Service) { looked(t, s, here, 5) },
			func(t *testing.T, s *throttle.Service) int { return looked(t, s, here, 40) }, 3 * time.Minute,
		},
	} {
		for ending, end := range map[string]func(*testing.T, *house){
			"a kill": func(*testing.T, *house) {},
			"an end": func(t *testing.T, h *house) { h.Close(t.Context()) },
		} {
			t.Run(ending+" "+name, func(t *testing.T) {
				h := newHouse(t)
				tt.fill(t, h.Service)
				end(t, h)
				h.kill(t)
				if n := tt.try(t, h.Service); n != 0 {
					t.Errorf("%d more are looked at, want none", n)
				}
				h.clock.move(tt.in)
				if n := tt.try(t, h.Service); n != 1 {
					t.Errorf("%d more are looked at after %v, want one", n, tt.in)
				}
			})
		}
	}
}

func phone(address string) throttle.Attempt {
	return throttle.Attempt{AccountKey: "owner", Address: address, Device: "phone", Known: true}
}

// Who kills the server while passwords are being looked at gains nothing.
func TestAttemptsUnderWayAtAKillCount(t *testing.T) {
	h := newHouse(t)
	for range 10 {
		if _, err := h.Begin(t.Context(), from(here, "owner")); err != nil {
			t.Fatal(err)
		}
	}
	h.kill(t)
	if n := failures(t, h.Service, from(there, "owner"), 40); n != 0 {
		t.Errorf("%d more are looked at, want none", n)
	}
}

// What is given back is so after an end, too; after a kill it may be not, which
// is the strict side.
func TestSuccessesSurviveAnEnd(t *testing.T) {
	h := newHouse(t)
	signIn(t, h.Service, from(here, "owner")) // makes the address known
	fail(t, h.Service, from(here, "owner"))
	signIn(t, h.Service, from(here, "owner"))
	rightCode(t, h.Service, here)
	h.Close(t.Context())
	h.kill(t)
	failures(t, h.Service, from(there, "owner"), 40)
	if n := failures(t, h.Service, from(here, "owner"), 40); n != 10 {
		t.Errorf("%d from the known address are looked at, want 10", n)
	}
	h.clock.move(31 * 24 * time.Hour)
	failures(t, h.Service, from(there, "owner"), 40)
	if n := failures(t, h.Service, from(here, "owner"), 1); n != 0 {
		t.Error("the address is known for longer than 30 days")
	}
}

// A wall clock that was a year ahead locks nobody out for longer than a full
// budget does.
func TestAClockThatWasAheadLocksForNoLongerThanABudget(t *testing.T) {
	h := newHouse(t)
	h.clock.move(365 * 24 * time.Hour)
	h.kill(t)
	spray(t, h.Service, here, 40)
	failures(t, h.Service, from(there, "owner"), 40)
	h.clock.move(-365 * 24 * time.Hour)
	h.kill(t)
	if spray(t, h.Service, here, 40)+failures(t, h.Service, from(there, "owner"), 40) != 0 {
		t.Error("they are forgiven")
	}
	h.clock.move(5 * time.Minute)
	if n := spray(t, h.Service, here, 40); n != 15 {
		t.Errorf("%d are looked at after 5 minutes, want 15", n)
	}
	h.clock.move(55 * time.Minute)
	if n := failures(t, h.Service, from(there, "owner"), 40); n != 10 {
		t.Errorf("%d are looked at after an hour, want 10", n)
	}
}

// Nothing is let through that could not be stored, and nobody pays for it.
func TestNothingIsLetThroughWhileTheStoreIsAway(t *testing.T) {
	h := newHouse(t)
	h.store.Break(model.ErrUnavailable)
	for range 40 {
		if _, err := h.Begin(t.Context(), from(here, "owner")); !errors.Is(err, model.ErrUnavailable) {
			t.Fatalf("Begin = %v, want %v", err, model.ErrUnavailable)
		}
		if _, err := h.Codes(t.Context(), "owner", here); !errors.Is(err, model.ErrUnavailable) {
			t.Fatalf("Codes = %v, want %v", err, model.ErrUnavailable)
		}
		if err := h.LiftAccount(t.Context(), "owner"); !errors.Is(err, model.ErrUnavailable) {
			t.Fatalf("LiftAccount = %v, want %v", err, model.ErrUnavailable)
		}
	}
	h.store.Break(nil)
	if n := failures(t, h.Service, from(here, "owner"), 40); n != 10 {
		t.Errorf("%d passwords are looked at afterwards, want 10", n)
	}
	if n := looked(t, h.Service, here, 40); n != 5 {
		t.Errorf("%d codes are looked at afterwards, want 5", n)
	}
}

// writeOnly is a store that can be read while it cannot be written.
type writeOnly struct{ *throttletest.Store }

func (writeOnly) SaveThrottles(_ context.Context, _ []model.ThrottleLift, _ []model.Throttle) error {
	return model.ErrUnavailable
}

func TestNothingIsLetThroughThatCannotBeWritten(t *testing.T) {
	c := &clock{}
	s := start(t, throttle.Defaults(), writeOnly{throttletest.New()}, c.now)
	for range 30_000 { // more than may wait to be written
		if _, err := s.Begin(t.Context(), from(here, "owner")); !errors.Is(err, model.ErrUnavailable) {
			t.Fatalf("Begin = %v, want %v", err, model.ErrUnavailable)
		}
	}
}

// A name that nobody has may be somebody's password: it is nowhere in a row.
func TestRowsHoldNoTypedName(t *testing.T) {
	h := newHouse(t)
	failures(t, h.Service, throttle.Attempt{Name: "correct horse", Address: here}, 10)
	failures(t, h.Service, throttle.Attempt{AccountKey: "owner", Address: "2001:db8:1:2:3:4:5:6"}, 10)
	var labels []string
	for _, row := range h.store.Rows() {
		labels = append(labels, fmt.Sprintf("%s %s%s", row.Kind, row.AccountKey, row.Address))
	}
	slices.Sort(labels)
	if got, want := strings.Join(labels, ", "), "account , account owner, address 192.0.2.1, address 2001:db8:1:2::/64"; got != want {
		t.Errorf("rows are %q, want %q", got, want)
	}
}

// Rows mean nothing without the server's key, so that nobody can aim at one.
func TestRowsAreNamedUnderTheKey(t *testing.T) {
	h := newHouse(t)
	failures(t, h.Service, from(here, "owner"), 10)
	other, err := throttle.New(throttle.Defaults(), throttle.Deps{
		Store: h.store, Key: []byte("another key, another meaning ...."), Now: h.clock.now,
	})
	if err == nil {
		err = other.Load(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if n := failures(t, other, from(here, "owner"), 40); n != 10 {
		t.Errorf("%d are looked at under another key, want 10", n)
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	if _, err := throttle.New(throttle.Defaults(), throttle.Deps{Key: make([]byte, 31), Now: time.Now}); err == nil {
		t.Error("accepted")
	}
}

// What is stored is never behind what was let through, however many try, fail
// and succeed at once (A-07, F-07).
func TestStoredCountersAreNeverBehind(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for n := range 8 {
				ticket, err := h.Begin(t.Context(), from(fmt.Sprintf("10.0.%d.%d", i, n), fmt.Sprintf("account %d", i%8)))
				switch {
				case err != nil:
				case (i+n)%3 == 0:
					ticket.Cancel()
				default:
					ticket.Fail()
				}
			}
		})
	}
	all.Wait()
	h.Close(t.Context())
	h.kill(t)
	for i := range 8 {
		if n := failures(t, h.Service, from(there, fmt.Sprintf("account %d", i)), 1); n != 0 {
			t.Errorf("account %d is tried once more after a restart", i)
		}
		liftAddress(t, h.Service, there)
	}
}
