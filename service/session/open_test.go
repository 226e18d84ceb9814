package session_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"latchkey/model"
	"latchkey/service/session"
)

func TestDeviceKeyIsStable(t *testing.T) { // S-01, S-06
	f := newFixture(t)
	first := f.signIn(f.alice, laptop)
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(first.DeviceKey) {
		t.Errorf("DeviceKey = %q, want 32 lower-case hex digits", first.DeviceKey)
	}
	f.evict(f.caller(first), first.DeviceKey)
	f.restart()
	again := f.signIn(f.alice, laptop)
	if again.DeviceKey != first.DeviceKey || f.DeviceKey(f.alice.Key, laptop) != first.DeviceKey {
		t.Errorf("DeviceKey = %s, want the first one's %s", again.DeviceKey, first.DeviceKey)
	}
	if again.LoginID == first.LoginID || again.Token == first.Token {
		t.Error("the second sign-in gave the first one's login")
	}
	nameless := f.signIn(f.alice, "")
	if f.signIn(f.alice, "").DeviceKey != nameless.DeviceKey || nameless.DeviceKey == first.DeviceKey {
		t.Error("without a Client-Id there is not one device")
	}
	if other := newFixture(t); other.DeviceKey(f.alice.Key, laptop) == first.DeviceKey {
		t.Error("another server has the same device key: it can be computed without a secret")
	}
}

