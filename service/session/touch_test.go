package session_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"latchkey/model"
	"latchkey/service/address"
	"latchkey/service/revocation"
	"latchkey/service/session"
)

// seen is when the database says that the login was last used.
func (f *fixture) seen(o session.Opened) time.Duration {
	f.t.Helper()
	return f.row(o.LoginID).SeenAt.Sub(start)
}

func (f *fixture) flush() {
	f.t.Helper()
	if err := f.Flush(f.t.Context()); err != nil {
		f.t.Fatalf("Flush = %v", err)
	}
}

func TestResolveRemembers(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.wantIn(o.Token, laptop, nil)
	before := f.store.calls.Load()
	for range 1000 {
		f.wantIn(o.Token, laptop, nil)
		f.wantIn(o.Token, "", nil)
		f.wantIn(o.Token, phone, session.ErrInactive)
	}
	if n := f.store.calls.Load() - before; n != 0 {
		t.Errorf("%d questions to the database, want none", n)
	}
	f.evict(f.caller(o), o.DeviceKey)
	f.wantIn(o.Token, laptop, session.ErrInactive)
	before = f.store.calls.Load()
	for range 1000 {
		f.wantIn(o.Token, laptop, session.ErrInactive)
	}
	if n := f.store.calls.Load() - before; n != 0 {
		t.Errorf("%d questions about a dead login, want none", n)
	}
}

func TestLoginsAreTouchedOncePerInterval(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.wantIn(o.Token, laptop, nil)
	f.flush()
	before := f.store.calls.Load()
	for range 59 {
		f.clock.advance(time.Second)
		f.wantIn(o.Token, laptop, nil)
		f.flush()
	}
	if n := f.store.calls.Load() - before; n != 0 {
		t.Errorf("%d writes within the interval, want none", n)
	}
	if got := f.seen(o); got != 0 {
		t.Errorf("seen after %v, want 0", got)
	}
	f.clock.advance(time.Second)
	f.wantIn(o.Token, laptop, nil)
	f.flush()
	f.flush()
	if n := f.store.calls.Load() - before; n != 1 {
		t.Errorf("%d writes after the interval, want 1", n)
	}
	if got := f.seen(o); got != time.Minute {
		t.Errorf("seen after %v, want a minute", got)
	}
}

func TestANewOriginIsTouchedAtOnce(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	by := f.caller(o)
	for i, p := range []session.Presented{
		{Token: o.Token, UserAgent: browser, Address: "10.1.2.1"},
		{Token: o.Token, UserAgent: "curl/8", Address: "10.1.2.1"},
		{Token: o.Token, UserAgent: browser, Address: "192.0.2.7"},
	} {
		f.clock.advance(time.Second)
		if _, err := f.Resolve(t.Context(), p); err != nil {
			t.Fatalf("Resolve = %v", err)
		}
		d := f.devices(by)[o.DeviceKey] // before it is written
		if d.IP != address.Mask(p.Address) || d.UserAgent != p.UserAgent || d.SeenAt.Sub(start) != time.Duration(i+1)*time.Second {
			t.Errorf("listed as %+v, want it seen just now from %+v", d, p)
		}
		f.flush()
		if d := f.devices(by)[o.DeviceKey]; d.IP != address.Mask(p.Address) || d.UserAgent != p.UserAgent {
			t.Errorf("written as %+v, want %+v", d, p)
		}
	}
}

func TestRefusedRequestsTouchNothing(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.wantIn(o.Token, laptop, nil)
	f.flush()
	f.clock.advance(time.Hour)
	f.wantIn(o.Token, phone, session.ErrInactive)
	f.wantIn(o.Token+"x", laptop, session.ErrInvalid)
	f.flush()
	if got := f.seen(o); got != 0 {
		t.Errorf("seen after %v, want 0: it was refused", got)
	}
	f.evict(f.caller(f.signIn(f.alice, phone)), o.DeviceKey)
	f.wantIn(o.Token, laptop, session.ErrInactive)
	f.flush()
	if got := f.seen(o); got != 0 {
		t.Errorf("seen after %v, want 0: it was over", got)
	}
}

func TestATouchDoesNotReviveALogin(t *testing.T) {
	f := newFixture(t)
	o, watcher := f.signIn(f.alice, laptop), f.signIn(f.alice, phone)
	f.clock.advance(time.Hour)
	f.wantIn(o.Token, laptop, nil) // noted and not written
	f.evict(f.caller(watcher), o.DeviceKey)
	ended := f.row(o.LoginID)
	f.flush()
	if got := f.row(o.LoginID); got != ended {
		t.Errorf("login = %+v, want it as it ended: %+v", got, ended)
	}
	f.wantIn(o.Token, laptop, session.ErrInactive)
	if err := f.Drop(t.Context(), o.DeviceKey); err != nil {
		t.Fatal(err)
	}
	f.flush()
	if _, there := f.devices(f.caller(watcher))[o.DeviceKey]; there {
		t.Error("the device is back")
	}
}

