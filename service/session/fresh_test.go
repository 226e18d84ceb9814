package session_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/revocation"
	"latchkey/service/session"
)

// freshAt is when the token's owner last proved who they are.
func (f *fixture) freshAt(token string) time.Time {
	f.t.Helper()
	login, err := f.resolve(token, "")
	if err != nil {
		f.t.Fatalf("Resolve = %v", err)
	}
	return login.FreshAt
}

func (f *fixture) freshen(by access.Caller) time.Time {
	f.t.Helper()
	at, err := f.Freshen(f.t.Context(), by, f.alice.Epoch)
	if err != nil {
		f.t.Fatalf("Freshen = %v", err)
	}
	return at
}

// A proof is known to everybody who remembered the login as stale, and after a
// restart.
func TestAProofCountsAtOnceAndForAll(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	twin := f.signIn(f.alice, laptop)
	by := f.caller(o)
	if by.FreshAt != start {
		t.Errorf("a sign-in is fresh from %v, want %v", by.FreshAt, start)
	}
	f.clock.advance(time.Hour + 123*time.Microsecond)
	now := start.Add(time.Hour)
	if got := f.freshen(by); got != now {
		t.Errorf("Freshen = %v, want %v, in whole milliseconds", got, now)
	}
	if got := f.freshAt(o.Token); got != now {
		t.Errorf("fresh from %v, want %v", got, now)
	}
	if got := f.freshAt(twin.Token); got != start {
		t.Errorf("the device's other login is fresh from %v, want %v", got, start)
	}
	f.restart()
	if got := f.freshAt(o.Token); got != now {
		t.Errorf("after a restart fresh from %v, want %v", got, now)
	}
}

// Whoever read the row before the proof must not keep it as it was.
func TestALoadUnderWayDoesNotHideAProof(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	by := f.caller(o)
	f.restart()
	f.clock.advance(time.Hour)
	var once sync.Once
	f.store.onRead(func() { once.Do(func() { f.freshen(by) }) })
	_, _ = f.resolve(o.Token, "")
	if got := f.freshAt(o.Token); got != start.Add(time.Hour) {
		t.Errorf("fresh from %v, want %v", got, start.Add(time.Hour))
	}
}

func TestAProofRevivesNothing(t *testing.T) { // K-08, rulings 19
	for name, tt := range map[string]struct {
		end  func(f *fixture, by access.Caller)
		want error
	}{
		"evicted":    {func(f *fixture, by access.Caller) { f.evict(by, by.DeviceKey) }, session.ErrInactive},
		"signed out": {func(f *fixture, by access.Caller) { _ = f.Logout(f.t.Context(), by) }, session.ErrInactive},
		"expired":    {func(f *fixture, _ access.Caller) { f.clock.advance(f.cfg.Lifetime) }, session.ErrExpired},
		"deleted": {func(f *fixture, _ access.Caller) {
			f.store.DeleteAccount(f.alice.Key)
			f.hub.Publish(f.t.Context(), revocation.Notice{AccountKey: f.alice.Key})
		}, session.ErrInvalid},
		"disabled":    {func(f *fixture, _ access.Caller) { f.endAccount(f.alice.Key, model.EndDisabled) }, session.ErrInactive},
		"by password": {func(f *fixture, _ access.Caller) { f.endAccount(f.alice.Key, model.EndPassword) }, session.ErrPasswordChanged},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			o := f.signIn(f.alice, laptop)
			by := f.caller(o)
			tt.end(f, by)
			if at, err := f.Freshen(t.Context(), by, f.alice.Epoch); !errors.Is(err, tt.want) {
				t.Errorf("Freshen = %v, %v, want %v", at, err, tt.want)
			}
			if got, err := f.EvictOthers(t.Context(), by); name != "expired" && !errors.Is(err, tt.want) {
				t.Errorf("EvictOthers = %v, %v, want %v", got, err, tt.want)
			}
			if err := f.Standing(t.Context(), by.LoginID); !errors.Is(err, tt.want) {
				t.Errorf("Standing = %v, want %v", err, tt.want)
			}
			f.wantIn(o.Token, laptop, tt.want)
			f.restart()
			f.wantIn(o.Token, laptop, tt.want)
		})
	}
}

