package apikey_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/account/accounttest"
	"latchkey/service/apikey"
	"latchkey/service/audit"
)

// house is keys and the accounts that own them, as authn puts them together.
type house struct {
	*fixture

	accounts *account.Service
	owner    model.Account
}

func newHouse(t *testing.T) *house {
	t.Helper()
	f := newFixture(t)
	people := accounttest.New()
	h := &house{fixture: f, accounts: account.New(people, f.hub, audit.New(slog.New(slog.DiscardHandler)), f.now, 1000)}
	h.hire()
	return h
}

// hire gives the house an owner.
func (h *house) hire() {
	h.t.Helper()
	var err error
	if h.owner, err = h.accounts.Add(h.t.Context(), model.Account{Username: "ann" + h.now().Format("150405.000000000")}); err != nil {
		h.t.Fatal(err)
	}
	h.store.AddAccount(h.owner.Key)
}

// enter says whether a request with the text is let in, and how wide.
func (h *house) enter(text string) (apikey.Known, error) {
	known, bad := h.resolve(text)
	if known.AccountKey == "" {
		return known, bad
	}
	a, err := h.accounts.Snapshot(h.t.Context(), known.AccountKey)
	switch {
	case err != nil:
		return known, errors.Join(apikey.ErrInvalid, err)
	case a.Disabled:
		return known, account.ErrDisabled
	}
	return known, bad
}

// TestNoRequestIsLetInAfterAnEnding holds R-01 for keys: a request that starts
// after an ending was answered is refused, however many are under way, and
// nothing that they leave behind brings the key back.
func TestNoRequestIsLetInAfterAnEnding(t *testing.T) { // P-03
	const rounds, requests = 100, 24
	wide := func(w *apikey.Wanted) { w.Scopes = []string{"me.read", "session.evict"} }
	type ending struct {
		end  func(ctx context.Context, h *house, text string, key model.APIKey) error
		over func(known apikey.Known, err error) bool // what must be so afterwards
	}
	refused := func(_ apikey.Known, err error) bool { return err != nil }
	for name, e := range map[string]ending{
		"deletion": {func(ctx context.Context, h *house, _ string, key model.APIKey) error {
			return h.Delete(ctx, h.as(h.owner.Key), key.ID)
		}, refused},
		"rotation": {func(ctx context.Context, h *house, _ string, key model.APIKey) error {
			_, err := h.Rotate(ctx, h.as(h.owner.Key), key.ID, 0)
			return err
		}, refused},
		"narrowing": {func(ctx context.Context, h *house, _ string, key model.APIKey) error {
			return h.Update(ctx, h.stale(h.owner.Key), key.ID, apikey.Edit{Scopes: &[]string{"me.read"}})
		}, func(known apikey.Known, err error) bool { return err == nil && !known.Scopes.Allow("session.evict") }},
		"other addresses": {func(ctx context.Context, h *house, _ string, key model.APIKey) error {
			return h.Update(ctx, h.stale(h.owner.Key), key.ID, apikey.Edit{AllowedIPs: &[]string{"198.51.100.1"}})
		}, refused},
		"a leak": {func(ctx context.Context, h *house, text string, _ model.APIKey) error {
			return h.Leaked(ctx, text)
		}, refused},
		"the end of its device": {func(ctx context.Context, h *house, _ string, _ model.APIKey) error {
			_, err := h.EndOfDevice(ctx, h.as(h.owner.Key), desk)
			return err
		}, refused},
		"disabling its owner": {func(ctx context.Context, h *house, _ string, _ model.APIKey) error {
			return h.accounts.Edit(ctx, h.owner, model.AccountEdit{Disabled: new(true)})
		}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			for range rounds {
				h.advance(2 * time.Minute) // so that requests leave something behind
				if name == "disabling its owner" {
					h.hire()
				}
				w := wanted(h.now().String()[:30])
				wide(&w)
				text, key, err := h.Create(t.Context(), h.as(h.owner.Key), w)
				if err != nil {
					t.Fatal(err)
				}
				h.storm(requests, text, func() error { return e.end(t.Context(), h, text, key) }, e.over)
				h.flush()
				if known, err := h.enter(text); !e.over(known, err) {
					t.Errorf("after all requests: %+v, %v", known, err)
				}
				if t.Failed() {
					return
				}
				if err := h.Delete(t.Context(), h.as(h.owner.Key), key.ID); err != nil && !errors.Is(err, apikey.ErrNoKey) {
					t.Fatal(err)
				}
			}
		})
	}
}

// storm has requests come while act ends something; those that start after it
// was answered must find it over.
func (h *house) storm(requests int, text string, act func() error, over func(apikey.Known, error) bool) {
	h.t.Helper()
	var answered atomic.Bool
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for range requests {
		wg.Go(func() {
			<-begin
			for late := 0; late < 3; {
				after := answered.Load()
				known, err := h.enter(text)
				if after {
					late++
				}
				if after && !over(known, err) {
					h.t.Errorf("a request that started after the ending: %+v, %v", known, err)
				}
			}
		})
	}
	close(begin)
	if err := act(); err != nil {
		h.t.Errorf("ending = %v", err)
	}
	answered.Store(true)
	wg.Wait()
}

// TestALoadUnderWayIsNotServedAfterAnEnding has a request read the row before
// the ending and come back with it only afterwards.
func TestALoadUnderWayIsNotServedAfterAnEnding(t *testing.T) {
	f := newFixture(t)
	text, key := f.make()
	reading, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	f.store.set(nil, func() {
		held := false
		first.Do(func() { held = true })
		if held {
			close(reading)
			<-release
		}
	})
	early := make(chan error, 1)
	go func() {
		_, err := f.resolve(text)
		early <- err
	}()
	<-reading
	if err := f.Delete(t.Context(), f.as(alice), key.ID); err != nil {
		t.Fatal(err)
	}
	f.wantIn(text, apikey.ErrInvalid) // must not join the one that waits
	close(release)
	if err := <-early; err != nil && !errors.Is(err, apikey.ErrInvalid) {
		t.Errorf("the request that began before = %v", err)
	}
	for range 2 {
		f.wantIn(text, apikey.ErrInvalid)
	}
}

func TestParallelEditsAllCount(t *testing.T) {
	f := newFixture(t)
	_, key := f.make(func(w *apikey.Wanted) { w.AllowQuery = true })
	var wg sync.WaitGroup
	for _, e := range []apikey.Edit{
		{AllowQuery: new(false)}, {AllowedIPs: &[]string{here}}, {Name: new("new")}, {ExpiresAt: new(f.now().Add(day))}, {Scopes: &[]string{"me.update"}},
	} {
		wg.Go(func() {
			if err := f.Update(t.Context(), f.as(alice), key.ID, e); err != nil {
				t.Errorf("Update = %v", err)
			}
		})
	}
	wg.Wait()
	got := f.row(key)
	want := key
	want.AllowQuery, want.AllowedIPs, want.Name, want.Scopes = false, here+"/32", "new", "me.update"
	want.ExpiresAt, want.WarnedDays = model.At(f.now().Add(day)), 1
	if got != want {
		t.Errorf("the key is %+v, want %+v: no edit may undo another", got, want)
	}
}
