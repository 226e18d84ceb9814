package server_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// town is a fortress with one account of each kind, all with the same password.
func town(t testing.TB, changes ...func(*config.Config, *server.Options)) (f *fortress, codes string) {
	t.Helper()
	f = besiege(t, changes...)
	for _, name := range []string{"plain", "locked", "careful"} {
		f.AddUser(t, name)
	}
	codes = f.enrol(t, f.SignIn(t, "careful", servertest.AdminPassword, "phone").Token)
	f.setDisabled(t, "locked", true)
	return f, codes
}

// identity is an answer without what no two answers share.
func identity(r servertest.Reply) string {
	header := r.Header.Clone()
	header.Del("X-Request-Id")
	header.Del("Date")
	return fmt.Sprintf("HTTP %d\n%v\n%s", r.Status, header, r.Text)
}

// Until the password is right all refusals are one, byte for byte; a
// disabled account and the guest get it with the right password too.
func TestRefusedSignInsAreIdentical(t *testing.T) {
	f, secret := town(t)
	right, wrong := servertest.AdminPassword, "wrong horse battery"
	code := totptest.Code(secret, f.clock.Now())
	var want string
	before := f.rows(t)
	for _, tt := range []struct {
		name string
		body map[string]string
	}{
		{"a wrong password", map[string]string{"username": "plain", "password": wrong}},
		{"an unknown name", map[string]string{"username": "nobody", "password": wrong}},
		{"an unknown name and a password in use", map[string]string{"username": "nobody", "password": right}},
		{"a name that cannot be one", map[string]string{"username": "../../etc/passwd", "password": wrong}},
		{"a name of blanks", map[string]string{"username": "   ", "password": wrong}},
		{"a long name", map[string]string{"username": strings.Repeat("n", 10_000), "password": wrong}},
		{"no password", map[string]string{"username": "plain"}},
		{"an empty password", map[string]string{"username": "plain", "password": ""}},
		{"a disabled account", map[string]string{"username": "locked", "password": wrong}},
		{"a disabled account with the right password", map[string]string{"username": "locked", "password": right}},
		{"the disabled guest", map[string]string{"username": "guest", "password": wrong}},
		{"the guest without a password", map[string]string{"username": "guest"}},
		{"an account with 2FA", map[string]string{"username": "careful", "password": wrong}},
		{"an account with 2FA and the right code", map[string]string{"username": "careful", "password": wrong, "otp_code": code}},
		{"an account with 2FA and a broken code", map[string]string{"username": "careful", "password": wrong, "otp_code": "abc"}},
		{"an unknown name with a code", map[string]string{"username": "nobody", "password": wrong, "otp_code": code}},
		{"an admin", map[string]string{"username": "admin", "password": wrong}},
	} {
		for _, route := range []string{"/api/auth/login", "/api/auth/login/hash"} {
			body := map[string]string{}
			for key, value := range tt.body {
				if body[key] = value; key == "password" && route != "/api/auth/login" {
					body[key] = staticHash(value)
				}
			}
			reply := f.Do(t, servertest.Request{Path: route, From: f.peer(), ClientID: "attacker", Body: body})
			wantCode(t, tt.name, reply, http.StatusBadRequest)
			if want == "" {
				want = identity(reply)
			}
			if diff := cmp.Diff(want, identity(reply)); diff != "" {
				t.Errorf("%s at %s is told apart:\n%s", tt.name, route, diff)
			}
		}
	}
	if after := f.rows(t); after != before {
		t.Errorf("a refused sign-in leaves a trace: %s", firstDifference(before, after))
	}
}

// The guest stays out of the sign-in even while guests are let in.
func TestEnabledGuestCannotSignIn(t *testing.T) {
	f := besiege(t)
	f.setDisabled(t, "guest", false)
	const given = "a password for nobody"
	if err := f.App.Profile.SetPassword(t.Context(), f.account(t, "guest"), given); err != nil {
		t.Fatal(err)
	}
	before := f.rows(t)
	for _, password := range []string{"", given, staticHash(given), "guest", staticHash(""), staticHash("guest"), servertest.AdminPassword} {
		for _, route := range []string{"/api/auth/login", "/api/auth/login/hash"} {
			f.clock.Advance(time.Hour) // nobody is throttled any more
			reply := f.Do(t, servertest.Request{Path: route, From: f.peer(), Body: map[string]string{"username": "guest", "password": password}})
			wantCode(t, "guest with "+password, reply, http.StatusBadRequest)
		}
	}
	if f.rows(t) != before {
		t.Error("a guest left a row")
	}
}

