package session_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/revocation"
	"latchkey/service/session"
)

// disguises are the ways in which one token can come back.
func disguises(token string) map[string]session.Presented {
	return map[string]session.Presented{
		"as it was":              {Token: token, ClientID: laptop, UserAgent: browser, Address: "192.0.2.7"},
		"without a Client-Id":    {Token: token},
		"another Client-Id":      {Token: token, ClientID: phone},
		"a new Client-Id":        {Token: token, ClientID: "new"},
		"its own in other case":  {Token: token, ClientID: strings.ToUpper(laptop)},
		"another user agent":     {Token: token, ClientID: laptop, UserAgent: "curl/8"},
		"another address":        {Token: token, ClientID: laptop, Address: "203.0.113.9"},
		"for logging out":        {Token: token, ClientID: laptop, AnyDevice: true},
		"for logging out, other": {Token: token, ClientID: phone, AnyDevice: true},
	}
}

// wantDead checks that a token stays refused in every disguise, asked twice,
// with memory and without.
func (f *fixture) wantDead(token string, want error) {
	f.t.Helper()
	for range 2 {
		for name, p := range disguises(token) {
			for range 2 {
				if _, err := f.Resolve(f.t.Context(), p); !errors.Is(err, want) {
					f.t.Errorf("%s: Resolve = %v, want %v", name, err, want)
				}
			}
		}
		f.restart()
	}
}

func TestEndedTokensStayDead(t *testing.T) { // S-03, K-08, K-10
	for name, tt := range map[string]struct {
		end  func(*fixture, access.Caller, session.Opened) error
		want error
	}{
		"evicted by the owner": {func(f *fixture, by access.Caller, o session.Opened) error {
			return f.Evict(t.Context(), by, o.DeviceKey)
		}, session.ErrInactive},
		"evicted by an admin": {func(f *fixture, _ access.Caller, o session.Opened) error {
			return f.EvictAny(t.Context(), o.DeviceKey)
		}, session.ErrInactive},
		"dropped by an admin": {func(f *fixture, _ access.Caller, o session.Opened) error {
			return f.Drop(t.Context(), o.DeviceKey)
		}, session.ErrInactive},
		"logged out": {func(f *fixture, by access.Caller, _ session.Opened) error {
			return f.Logout(t.Context(), by)
		}, session.ErrInactive},
		"replaced": {func(f *fixture, _ access.Caller, o session.Opened) error {
			again := from(f.alice, laptop)
			again.Replaces = o.Token
			_, err := f.Open(t.Context(), again)
			return err
		}, session.ErrInactive},
		"put out by a newer device": {func(f *fixture, _ access.Caller, _ session.Opened) error {
			other := from(f.alice, phone)
			other.Limits = session.Limits{MaxDevices: 1, EvictOldest: true}
			_, err := f.Open(t.Context(), other)
			return err
		}, session.ErrInactive},
		"ended with its password": {func(f *fixture, _ access.Caller, _ session.Opened) error {
			f.endAccount(f.alice.Key, model.EndPassword)
			return nil
		}, session.ErrPasswordChanged},
		"ended with its second factor": {func(f *fixture, _ access.Caller, _ session.Opened) error {
			f.endAccount(f.alice.Key, model.EndTwoFactor)
			return nil
		}, session.ErrInactive},
		"ended with its account's rights": {func(f *fixture, _ access.Caller, _ session.Opened) error {
			f.endAccount(f.alice.Key, model.EndDisabled)
			return nil
		}, session.ErrInactive},
		"expired": {func(f *fixture, _ access.Caller, _ session.Opened) error {
			f.clock.advance(48 * time.Hour)
			return nil
		}, session.ErrExpired},
	} {
		for _, warm := range []bool{true, false} {
			t.Run(map[bool]string{true: name + ", remembered", false: name + ", forgotten"}[warm], func(t *testing.T) {
				f := newFixture(t)
				o := f.signIn(f.alice, laptop)
				by := f.caller(o)
				if !warm {
					f.restart()
				}
				if err := tt.end(f, by, o); err != nil {
					t.Fatalf("ending = %v", err)
				}
				f.wantDead(o.Token, tt.want)

				// Signing in again on the same device in the same instant makes another
				// token; the old one does not come back with it.
				f.store.ChangeAccount(f.alice.Key, func(a *model.Account) { f.alice.Epoch = a.Epoch })
				again := f.signIn(f.alice, laptop)
				if again.DeviceKey != o.DeviceKey {
					t.Errorf("DeviceKey = %s, want the same again: %s", again.DeviceKey, o.DeviceKey)
				}
				f.wantIn(again.Token, laptop, nil)
				f.wantDead(o.Token, tt.want)
				f.wantIn(again.Token, laptop, nil)
			})
		}
	}
}

