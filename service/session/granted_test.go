package session_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/racetest"
	"latchkey/service/session"
)

const (
	editor = "4ppl1cat10n"
	year   = 365 * 24 * time.Hour
)

// let opens the login of an app, as whoever stores what it was given does.
func (f *fixture) let(lives time.Duration) model.Login {
	f.t.Helper()
	o := f.Granted(session.Granting{
		AccountKey: f.alice.Key, Epoch: f.alice.Epoch, ClientID: editor, App: "Editor", Address: "192.0.2.9",
		Lifetime: lives, At: f.clock.now(),
	})
	if _, err := f.store.OpenLogin(f.t.Context(), o); err != nil {
		f.t.Fatalf("OpenLogin = %v", err)
	}
	return o.Login
}

func (f *fixture) using(l model.Login) error {
	_, err := f.Use(f.t.Context(), session.Use{
		LoginID: l.ID, AccountKey: l.AccountKey, ClientID: "whatever the app sends", UserAgent: "Go-http-client/2.0", Address: "198.51.100.3",
	})
	return err
}

func (f *fixture) wantUse(l model.Login, want error) {
	f.t.Helper()
	if err := f.using(l); !errors.Is(err, want) {
		f.t.Errorf("Use = %v, want %v", err, want)
	}
}

// me is alice at her laptop.
func (f *fixture) me() access.Caller { f.t.Helper(); return f.caller(f.signIn(f.alice, laptop)) }

// Contract, rules: a grant is a device.
func TestAnAppIsADevice(t *testing.T) {
	f := newFixture(t)
	me := f.me()
	l := f.let(year)
	f.clock.advance(time.Second)
	f.wantUse(l, nil)
	for _, when := range []string{"waiting", "written"} {
		d, ok := f.devices(me)[l.DeviceKey]
		if !ok || d.Kind != model.DeviceOAuth || d.UserAgent != "Editor" || d.IP != "198.*.*.3" || !d.ExpiresAt.Equal(l.ExpiresAt.Time) {
			t.Errorf("%s: device = %+v", when, d)
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if key := f.DeviceKey(f.alice.Key, session.OAuthClient(editor)); key != l.DeviceKey || key == f.DeviceKey(f.alice.Key, editor) {
		t.Errorf("device key %s", l.DeviceKey)
	}
	again := f.let(year) // which renews the device's name and place
	if again.DeviceKey != l.DeviceKey || again.ID == l.ID {
		t.Errorf("second login %+v beside %+v", again, l)
	}
	f.evict(me, l.DeviceKey)
	f.wantUse(l, session.ErrInactive)
	f.wantUse(again, session.ErrInactive)
	f.wantIn(f.signIn(f.alice, laptop).Token, laptop, nil)
}

func TestAnAppsLoginIsNeitherIdleNorOveraged(t *testing.T) { // S-13
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = time.Hour })
	l := f.let(year)
	f.clock.advance(year - time.Minute)
	if err := f.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantUse(l, nil)
	f.clock.advance(time.Minute)
	f.wantUse(l, session.ErrExpired)
	f.restart()
	f.wantUse(l, session.ErrExpired)
}

func TestAPairHasItsOwnLifetimeAndIsIdleAsPeopleAre(t *testing.T) {
	f := newFixture(t, func(c *session.Config) { c.IdleTimeout = 100 * time.Hour })
	o := from(f.alice, laptop)
	o.PairFor = year
	opened := f.open(o)
	if opened.Token != "" || !opened.ExpiresAt.Equal(start.Add(year)) {
		t.Fatalf("Open = %+v, want no token and a year", opened)
	}
	row := f.row(opened.LoginID)
	if row.Kind != model.LoginPair || row.FreshAt.IsZero() {
		t.Errorf("login = %+v", row)
	}
	use := func(clientID string, want error) {
		t.Helper()
		got, err := f.Use(t.Context(), session.Use{LoginID: row.ID, AccountKey: f.alice.Key, ClientID: clientID, Address: "192.0.2.7", UserAgent: browser})
		if !errors.Is(err, want) || err == nil && !got.FreshAt.Equal(row.FreshAt.Time) {
			t.Errorf("Use under %q = %+v, %v, want %v", clientID, got, err, want)
		}
	}
	f.clock.advance(90 * time.Hour) // beyond --token-lifetime
	use(laptop, nil)
	use("", nil)
	use(phone, session.ErrInactive) // S-02
	f.clock.advance(99 * time.Hour)
	use(laptop, nil)
	f.clock.advance(100 * time.Hour)
	use(laptop, session.ErrInactive)
}