// No name comes with a password that everybody knows.
func TestDefaultPasswordsNeverSignIn(t *testing.T) {
	var out bytes.Buffer
	f := besiege(t, func(c *config.Config, o *server.Options) {
		c.AdminPassword, o.Out = config.Secret{}, &out
	})
	words := []string{"", "admin", "guest", "alist", "password", "123456", "latchkey", "changeme", "root", "null", "undefined", " "}
	for _, name := range []string{"admin", "guest", "Admin", "GUEST", "root"} {
		for _, word := range words {
			for _, password := range []string{word, staticHash(word)} {
				for _, route := range []string{"/api/auth/login", "/api/auth/login/hash"} {
					f.clock.Advance(time.Hour) // nobody is throttled any more
					reply := f.Do(t, servertest.Request{Path: route, From: f.peer(), Body: map[string]string{"username": name, "password": password}})
					wantCode(t, fmt.Sprintf("%s with %q at %s", name, password, route), reply, http.StatusBadRequest)
				}
			}
		}
	}
	printed := regexp.MustCompile(`password +(\S{16,})\n`).FindStringSubmatch(out.String())
	if printed == nil {
		t.Fatalf("no password in %q", out.String())
	}
	if strings.Contains(f.log.String(), printed[1]) {
		t.Error("the first password is in the log")
	}
	f.clock.Advance(time.Hour)
	f.SignIn(t, "admin", printed[1], "")
	var again bytes.Buffer
	besiege(t, func(c *config.Config, o *server.Options) { c.AdminPassword, o.Out = config.Secret{}, &again })
	if second := regexp.MustCompile(`password +(\S+)\n`).FindStringSubmatch(again.String()); second == nil || second[1] == printed[1] {
		t.Errorf("the first password of two servers is %q and %q", printed[1], again.String())
	}
}

// hashesOf counts the password hashes that an act computes, by their memory:
// each takes cost once, and nothing else here takes nearly as much.
func hashesOf(cost uint64, act func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	act()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / cost
}

// Every refusal costs one hash of the same size, whatever it is refused for
// one that needs none gets none.
func TestRefusedSignInsCostTheSameWork(t *testing.T) {
	const kib = 4096
	f, secret := town(t, func(_ *config.Config, o *server.Options) { o.HashMemoryKiB = kib })
	code := totptest.Code(secret, f.clock.Now())
	long := strings.Repeat("x", 1025)
	for _, tt := range []struct {
		name     string
		username string
		password string
		want     uint64
	}{
		{"a wrong password", "plain", "wrong", 1},
		{"an unknown name", "nobody", "wrong", 1},
		{"a name that cannot be one", "a/b", "wrong", 1},
		{"a disabled account", "locked", "wrong", 1},
		{"a disabled account with its password", "locked", servertest.AdminPassword, 1},
		{"the guest, who has no password", "guest", "wrong", 1},
		{"an account with 2FA", "careful", "wrong", 1},
		{"the right password without a code", "careful", servertest.AdminPassword, 1},
		{"no password", "plain", "", 1},
		{"a password of 1 KiB", "plain", long[:1024], 1},
		{"a password of more", "plain", long, 0},
		{"a password of more for an unknown name", "nobody", long, 0},
		{"a password of 60 KB", "plain", strings.Repeat(long, 58), 0},
		{"no name", "", "wrong", 0},
	} {
		for _, route := range []string{"/api/auth/login", "/api/auth/login/hash"} {
			password := tt.password
			if route != "/api/auth/login" && tt.want > 0 {
				password = staticHash(password)
			}
			var reply servertest.Reply
			request := servertest.Request{Path: route, From: f.peer(), Body: map[string]string{"username": tt.username, "password": password}}
			if got := hashesOf(kib<<10, func() { reply = f.Do(t, request) }); got != tt.want {
				t.Errorf("%s at %s: %d hashes, want %d: %s", tt.name, route, got, tt.want, reply.Text)
			}
			wantRefusal(t, tt.name, reply)
		}
	}
	// Not even a hash that is none is cheaper.
	request := servertest.Request{Path: "/api/auth/login/hash", From: f.peer(), Body: map[string]string{"username": "plain", "password": "zz", "otp_code": code}}
	if got := hashesOf(kib<<10, func() { f.Do(t, request) }); got != 1 {
		t.Errorf("a malformed hash: %d hashes, want 1", got)
	}
	// Who is throttled costs nothing any more.
	for range 20 {
		f.tryPassword(t, "plain", "wrong", "198.51.100.1")
	}
	if got := hashesOf(kib<<10, func() { f.tryPassword(t, "plain", "wrong", "198.51.100.1") }); got != 0 {
		t.Errorf("a throttled guess: %d hashes, want none", got)
	}
}

// BenchmarkRefusedSignIn is the cost of a refusal at full size, which must not
// tell whether there is such an account.
func BenchmarkRefusedSignIn(b *testing.B) {
	f := besiege(b, func(_ *config.Config, o *server.Options) { o.HashMemoryKiB = 0 })
	for _, name := range []string{"admin", "guest", "nobody"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.clock.Advance(time.Hour) // nobody is throttled any more
				f.tryPassword(b, name, "wrong", f.peer())
			}
		})
	}
}