func TestEvictEndsOneDevice(t *testing.T) {
	f := newFixture(t)
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	target, twin := f.signIn(f.alice, laptop), f.signIn(f.alice, laptop)
	mine, foreign := f.signIn(f.alice, phone), f.signIn(bob, laptop)
	f.evict(f.caller(mine), target.DeviceKey)
	f.wantIn(target.Token, "", session.ErrInactive)
	f.wantIn(twin.Token, "", session.ErrInactive)
	f.wantIn(mine.Token, "", nil)
	f.wantIn(foreign.Token, "", nil)
	if _, there := f.devices(f.caller(mine))[target.DeviceKey]; there {
		t.Error("the evicted device is listed")
	}
	f.evict(f.caller(mine), target.DeviceKey) // once more is no error
	own := f.caller(mine)
	f.evict(own, mine.DeviceKey)
	f.wantIn(mine.Token, "", session.ErrInactive)
}

func TestEvictKnowsOwnDevicesOnly(t *testing.T) { // S-05
	f := newFixture(t)
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	mine, foreign := f.signIn(f.alice, laptop), f.signIn(bob, laptop)
	by := f.caller(mine)
	key := mine.DeviceKey
	for name, id := range map[string]string{
		"somebody else's": foreign.DeviceKey, "an unknown one": strings.Repeat("0", 32), "an empty one": "", "a wild card": "%",
		"one with a blank after": key + " ", "one with a blank before": " " + key, "one with a NUL": key + "\x00", "upper case": strings.ToUpper(key) + "A",
		"a part": key[:31], "a pattern": key[:31] + "_", "a login": mine.LoginID, "a token": mine.Token, "a list": "[" + key + "]",
	} {
		t.Run(name, func(t *testing.T) {
			if err := f.Evict(t.Context(), by, id); !errors.Is(err, session.ErrNoDevice) {
				t.Errorf("Evict = %v, want ErrNoDevice", err)
			}
			if id == foreign.DeviceKey {
				return
			}
			if err := f.EvictAny(t.Context(), id); !errors.Is(err, session.ErrNoDevice) {
				t.Errorf("EvictAny = %v, want ErrNoDevice", err)
			}
			if err := f.Drop(t.Context(), id); !errors.Is(err, session.ErrNoDevice) {
				t.Errorf("Drop = %v, want ErrNoDevice", err)
			}
		})
	}
	f.wantIn(mine.Token, "", nil)
	f.wantIn(foreign.Token, "", nil)
}

func TestLogoutEndsTheTokensOwn(t *testing.T) { // S-04
	for name, tt := range map[string]struct {
		clientID string
		sibling  error // another login of the same device afterwards
	}{
		"device where it has a Client-Id":   {laptop, session.ErrInactive},
		"login where there is no Client-Id": {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			bob := f.store.AddAccount(model.Account{Username: "bob"})
			mine, sibling := f.signIn(f.alice, tt.clientID), f.signIn(f.alice, tt.clientID)
			others := []session.Opened{f.signIn(f.alice, phone), f.signIn(bob, tt.clientID)}
			by := f.caller(mine)
			if err := f.Logout(t.Context(), by); err != nil {
				t.Fatalf("Logout = %v", err)
			}
			f.wantIn(mine.Token, "", session.ErrInactive)
			f.wantIn(sibling.Token, "", tt.sibling)
			for _, o := range others {
				f.wantIn(o.Token, "", nil)
			}
			if got := f.row(mine.LoginID).EndReason; got != model.EndLogout {
				t.Errorf("reason = %q, want %q", got, model.EndLogout)
			}
			_, listed := f.devices(f.caller(others[0]))[mine.DeviceKey]
			if want := tt.sibling == nil; listed != want {
				t.Errorf("the device is listed: %v, want %v", listed, want)
			}
			if err := f.Logout(t.Context(), by); err != nil {
				t.Errorf("a second Logout that was let in before = %v, want nil", err)
			}
			f.wantIn(mine.Token, "", session.ErrInactive) // a second one that asks now
		})
	}
}

func TestLogoutOfTheLastLoginEndsTheNamelessDevice(t *testing.T) {
	f := newFixture(t)
	watcher := f.caller(f.signIn(f.alice, phone))
	o := f.signIn(f.alice, "")
	if err := f.Logout(t.Context(), f.caller(o)); err != nil {
		t.Fatal(err)
	}
	if _, there := f.devices(watcher)[o.DeviceKey]; there {
		t.Error("the nameless device is listed without a login")
	}
}

