package throttle_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/service/throttle"
)

// What a success, a failure and a cancelled attempt leave behind, told by how
// many wrong passwords are looked at afterwards.
func TestTickets(t *testing.T) {
	for name, tt := range map[string]struct {
		run  func(t *testing.T, s *throttle.Service, c *clock) int
		want int
	}{
		"a cancelled one is not counted": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			for range 40 {
				cancel(t, s, from(here, "owner"))
			}
			return spray(t, s, here, 40)
		}, 15},
		"a cancelled one clears nothing": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			failures(t, s, from(here, "owner"), 8)
			cancel(t, s, from(here, "owner"))
			return failures(t, s, from(there, "owner"), 40)
		}, 2},
		"a cancelled one makes no address known": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			cancel(t, s, from(here, "owner"))
			failures(t, s, from(there, "owner"), 10)
			return failures(t, s, from(here, "owner"), 40)
		}, 0},
		"a ticket settles once": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			spray(t, s, here, 10)
			ticket, err := s.Begin(t.Context(), from(here, "attacker"))
			if err != nil {
				t.Fatal(err)
			}
			for range 10 {
				ticket.Succeed()
				ticket.Cancel()
				ticket.Fail()
			}
			return spray(t, s, here, 40)
		}, 5},
		"a success clears its source's own budget": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(here, "owner"), 9)
			signIn(t, s, from(here, "owner"))
			return failures(t, s, from(here, "owner"), 40)
		}, 10},
		"but no other source's": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(here, "owner"), 10)
			signIn(t, s, throttle.Attempt{AccountKey: "owner", Address: here, Device: "phone", Known: true})
			return failures(t, s, from(here, "owner"), 40)
		}, 0},
		"and not what strangers failed at": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "owner"))
			failures(t, s, from(there, "owner"), 10)
			signIn(t, s, from(here, "owner"))
			return failures(t, s, from(there, "owner"), 40)
		}, 0},
		"an attacker's own sign-ins do not wash the address clean": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked := 0
			for range 20 {
				signInIfLet(t, s, from(here, "attacker"))
				looked += spray(t, s, here, 3)
			}
			return looked
		}, 15},
		"nor do failures of the attacker's own that are taken back": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			signIn(t, s, from(here, "attacker"))
			spray(t, s, here, 15)
			for range 20 {
				fail(t, s, from(here, "attacker"))
				signIn(t, s, from(here, "attacker"))
			}
			return spray(t, s, here, 40)
		}, 0},
		"hash and then plain may be tried for ever": {func(t *testing.T, s *throttle.Service, c *clock) int {
			looked := 0
			for range 100 {
				looked += failures(t, s, from(here, "owner"), 1)
				signIn(t, s, from(here, "owner"))
				c.move(100 * time.Millisecond)
			}
			return looked
		}, 100},
		"a failure from an unknown source is taken back whole": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			fail(t, s, from(here, "owner"))
			signIn(t, s, from(here, "owner"))
			return failures(t, s, from(there, "owner"), 40)
		}, 10},
		"and from its address": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			fail(t, s, from(here, "owner"))
			signIn(t, s, from(here, "owner"))
			return spray(t, s, here, 40)
		}, 15},
		"after 10 seconds it stays": {func(t *testing.T, s *throttle.Service, c *clock) int {
			fail(t, s, from(here, "owner"))
			c.move(10 * time.Second)
			signIn(t, s, from(here, "owner"))
			return failures(t, s, from(there, "owner"), 40)
		}, 9},
		"a success from elsewhere takes nothing back": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			fail(t, s, from(here, "owner"))
			signIn(t, s, from("203.0.113.5", "owner"))
			return failures(t, s, from(there, "owner"), 40)
		}, 9},
		"a late answer gives back no more than is left": {func(t *testing.T, s *throttle.Service, c *clock) int {
			ticket, err := s.Begin(t.Context(), from(here, "attacker"))
			if err != nil {
				t.Fatal(err)
			}
			c.move(20 * time.Second)
			spray(t, s, here, 15)
			ticket.Succeed()
			return spray(t, s, here, 40)
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newService(t)
			if got := tt.run(t, s, c); got != tt.want {
				t.Errorf("%d passwords were looked at, want %d", got, tt.want)
			}
		})
	}
}

func cancel(t *testing.T, s *throttle.Service, a throttle.Attempt) {
	t.Helper()
	ticket, err := s.Begin(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	ticket.Cancel()
}

func signInIfLet(t *testing.T, s *throttle.Service, a throttle.Attempt) {
	t.Helper()
	if ticket, err := s.Begin(t.Context(), a); err == nil {
		ticket.Succeed()
	}
}

// guessing from everywhere does not shut the owner out.
func TestTheOwnerGoesOnWhileAnAttackerGuesses(t *testing.T) {
	s, c := newService(t)
	phone := throttle.Attempt{AccountKey: "owner", Address: "203.0.113.9", Device: "phone", Known: true}
	signIn(t, s, from(here, "owner"))
	spray(t, s, here, 40) // somebody else at the owner's address, too
	looked := 0
	for i := range 1000 {
		if fail(t, s, from(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "owner")) {
			looked++
		}
		if i%100 == 0 {
			signIn(t, s, from(here, "owner"))
			signIn(t, s, phone)
		}
		c.move(time.Second)
	}
	if looked > 13 { // 10, and one more each 6 of the 16 minutes
		t.Errorf("the attacker had %d guesses, want at most 13", looked)
	}
}

// A Client-Id is no secret: guesses under it from elsewhere do not use up what
// its owner has where they signed in before.
func TestTheOwnersDeviceIsNotShutOutByItsNameElsewhere(t *testing.T) {
	s, _ := newService(t)
	owner := throttle.Attempt{AccountKey: "owner", Address: here, Device: "nas"}
	signIn(t, s, owner)
	attacker := throttle.Attempt{AccountKey: "owner", Address: there, Device: "nas", Known: true}
	if n := failures(t, s, attacker, 40); n != 10 {
		t.Errorf("%d guesses under the device's name were looked at, want 10", n)
	}
	owner.Known = true
	if n := failures(t, s, owner, 40); n != 10 {
		t.Errorf("%d of the owner's own were looked at, want 10", n)
	}
	if n := failures(t, s, from(here, "owner"), 40); n != 10 {
		t.Errorf("%d of the owner's other program were looked at, want 10", n)
	}
}
