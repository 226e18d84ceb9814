package session_test

import (
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/session"
)

func TestALoginEndsExactlyAtItsExpiry(t *testing.T) { // S-13
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.wantIn(o.Token, "", nil)
	f.clock.set(o.ExpiresAt.Add(-time.Nanosecond))
	f.wantIn(o.Token, "", nil)
	f.restart()
	f.wantIn(o.Token, "", nil)
	f.clock.set(o.ExpiresAt)
	f.wantIn(o.Token, "", session.ErrExpired)
	f.restart()
	f.wantIn(o.Token, "", session.ErrExpired)
	f.clock.advance(2 * time.Hour)
	if err := f.Clean(t.Context()); err != nil { // its row goes
		t.Fatal(err)
	}
	f.restart()
	f.wantIn(o.Token, "", session.ErrExpired)
}

func TestAShortenedLifetimeCounts(t *testing.T) { // rulings 8
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	watch := func() int {
		t.Helper()
		list, err := f.ListAll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	f.cfg.Lifetime = time.Hour
	f.clock.set(start.Add(time.Hour + time.Minute - time.Millisecond)) // the leeway is 60 s
	f.restart()
	f.wantIn(o.Token, "", nil)
	if n := watch(); n != 1 {
		t.Errorf("%d devices are listed, want the one whose token works", n)
	}
	f.clock.advance(time.Millisecond)
	f.wantIn(o.Token, "", session.ErrExpired)
	if n := watch(); n != 0 {
		t.Errorf("%d devices are listed, want none: no token works", n)
	}
}

func TestAnIdleLoginIsOver(t *testing.T) { // S-13
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Minute })
	o, watcher := f.signIn(f.alice, laptop), f.signIn(f.alice, phone)
	for range 30 { // five hours, never unused for ten minutes
		f.clock.advance(10*time.Minute - time.Millisecond)
		f.wantIn(o.Token, "", nil)
		f.wantIn(watcher.Token, "", nil)
	}
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantIn(o.Token, "", nil)
	f.clock.advance(5 * time.Minute)
	by := f.caller(watcher)
	f.clock.advance(5*time.Minute - time.Millisecond)
	f.flush()
	f.restart()
	if n := len(f.devices(by)); n != 2 {
		t.Errorf("%d devices are listed, want both", n)
	}
	f.clock.advance(time.Millisecond)
	f.wantIn(o.Token, "", session.ErrInactive)
	if _, there := f.devices(by)[o.DeviceKey]; there {
		t.Error("the idle device is listed")
	}
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.row(o.LoginID).EndReason; got != model.EndCleaned {
		t.Errorf("reason = %q, want %q", got, model.EndCleaned)
	}
	f.wantDead(o.Token, session.ErrInactive)
	f.wantIn(watcher.Token, "", nil)
}

func TestWithoutAnIdleTimeoutALoginMayRest(t *testing.T) { // rulings 8
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.clock.set(o.ExpiresAt.Add(-time.Millisecond))
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantIn(o.Token, laptop, nil)
	if n := len(f.devices(f.caller(o))); n != 1 {
		t.Errorf("%d devices are listed, want 1", n)
	}
}

func TestDropInactiveForgetsWhatIsOver(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Minute })
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	live, over := f.signIn(f.alice, laptop), f.signIn(f.alice, phone)
	foreign := f.signIn(bob, laptop)
	f.evict(f.caller(live), over.DeviceKey)
	f.evict(f.caller(foreign), foreign.DeviceKey)
	known := func(a model.Account, clientID string) bool {
		t.Helper()
		ok, err := f.Known(t.Context(), a.Key, clientID)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	f.clock.advance(time.Hour) // the live one is idle, but nothing ended it yet
	if err := f.DropInactive(t.Context(), f.alice.ID); err != nil {
		t.Fatal(err)
	}
	if !known(f.alice, laptop) || known(f.alice, phone) || !known(bob, laptop) {
		t.Error("want the account's evicted device gone and no other")
	}
	if err := f.DropInactive(t.Context(), 999); err != nil {
		t.Errorf("DropInactive of nobody = %v", err)
	}
	if err := f.DropInactive(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if known(bob, laptop) {
		t.Error("the other account's evicted device is still there")
	}
	f.wantIn(over.Token, "", session.ErrInactive)
}