func TestAProofOfThePastDoesNotCount(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	by := f.caller(o)
	f.store.ChangeAccount(f.alice.Key, func(a *model.Account) { a.Epoch++ })
	f.clock.advance(time.Minute)
	if _, err := f.Freshen(t.Context(), by, f.alice.Epoch); !errors.Is(err, session.ErrOvertaken) {
		t.Errorf("Freshen = %v, want ErrOvertaken", err)
	}
	if got := f.freshAt(o.Token); got != start {
		t.Errorf("fresh from %v, want %v", got, start)
	}
	f.store.breakDown(errBroken)
	if _, err := f.Freshen(t.Context(), by, f.alice.Epoch); !errors.Is(err, errBroken) {
		t.Errorf("Freshen = %v, want the failure", err)
	}
	if _, err := f.EvictOthers(t.Context(), by); !errors.Is(err, errBroken) {
		t.Errorf("EvictOthers = %v, want the failure", err)
	}
	if err := f.Standing(t.Context(), by.LoginID); !errors.Is(err, errBroken) {
		t.Errorf("Standing = %v, want the failure", err)
	}
}

// Once an eviction was answered, no request is let in, whoever proves what at
// that moment, and the time of the proof brings nothing back.
func TestProofsRacingAnEviction(t *testing.T) {
	const rounds, provers = 100, 24
	f := newFixture(t)
	for range rounds {
		f.clock.advance(2 * time.Minute)
		o := f.signIn(f.alice, laptop)
		by := f.caller(o)
		f.clock.advance(time.Second)
		var (
			answered atomic.Bool
			wg       sync.WaitGroup
			begin    = make(chan struct{})
		)
		for range provers {
			wg.Go(func() {
				<-begin
				for late := 0; late < 2; {
					after := answered.Load()
					_, proven := f.Freshen(t.Context(), by, f.alice.Epoch)
					_, in := f.resolve(o.Token, laptop)
					for what, err := range map[string]error{"a proof": proven, "a request": in} {
						if err != nil && !errors.Is(err, session.ErrInactive) {
							t.Errorf("%s = %v, want nil or ErrInactive", what, err)
						}
						if err == nil && after {
							t.Errorf("%s that began after the eviction was let in", what)
						}
					}
					if after {
						late++
					}
				}
			})
		}
		close(begin)
		f.evict(by, o.DeviceKey)
		answered.Store(true)
		wg.Wait()
		if row := f.row(o.LoginID); row.EndReason != model.EndEvicted {
			t.Fatalf("login = %+v, want it evicted", row)
		}
		f.wantIn(o.Token, laptop, session.ErrInactive)
		f.restart()
		f.wantIn(o.Token, laptop, session.ErrInactive)
		if t.Failed() {
			return
		}
	}
}

func TestEvictOthersSparesTheCallerAlone(t *testing.T) {
	f := newFixture(t)
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	caller, twin, other, nameless := f.signIn(f.alice, laptop), f.signIn(f.alice, laptop), f.signIn(f.alice, phone), f.signIn(f.alice, "")
	foreign := f.signIn(bob, laptop)
	by := f.caller(caller)
	for _, o := range []session.Opened{twin, other, nameless} {
		f.wantIn(o.Token, "", nil) // remembered from here on
	}
	var heard []revocation.Notice
	f.hub.Subscribe(func(_ context.Context, n revocation.Notice) { heard = append(heard, n) })
	got, err := f.EvictOthers(t.Context(), by)
	if want := (session.Evicted{Devices: 2, Logins: 3}); err != nil || got != want {
		t.Errorf("EvictOthers = %+v, %v, want %+v", got, err, want)
	}
	if len(heard) != 1 || heard[0].AccountKey != f.alice.Key {
		t.Errorf("heard %v, want one notice of the account", heard)
	}
	for _, o := range []session.Opened{twin, other, nameless} {
		f.wantIn(o.Token, "", session.ErrInactive)
	}
	f.wantIn(caller.Token, laptop, nil)
	f.wantIn(foreign.Token, laptop, nil)
	if list := f.devices(by); len(list) != 1 || list[by.DeviceKey].Key == "" {
		t.Errorf("devices %v, want the caller's", list)
	}
}

