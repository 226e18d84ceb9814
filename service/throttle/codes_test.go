package throttle_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"latchkey/service/throttle"
)

// codes tries n wrong codes from an address and answers with the last one's
// error.
func codes(t *testing.T, s *throttle.Service, address string, n int) (err error) {
	t.Helper()
	for range n {
		var ticket *throttle.Ticket
		if ticket, err = s.Codes(t.Context(), "owner", address); err == nil {
			ticket.Fail()
		}
	}
	return err
}

// looked is how many of n wrong codes from an address are looked at.
func looked(t *testing.T, s *throttle.Service, address string, n int) int {
	t.Helper()
	all := 0
	for range n {
		err := codes(t, s, address, 1)
		if err == nil {
			all++
		} else if !errors.Is(err, throttle.ErrThrottled) {
			t.Fatal(err)
		}
	}
	return all
}

// rightCode is one code that is let through and is right.
func rightCode(t *testing.T, s *throttle.Service, address string) {
	t.Helper()
	ticket, err := s.Codes(t.Context(), "owner", address)
	if err != nil {
		t.Fatalf("a right code: %v", err)
	}
	ticket.Succeed()
}

// Rulings 26, T-05: 5 from one place, 20 in an hour from all of them.
func TestCodes(t *testing.T) {
	for name, tt := range map[string]struct {
		run  func(t *testing.T, s *throttle.Service, c *clock) int
		want int
	}{
		"one address has 5": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			return looked(t, s, here, 40)
		}, 5},
		"and one more each 3 minutes": {func(t *testing.T, s *throttle.Service, c *clock) int {
			looked(t, s, here, 40)
			c.move(6 * time.Minute)
			return looked(t, s, here, 40)
		}, 2},
		"an account has 20, however many addresses": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			all := 0
			for i := range 100 {
				all += looked(t, s, fmt.Sprintf("10.0.0.%d", i), 1)
			}
			return all
		}, 20},
		"and 20 more in an hour": {func(t *testing.T, s *throttle.Service, c *clock) int {
			all := 0
			for i := range 360 {
				all += looked(t, s, fmt.Sprintf("10.0.%d.%d", i/250, i%250), 1)
				c.move(10 * time.Second)
			}
			return all
		}, 39},
		"a right code makes its own address's budget whole": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked(t, s, here, 4)
			rightCode(t, s, here)
			return looked(t, s, here, 40)
		}, 5},
		"but no other's": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked(t, s, there, 4)
			rightCode(t, s, here)
			return looked(t, s, there, 40)
		}, 1},
		"and not the account's": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			all := 0
			for range 10 {
				all += looked(t, s, here, 4)
				if ticket, err := s.Codes(t.Context(), "owner", here); err == nil {
					ticket.Succeed()
				}
			}
			return all
		}, 20},
		"a right code costs nothing": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			for range 100 {
				rightCode(t, s, here)
			}
			return looked(t, s, here, 40)
		}, 5},
		"what the account refuses is not counted for the address": {func(t *testing.T, s *throttle.Service, c *clock) int {
			for i := range 4 {
				looked(t, s, fmt.Sprintf("10.0.0.%d", i), 5)
			}
			looked(t, s, here, 40)
			c.move(15 * time.Minute)
			return looked(t, s, here, 40)
		}, 5},
		"lifting the account lets codes be tried again": {func(t *testing.T, s *throttle.Service, _ *clock) int {
			looked(t, s, here, 40)
			liftAccount(t, s, "owner")
			return looked(t, s, here, 40)
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := newService(t)
			if got := tt.run(t, s, c); got != tt.want {
				t.Errorf("%d codes were looked at, want %d", got, tt.want)
			}
			if !fail(t, s, from(here, "owner")) {
				t.Error("wrong codes count as wrong passwords")
			}
		})
	}
}