func TestDeviceKeysDiffer(t *testing.T) { // S-07
	f := newFixture(t)
	long := strings.Repeat("x", 255)
	ids := []string{
		"", " ", "a", "A", "a ", " a", "a\x00", "a\x00b", "ab", "a:b", "a|b", "a/b", "a-b", "a.b", "a,b", "a;b", "a\nb", "a\tb", "a b", "a+b", "a%20b",
		"null", "undefined", "0", "00", "%", "_", "*", `'`, `"`, `\`, laptop, strings.ToUpper(laptop), laptop + "0", laptop[1:],
		norm.NFC.String("é"), norm.NFD.String("é"), "e", "ß", "ss", "ſ", "s", "İ", "i", "ı", "\u212a", "K", "k", "\u200b", "\ufeff", "\u00a0", "а", "ａ",
		long, long + "a", long + "b", long[:254], long[:254] + "y",
	}
	seen := map[string]string{}
	for i := range 3 {
		account := fmt.Sprintf("%032x", i)
		for _, id := range append(ids, account, account[1:]) {
			key, pair := f.DeviceKey(account, id), fmt.Sprintf("(%s, %q)", account, id)
			if before, there := seen[key]; there {
				t.Errorf("%s and %s share a key", before, pair)
			}
			seen[key] = pair
		}
	}
}

func TestResolveBindsTokensToTheirDevice(t *testing.T) { // S-02
	f := newFixture(t)
	mine, nameless := f.signIn(f.alice, laptop), f.signIn(f.alice, "")
	f.signIn(f.alice, phone) // another device that exists
	for name, tt := range map[string]struct {
		token, clientID string
		want            error
	}{
		"its own Client-Id":                     {mine.Token, laptop, nil},
		"no Client-Id":                          {mine.Token, "", nil},
		"another device's Client-Id":            {mine.Token, phone, session.ErrInactive},
		"an unknown Client-Id":                  {mine.Token, "new", session.ErrInactive},
		"its own in upper case":                 {mine.Token, strings.ToUpper(laptop), session.ErrInactive},
		"its own with a blank":                  {mine.Token, laptop + " ", session.ErrInactive},
		"no Client-Id for the nameless device":  {nameless.Token, "", nil},
		"some Client-Id for the nameless one":   {nameless.Token, laptop, session.ErrInactive},
		"its device key as Client-Id":           {mine.Token, mine.DeviceKey, session.ErrInactive},
		"the account's key before its own":      {mine.Token, f.alice.Key + laptop, session.ErrInactive},
		"a part of the account's key in the id": {mine.Token, f.alice.Key[31:] + laptop, session.ErrInactive},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // cold and warm
				f.wantIn(tt.token, tt.clientID, tt.want)
				f.wantIn(tt.token, "", nil) // a refusal does not end the token
			}
			f.restart()
			f.wantIn(tt.token, tt.clientID, tt.want)
			loggingOut := session.Presented{Token: tt.token, ClientID: tt.clientID, AnyDevice: true}
			if login, err := f.Resolve(t.Context(), loggingOut); err != nil || login.AccountKey != f.alice.Key {
				t.Errorf("Resolve under any device = %+v, %v", login, err)
			}
		})
	}
	if list, err := f.ListAll(t.Context()); err != nil || len(list) != 3 {
		t.Errorf("ListAll = %d devices, %v, want the 3 that signed in", len(list), err)
	}
}

func TestResolveSaysWhoItIs(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	want := session.Login{
		ID: o.LoginID, AccountKey: f.alice.Key, DeviceKey: o.DeviceKey,
		FreshAt: start, ExpiresAt: start.Truncate(time.Second).Add(48 * time.Hour),
	}
	f.clock.advance(time.Hour)
	for range 2 {
		if got, err := f.resolve(o.Token, laptop); err != nil || got != want {
			t.Errorf("Resolve = %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestOpenKeepsWhatTheDeviceIs(t *testing.T) {
	for name, tt := range map[string]struct {
		clientID, userAgent string
		want                model.DeviceKind
	}{
		"a browser":                       {laptop, browser, model.DeviceWeb},
		"a program with a Client-Id":      {laptop, "rclone/1.70", model.DeviceAPI},
		"a program without":               {"", "curl/8.9", model.DeviceAPI},
		"a browser without a Client-Id":   {"", browser, model.DeviceAPI},
		"nothing said":                    {"", "", model.DeviceAPI},
		"a browser's name further within": {laptop, "app Mozilla/5.0", model.DeviceAPI},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			o := from(f.alice, tt.clientID)
			o.UserAgent = tt.userAgent
			opened := f.open(o)
			list, err := f.ListAll(t.Context())
			if err != nil || len(list) != 1 {
				t.Fatalf("ListAll = %+v, %v", list, err)
			}
			d := list[0]
			if d.Kind != tt.want || d.UserAgent != tt.userAgent || d.IP != "192.*.*.7" || d.Username != "alice" || d.AccountID != f.alice.ID {
				t.Errorf("device = %+v, want kind %s", d, tt.want)
			}
			if !d.ExpiresAt.Equal(opened.ExpiresAt) || !d.SeenAt.Equal(start) {
				t.Errorf("device = %+v, want it seen at %v until %v", d, start, opened.ExpiresAt)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*fixture, *session.Opening)
		want    error
	}{
		"a password that was changed meanwhile": {func(f *fixture, _ *session.Opening) { f.endAccount(f.alice.Key, model.EndPassword) }, session.ErrOvertaken},
		"an account that was disabled": {func(f *fixture, _ *session.Opening) {
			f.store.ChangeAccount(f.alice.Key, func(a *model.Account) { a.Disabled = true })
		}, session.ErrOvertaken},
		"an account that is gone": {func(f *fixture, _ *session.Opening) { f.store.DeleteAccount(f.alice.Key) }, session.ErrOvertaken},
		"one device too many": {func(f *fixture, o *session.Opening) {
			f.signIn(f.alice, phone)
			o.Limits.MaxDevices = 1
		}, session.ErrTooManyDevices},
		"anybody while the database is away": {func(f *fixture, _ *session.Opening) { f.store.breakDown(model.ErrUnavailable) }, model.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			o := from(f.alice, laptop)
			tt.prepare(f, &o)
			if opened, err := f.Open(t.Context(), o); !errors.Is(err, tt.want) || opened != (session.Opened{}) {
				t.Errorf("Open = %+v, %v, want %v", opened, err, tt.want)
			}
		})
	}
}

func TestOpenMakesRoom(t *testing.T) {
	f := newFixture(t)
	o := from(f.alice, laptop)
	o.Limits = session.Limits{MaxDevices: 2, EvictOldest: true}
	first := f.open(o)
	f.clock.advance(time.Second)
	o.ClientID = phone
	second := f.open(o)
	f.wantIn(first.Token, "", nil)
	f.wantIn(second.Token, "", nil)
	f.clock.advance(2 * time.Minute)
	f.wantIn(first.Token, "", nil) // used, though nothing wrote it down yet
	f.clock.advance(time.Millisecond)
	o.ClientID = "third"
	third := f.open(o)
	f.wantIn(first.Token, "", nil)
	f.wantIn(second.Token, "", session.ErrInactive)
	f.wantIn(third.Token, "", nil)
	f.restart()
	f.wantIn(second.Token, "", session.ErrInactive)
}

func TestOpenCapsWhatAnAccountHas(t *testing.T) { // S-08, S-09
	for name, tt := range map[string]struct {
		clientID func(i int) string
		most     int
	}{
		"logins of a device with a Client-Id":   {func(int) string { return laptop }, 20},
		"logins of the device without one":      {func(int) string { return "" }, 500},
		"devices, whatever the setting may say": {func(i int) string { return strconv.Itoa(i) }, 100},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			var opened []session.Opened
			for i := range tt.most + 3 {
				f.clock.advance(time.Millisecond)
				opened = append(opened, f.signIn(f.alice, tt.clientID(i)))
			}
			for i, o := range opened {
				want := session.ErrInactive
				if i < 3 {
					f.wantIn(o.Token, "", want)
				} else {
					f.wantIn(o.Token, "", nil)
				}
			}
		})
	}
}

func TestOpenReplacesALogin(t *testing.T) { // S-08
	f := newFixture(t)
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	for name, tt := range map[string]struct {
		old  session.Opened
		want error // of the old token afterwards
	}{
		"of the same device":       {f.signIn(f.alice, laptop), session.ErrInactive},
		"but none of another one":  {f.signIn(f.alice, phone), nil},
		"but none of the nameless": {f.signIn(f.alice, ""), nil},
		"but none of another user": {f.signIn(bob, laptop), nil},
	} {
		t.Run(name, func(t *testing.T) {
			sibling := f.signIn(f.alice, laptop)
			o := from(f.alice, laptop)
			o.Replaces = tt.old.Token
			fresh := f.open(o)
			f.wantIn(tt.old.Token, "", tt.want)
			f.wantIn(sibling.Token, "", nil)
			f.wantIn(fresh.Token, "", nil)
		})
	}
	for _, replaces := range []string{"", "garbage", strings.Repeat(".", 9000)} {
		o := from(f.alice, laptop)
		o.Replaces = replaces
		f.open(o)
	}
}

func TestOpenDoesNotTouchWhatItMayReplace(t *testing.T) {
	f := newFixture(t)
	other := f.signIn(f.alice, phone)
	f.clock.advance(time.Hour)
	o := from(f.alice, laptop)
	o.Replaces = other.Token
	f.open(o)
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	by := f.caller(f.signIn(f.alice, laptop))
	d := f.devices(by)[other.DeviceKey]
	if !d.SeenAt.Equal(start) || d.UserAgent != browser || d.IP != "192.*.*.7" {
		t.Errorf("the other device = %+v, want it as it was", d)
	}
}

func TestKnownDevices(t *testing.T) {
	f := newFixture(t)
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	opened := f.signIn(f.alice, laptop)
	f.signIn(f.alice, "")
	f.evict(f.caller(opened), opened.DeviceKey)
	known := func(a model.Account, clientID string) bool {
		t.Helper()
		got, err := f.Known(t.Context(), a.Key, clientID)
		if err != nil {
			t.Fatalf("Known = %v", err)
		}
		return got
	}
	if !known(f.alice, laptop) {
		t.Error("a device that was seen just now is unknown")
	}
	if known(f.alice, phone) || known(bob, laptop) || known(f.alice, "") {
		t.Error("a device that was never seen, is another user's or has no Client-Id is known")
	}
	f.clock.advance(30*24*time.Hour - time.Millisecond)
	if !known(f.alice, laptop) {
		t.Error("a device is unknown within 30 days")
	}
	f.clock.advance(time.Millisecond)
	if known(f.alice, laptop) {
		t.Error("a device is known after 30 days")
	}
}

func TestConfigReportsEveryMistake(t *testing.T) {
	if err := session.Defaults().Validate(); err != nil {
		t.Errorf("the defaults are wrong: %v", err)
	}
	bad := session.Config{Lifetime: time.Second, IdleTimeout: time.Second, TouchEvery: time.Millisecond, CacheSize: 1}
	err := bad.Validate()
	if err == nil {
		t.Fatal("Validate = nil")
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("Validate reports %d mistakes, want 4:\n%v", n, err)
	}
	for name, tt := range map[string]struct {
		change func(*session.Config)
		ok     bool
	}{
		"no idle timeout":                             {func(c *session.Config) { c.IdleTimeout = 0 }, true},
		"the shortest idle timeout":                   {func(c *session.Config) { c.IdleTimeout = 5 * time.Minute }, true},
		"an idle timeout shorter than that":           {func(c *session.Config) { c.IdleTimeout = 5*time.Minute - 1 }, false},
		"a negative idle timeout":                     {func(c *session.Config) { c.IdleTimeout = -time.Hour }, false},
		"an idle timeout within the touch interval":   {func(c *session.Config) { c.IdleTimeout, c.TouchEvery = time.Hour, time.Hour }, false},
		"an idle timeout of twice the touch interval": {func(c *session.Config) { c.IdleTimeout, c.TouchEvery = time.Hour, 30*time.Minute }, true},
		"the shortest lifetime":                       {func(c *session.Config) { c.Lifetime = time.Minute }, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := session.Defaults()
			tt.change(&c)
			if err := c.Validate(); (err == nil) != tt.ok {
				t.Errorf("Validate = %v, want ok %v", err, tt.ok)
			}
		})
	}
}

func TestAnEndedSignInChangesNothing(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Open(ctx, from(f.alice, laptop)); !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("Open = %v, want ErrUnavailable", err)
	}
	if list, err := f.ListAll(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("ListAll = %+v, %v, want none", list, err)
	}
}