// Only who proved who they are may throw everybody else out, and no credential
// but a login's token ever can.
func TestEvictOthersNeedsAFreshLogin(t *testing.T) {
	f := newFixture(t)
	o, other := f.signIn(f.alice, laptop), f.signIn(f.alice, phone)
	by := f.caller(o)
	refused := func(what string, by access.Caller) {
		t.Helper()
		want := access.ErrNotFresh
		if by.IsDelegated() {
			want = access.ErrFirstParty
		}
		before := f.store.calls.Load()
		if _, err := f.EvictOthers(t.Context(), by); !errors.Is(err, want) {
			t.Errorf("EvictOthers by %s = %v, want %v", what, err, want)
		}
		if n := f.store.calls.Load() - before; n != 0 {
			t.Errorf("%s: %d questions to the database, want none", what, n)
		}
	}
	for kind := range access.CredentialKind(20) {
		if delegated := by; kind != access.SessionToken {
			delegated.Kind = kind
			refused("another credential", delegated)
		}
	}
	f.clock.set(start.Add(10 * time.Minute))
	refused("a login of 10 minutes", by)
	f.wantIn(other.Token, phone, nil)
	f.clock.set(start.Add(10*time.Minute - time.Millisecond))
	if _, err := f.EvictOthers(t.Context(), by); err != nil {
		t.Errorf("EvictOthers a millisecond earlier = %v", err)
	}
	f.wantIn(other.Token, phone, session.ErrInactive)
}

// A sign-in either came before all others ended, and is over, or came after and
// lives; the caller lives on, and the list says the same.
func TestEvictOthersRacingSignInsOfTheOwnDevice(t *testing.T) {
	f := newFixture(t)
	for range 50 {
		f.clock.advance(time.Minute)
		caller := f.signIn(f.alice, laptop)
		by := f.caller(caller)
		before := f.signIn(f.alice, laptop)
		var (
			wg    sync.WaitGroup
			mu    sync.Mutex
			late  []session.Opened
			begin = make(chan struct{})
		)
		for i := range 8 {
			wg.Go(func() {
				<-begin
				o := f.signIn(f.alice, []string{laptop, phone}[i%2])
				_, _ = f.resolve(o.Token, "")
				mu.Lock()
				defer mu.Unlock()
				late = append(late, o)
			})
		}
		close(begin)
		if _, err := f.EvictOthers(t.Context(), by); err != nil {
			t.Fatalf("EvictOthers = %v", err)
		}
		f.wantIn(before.Token, laptop, session.ErrInactive)
		wg.Wait()
		f.wantIn(caller.Token, laptop, nil)
		active := map[string]bool{by.DeviceKey: true}
		for _, o := range late {
			over := f.row(o.LoginID).EndReason != ""
			if _, err := f.resolve(o.Token, ""); over != (err != nil) {
				t.Errorf("Resolve = %v, but the login is over: %v", err, over)
			}
			if !over {
				active[o.DeviceKey] = true
			}
		}
		if list := f.devices(by); len(list) != len(active) {
			t.Errorf("%d devices are listed, want %d", len(list), len(active))
		}
		f.endAccount(f.alice.Key, model.EndTwoFactor)
		f.alice.Epoch++
		if t.Failed() {
			return
		}
	}
}