func TestGuestsAndOperatorsHaveNoDevices(t *testing.T) { // S-13, rulings 13
	f := newFixture(t)
	guest := f.store.AddAccount(model.Account{Username: "guest"})
	o := f.signIn(guest, laptop) // cannot be; if it is, nobody may meddle with it
	role := &access.Account{Key: guest.Key, RoleIDs: []int64{model.RoleGuest}}
	for name, by := range map[string]access.Caller{
		"nobody in particular":      {Kind: access.Guest, Account: role},
		"a token of a guest's":      {Kind: access.SessionToken, Account: role, DeviceKey: o.DeviceKey, LoginID: o.LoginID},
		"a guest without that role": {Kind: access.Guest, Account: &access.Account{Key: guest.Key, RoleIDs: []int64{3}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := f.store.calls.Load()
			list, err := f.List(t.Context(), by)
			if err != nil || list == nil || len(list) != 0 {
				t.Errorf("List = %#v, %v, want an empty list", list, err)
			}
			if err := f.Evict(t.Context(), by, o.DeviceKey); !errors.Is(err, session.ErrNoDevice) {
				t.Errorf("Evict = %v, want ErrNoDevice", err)
			}
			if n := f.store.calls.Load() - before; n != 0 {
				t.Errorf("%d questions to the database, want none", n)
			}
		})
	}
	for _, kind := range []access.CredentialKind{access.Guest, access.StaticToken} {
		by := access.Caller{Kind: kind, Account: &access.Account{Key: guest.Key}}
		if err := f.Logout(t.Context(), by); err != nil {
			t.Errorf("Logout = %v, want nil", err)
		}
	}
	f.wantIn(o.Token, "", nil)
}

func TestReasonsComeInTheirOrder(t *testing.T) { // rulings 19
	for name, tt := range map[string]struct {
		reasons []model.EndReason
		late    bool // asked after the token's time
		want    error
	}{
		"expired":                            {nil, true, session.ErrExpired},
		"evicted":                            {[]model.EndReason{model.EndEvicted}, false, session.ErrInactive},
		"evicted and past its time":          {[]model.EndReason{model.EndEvicted}, true, session.ErrInactive},
		"password":                           {[]model.EndReason{model.EndPassword}, false, session.ErrPasswordChanged},
		"password and past its time":         {[]model.EndReason{model.EndPassword}, true, session.ErrPasswordChanged},
		"evicted before the password":        {[]model.EndReason{model.EndEvicted, model.EndPassword}, false, session.ErrInactive},
		"password before the eviction":       {[]model.EndReason{model.EndPassword, model.EndEvicted}, false, session.ErrPasswordChanged},
		"disabled, and enabled since":        {[]model.EndReason{model.EndDisabled}, false, session.ErrInactive},
		"cleaned":                            {[]model.EndReason{model.EndCleaned}, false, session.ErrInactive},
		"put out by a limit":                 {[]model.EndReason{model.EndLimit}, false, session.ErrInactive},
		"a reason that is yet to be thought": {[]model.EndReason{"new"}, false, session.ErrInactive},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			o := f.signIn(f.alice, laptop)
			for _, why := range tt.reasons {
				f.endAccount(f.alice.Key, why)
			}
			if tt.late {
				f.clock.advance(48 * time.Hour)
			}
			for range 2 {
				login, err := f.resolve(o.Token, phone) // the wrong device comes last
				if !errors.Is(err, tt.want) || login.AccountKey != f.alice.Key {
					t.Errorf("Resolve = %+v, %v, want %v and whose it was", login, err, tt.want)
				}
			}
		})
	}
}

func TestAFailedEndingIsNotAnswered(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	by := f.caller(o)
	f.store.breakDown(errBroken)
	for name, end := range map[string]func(context.Context) error{
		"Evict":        func(ctx context.Context) error { return f.Evict(ctx, by, o.DeviceKey) },
		"EvictAny":     func(ctx context.Context) error { return f.EvictAny(ctx, o.DeviceKey) },
		"Logout":       func(ctx context.Context) error { return f.Logout(ctx, by) },
		"Drop":         func(ctx context.Context) error { return f.Drop(ctx, o.DeviceKey) },
		"DropInactive": func(ctx context.Context) error { return f.DropInactive(ctx, 0) },
		"List":         func(ctx context.Context) error { _, err := f.List(ctx, by); return err },
		"Clean":        f.Clean,
	} {
		if err := end(t.Context()); !errors.Is(err, errBroken) {
			t.Errorf("%s = %v, want the failure", name, err)
		}
	}
	f.store.breakDown(nil)
	f.wantIn(o.Token, laptop, nil)
}

func TestEndingsAreHeardBeforeTheyAreAnswered(t *testing.T) {
	f := newFixture(t)
	var heard []string
	f.hub.Subscribe(func(ctx context.Context, n revocation.Notice) {
		if ctx.Err() != nil {
			t.Error("a listener was given a context that is over")
		}
		heard = append(heard, n.AccountKey)
	})
	o := f.signIn(f.alice, laptop)
	if len(heard) != 0 {
		t.Errorf("a sign-in that ended nothing was announced to %v", heard)
	}
	by := f.caller(o)
	again := from(f.alice, laptop)
	again.Replaces = o.Token
	f.open(again)
	f.evict(by, o.DeviceKey)
	if err := f.Logout(t.Context(), by); err != nil {
		t.Fatal(err)
	}
	if err := f.EvictAny(t.Context(), o.DeviceKey); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 4 || heard[0] != f.alice.Key || heard[3] != f.alice.Key {
		t.Errorf("heard %v, want the account four times", heard)
	}
}