// Whoever has a login's id has nothing; and a session token names its own kind
// of login only.
func TestUseIsForLoginsWithTokensOfTheirOwn(t *testing.T) {
	f := newFixture(t)
	signed := f.row(f.signIn(f.alice, laptop).LoginID)
	f.wantUse(signed, session.ErrInvalid)
	l := f.let(year)
	foreign := l
	foreign.AccountKey = f.store.AddAccount(model.Account{}).Key
	f.wantUse(foreign, session.ErrInvalid)
	f.wantUse(l, nil)
	f.wantUse(foreign, session.ErrInvalid) // also when it is remembered
	f.wantUse(model.Login{ID: "unknown", AccountKey: f.alice.Key}, session.ErrInvalid)
	f.wantIn(l.ID, "", session.ErrInvalid)
	if err := f.Standing(t.Context(), l.ID); err != nil {
		t.Errorf("Standing = %v", err)
	}
}

func TestAWarmUseCostsNoQueryAndOneWriteAMinute(t *testing.T) {
	f := newFixture(t)
	l := f.let(year)
	f.wantUse(l, nil)
	reads := f.store.reads.Load()
	var writes atomic.Int64
	f.store.onTouch(func() { writes.Add(1) })
	for range 100 {
		f.wantUse(l, nil)
		// Asked about from nowhere, it does not seem to move.
		if _, err := f.Use(t.Context(), session.Use{LoginID: l.ID, AccountKey: l.AccountKey}); err != nil {
			t.Fatal(err)
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.store.reads.Load() - reads; n != 0 || writes.Load() != 1 {
		t.Errorf("%d reads and %d writes, want 0 and 1", n, writes.Load())
	}
}

func TestWhatEndsAnAccountEndsItsApps(t *testing.T) { // O-12
	for why, want := range map[model.EndReason]error{
		model.EndPassword: session.ErrPasswordChanged, model.EndTwoFactor: session.ErrInactive, model.EndDisabled: session.ErrInactive,
	} {
		f := newFixture(t)
		l := f.let(year)
		f.wantUse(l, nil)
		f.endAccount(f.alice.Key, why)
		f.wantUse(l, want)
	}
}

// once an eviction has answered, no use that begins later is let in.
func TestAnAppIsNotLetInAfterItsEviction(t *testing.T) {
	for range 100 {
		f := newFixture(t)
		me, l := f.me(), f.let(year)
		var over atomic.Bool
		racetest.AtOnce(8, func(i int) {
			if i == 0 {
				f.evict(me, l.DeviceKey)
				over.Store(true)
				return
			}
			for range 20 {
				late := over.Load()
				if err := f.using(l); err == nil && late {
					t.Error("let in after its eviction")
				}
			}
		})
		f.wantUse(l, session.ErrInactive)
	}
}

func BenchmarkUseWarm(b *testing.B) { // every request of an app
	f := newFixture(b)
	l := f.let(year)
	u := session.Use{LoginID: l.ID, AccountKey: l.AccountKey, Address: "198.51.100.3"}
	if _, err := f.Use(b.Context(), u); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Use(b.Context(), u); err != nil {
			b.Fatal(err)
		}
	}
}
