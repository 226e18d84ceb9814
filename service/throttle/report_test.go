package throttle_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/service/fault"
	"latchkey/service/throttle"
)

// reports is how many of n reports from the address are looked at, and what the
// last one that was not was answered.
func reports(t *testing.T, s *throttle.Service, address string, n int) (looked int, refusal error) {
	t.Helper()
	for range n {
		err := s.Report(address)
		switch {
		case err == nil:
			looked++
		case errors.Is(err, throttle.ErrReports):
			refusal = err
		default:
			t.Fatal(err)
		}
	}
	return looked, refusal
}

func TestReportsAreLimitedByAddress(t *testing.T) {
	s, c := newService(t)
	const here, there = "2001:db8::1", "192.0.2.9"
	looked, refusal := reports(t, s, here, 40)
	if looked != 30 {
		t.Errorf("%d of 40 reports are looked at, want 30", looked)
	}
	if f := fault.Of(refusal); f.Kind != fault.TooMany || f.RetryAfter != 10*time.Second {
		t.Errorf("the refusal is %v with %v to wait, want 10 s", f, f.RetryAfter)
	}
	if n, _ := reports(t, s, "2001:db8::2", 1); n != 0 {
		t.Error("a neighbour in the same /64 is looked at")
	}
	if n, _ := reports(t, s, there, 40); n != 30 {
		t.Errorf("%d of 40 reports from elsewhere are looked at, want 30", n)
	}
	c.move(20 * time.Second)
	if n, _ := reports(t, s, here, 5); n != 2 {
		t.Errorf("after 20 s %d reports are looked at, want 2", n)
	}
}

// A flood of reports does not shut an address out of signing in, nor do failed
// sign-ins keep it from reporting.
func TestReportsAreNoSignIns(t *testing.T) {
	s, _ := newService(t)
	if n, _ := reports(t, s, here, 40); n != 30 {
		t.Errorf("%d of 40 reports are looked at, want 30", n)
	}
	if !fail(t, s, from(here, "alice")) {
		t.Error("the address that reported may not sign in")
	}
	spray(t, s, there, 40)
	if n, _ := reports(t, s, there, 1); n != 1 {
		t.Error("the address that may not sign in may not report")
	}
}
