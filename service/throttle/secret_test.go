package throttle_test

import (
	"testing"
	"time"

	"latchkey/service/fault"
)

func TestWrongSecretsHoldBackOneAppAtOneAddress(t *testing.T) { // O-09
	s, c := newService(t)
	const app, other = "11111111111111111111111111111111", "22222222222222222222222222222222"
	tries := 0
	for s.MayShowSecret(app, here) == nil && tries < 100 {
		s.WrongSecret(app, here)
		tries++
	}
	if tries != 10 {
		t.Errorf("%d wrong secrets were looked at, want 10", tries)
	}
	refusal := fault.Of(s.MayShowSecret(app, here))
	if refusal.Kind != fault.TooMany || refusal.RetryAfter != 10*time.Second {
		t.Errorf("the refusal is %v with %v to wait, want 10 s", refusal, refusal.RetryAfter)
	}
	for what, err := range map[string]error{
		"the app elsewhere": s.MayShowSecret(app, there), "another app here": s.MayShowSecret(other, here),
	} {
		if err != nil {
			t.Errorf("%s is held back: %v", what, err)
		}
	}
	if !fail(t, s, from(here, "alice")) {
		t.Error("the address may not sign in any more")
	}
	c.move(10 * time.Second)
	if err := s.MayShowSecret(app, here); err != nil {
		t.Errorf("after 10 s: %v", err)
	}
}