func TestFlushKeepsWhatCannotBeWritten(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.clock.advance(time.Hour)
	f.wantIn(o.Token, laptop, nil)
	f.store.breakDown(errBroken)
	if err := f.Flush(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Flush = %v, want the failure", err)
	}
	f.clock.advance(time.Hour)
	f.wantIn(o.Token, laptop, nil) // newer than the one that waits
	if err := f.Flush(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Flush = %v, want the failure", err)
	}
	f.store.breakDown(nil)
	f.flush()
	if got := f.seen(o); got != 2*time.Hour {
		t.Errorf("seen after %v, want the newest use", got)
	}
}

func TestWhatCouldNotBeWrittenIsNotNewerThanWhatCameSince(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	f.clock.advance(time.Hour)
	f.wantIn(o.Token, laptop, nil)
	f.store.breakDown(errBroken)
	f.store.onTouch(func() { // while the write is under way
		f.clock.advance(time.Hour)
		f.wantIn(o.Token, laptop, nil)
	})
	if err := f.Flush(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("Flush = %v, want the failure", err)
	}
	f.store.onTouch(nil)
	f.store.breakDown(nil)
	f.flush()
	if got := f.seen(o); got != 2*time.Hour {
		t.Errorf("seen after %v, want the newest use", got)
	}
}

func TestCleanTakesWhatNobodyNeeds(t *testing.T) {
	f := newFixture(t)
	day := 24 * time.Hour
	never := int64(0)
	keeper := f.store.AddAccount(model.Account{Username: "keeper", SessionTTL: &never})
	o, kept := f.signIn(f.alice, laptop), f.signIn(keeper, laptop)
	f.clock.advance(2 * day) // past the setting, and the login is just over
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if known, err := f.Known(t.Context(), f.alice.Key, laptop); known || err != nil {
		t.Errorf("Known = %v, %v, want the idle device gone", known, err)
	}
	if known, err := f.Known(t.Context(), keeper.Key, laptop); !known || err != nil {
		t.Errorf("Known = %v, %v, want the device of who keeps them", known, err)
	}
	f.row(o.LoginID) // kept for an hour, to tell its token why it is over
	f.clock.advance(time.Hour + time.Second)
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{o.LoginID, kept.LoginID} {
		if _, err := f.store.Store.Login(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("Login = %v, want the expired row gone", err)
		}
	}
}

func TestCleanGoesOnUntilAllIsDone(t *testing.T) {
	f := newFixture(t)
	for i := range 1203 {
		f.signIn(f.store.AddAccount(model.Account{Username: strconv.Itoa(i)}), laptop)
	}
	f.clock.advance(72 * time.Hour)
	before := f.store.calls.Load()
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := f.store.calls.Load() - before; n != 3 {
		t.Errorf("%d batches, want 3", n)
	}
	if n, _, err := f.store.Clean(t.Context(), model.Cleaning{
		Now: model.At(f.clock.now()), DeviceIdle: 1, ExpiredAt: model.At(f.clock.now()), AtMost: 500,
	}); n != 0 || err != nil {
		t.Errorf("another Clean = %d, %v, want nothing left", n, err)
	}
}

func TestCleanWritesDownUsesFirst(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Minute })
	o := f.signIn(f.alice, laptop)
	f.wantIn(o.Token, laptop, nil)
	f.clock.advance(10*time.Minute - time.Millisecond)
	f.wantIn(o.Token, laptop, nil)
	f.clock.advance(time.Millisecond)
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantIn(o.Token, laptop, nil)
}

func TestCleanTellsWhoRemembers(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Minute })
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	f.signIn(f.alice, laptop)
	f.clock.advance(10 * time.Minute)
	f.signIn(bob, laptop)
	var heard []string
	f.hub.Subscribe(func(_ context.Context, n revocation.Notice) { heard = append(heard, n.AccountKey) })
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 1 || heard[0] != f.alice.Key {
		t.Errorf("heard of %v, want the account whose login was idle", heard)
	}
}

func TestListsKnowUsesThatAreNotWritten(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 10 * time.Minute })
	o := f.signIn(f.alice, laptop)
	f.clock.advance(9 * time.Minute)
	f.wantIn(o.Token, laptop, nil)
	f.clock.advance(9 * time.Minute) // idle, as far as the database knows
	if list, err := f.ListAll(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("ListAll = %+v, %v, want the device whose token works", list, err)
	}
	f.wantIn(o.Token, laptop, nil)
}

func TestRunFlushesAndCleans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		o := f.signIn(f.alice, laptop)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()

		f.clock.advance(time.Hour)
		f.wantIn(o.Token, laptop, nil)
		time.Sleep(time.Second) // of the bubble's clock
		synctest.Wait()
		if got := f.seen(o); got != time.Hour {
			t.Errorf("seen after %v, want it written within a second", got)
		}

		f.store.breakDown(errBroken) // it goes on
		f.clock.advance(50 * time.Hour)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		f.store.breakDown(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if known, err := f.Known(t.Context(), f.alice.Key, laptop); known || err != nil {
			t.Errorf("Known = %v, %v, want the idle device cleaned", known, err)
		}

		last := f.signIn(f.alice, phone)
		f.clock.advance(time.Hour)
		f.wantIn(last.Token, phone, nil)
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if got := f.row(last.LoginID).SeenAt; !got.Equal(f.clock.now()) {
			t.Errorf("seen at %v, want it written on the way out", got)
		}
	})
}
