package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server/servertest"
)

func TestBrowserSignsInAndOut(t *testing.T) {
	b, _ := browse(t)
	if r := b.get(signInAt + "?name=alice"); r.Status != http.StatusOK || fieldOf(r.Text, "username") != "alice" {
		t.Errorf("the page: %d %s", r.Status, r.Text)
	}
	b.signIn("alice")
	if !b.isIn() || !strings.Contains(b.get(signInAt).Text, "alice") {
		t.Fatal("nobody is signed in")
	}
	var devices []struct{ UA string }
	phone := b.SignIn(t, "alice", servertest.AdminPassword, "phone")
	b.Do(t, servertest.Request{Path: "/api/me/sessions", Token: phone.Token}).Into(t, &devices)
	if len(devices) != 2 || !slices.Contains([]string{devices[0].UA, devices[1].UA}, b.header["User-Agent"]) {
		t.Errorf("the browser does not stand among the devices: %+v", devices)
	}
	first := b.jar["latchkey-device"]
	if r := b.post(signOutAt); headingOf(r.Text) != "You are signed out" {
		t.Errorf("sign out: %s", r.Text)
	}
	if b.isIn() || b.jar["latchkey-session"] != "" {
		t.Error("still signed in")
	}
	b.signIn("alice")
	if b.jar["latchkey-device"] != first || len(first) != 32 {
		t.Errorf("the device was %q and is %q", first, b.jar["latchkey-device"])
	}
	if r := b.post(signOutAt); r.Status != http.StatusOK {
		t.Errorf("sign out: %d", r.Status)
	}
	if r := b.post(signOutAt); headingOf(r.Text) != "You are signed out" {
		t.Errorf("sign out twice: %s", r.Text)
	}
}

// what is wrong is not told apart.
func TestSignInPageTellsNobodyWhatWasWrong(t *testing.T) {
	b, _ := browse(t)
	if err := b.App.Accounts.SetDisabled(t.Context(), b.Key(t, "alice"), true); err != nil {
		t.Fatal(err)
	}
	b.AddUser(t, "carol")
	want := ""
	for what, try := range map[string][2]string{
		"unknown": {"nobody", "wrong horse"}, "wrong": {"carol", "wrong horse"}, "disabled": {"alice", servertest.AdminPassword},
		"empty": {"carol", ""}, "guest": {"guest", "guest"}, "too short to be": {"carol", "x"},
	} {
		r := surf(t, b.Server).post(signInAt, "username", try[0], "password", try[1])
		text := strings.ReplaceAll(r.Text, try[0], "NAME")
		if want == "" {
			want = text
		}
		if r.Status != http.StatusBadRequest || text != want || alertOf(r.Text) != "The user name or the password is wrong." {
			t.Errorf("%s: %d %s", what, r.Status, r.Text)
		}
		if fieldOf(r.Text, "username") != try[0] || strings.Contains(r.Text, "horse") {
			t.Errorf("%s: the form is %s", what, r.Text)
		}
	}
}

func TestSignInPageAsksForTheCodeOnly(t *testing.T) {
	b, clock := browse(t)
	secret := b.enrol("alice", clock)
	ask := func() string {
		t.Helper()
		r := b.post(signInAt, "username", "alice", "password", servertest.AdminPassword, "next", "/session/device")
		if r.Status != http.StatusOK || headingOf(r.Text) != "Enter your code" || alertOf(r.Text) != "" || fieldOf(r.Text, "next") != "/session/device" {
			t.Fatalf("asked: %d %s", r.Status, r.Text)
		}
		if strings.Contains(r.Text, `name="password"`) || !strings.Contains(r.Text, "alice") {
			t.Fatalf("the page is %s", r.Text)
		}
		return fieldOf(r.Text, "ticket")
	}
	ticket := ask()
	if r := b.post(signInAt, "ticket", ticket, "code", "000000"); r.Status != http.StatusUnauthorized || fieldOf(r.Text, "ticket") != ticket || !strings.Contains(alertOf(r.Text), "wrong") {
		t.Errorf("a wrong code: %d %s", r.Status, r.Text)
	}
	if r := b.post(signInAt, "ticket", ticket, "code", " "); r.Status != http.StatusBadRequest || alertOf(r.Text) != "Enter a code." {
		t.Errorf("no code: %d %s", r.Status, r.Text)
	}
	r := b.post(signInAt, "ticket", ticket, "code", " "+codeOf(secret, clock)+" ", "next", "/session/device")
	if r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/session/device" || !b.isIn() {
		t.Fatalf("a right code: %d %s", r.Status, r.Text)
	}
	again := surf(t, b.Server) // the same code, and the ticket in another browser
	again.jar["latchkey-device"] = b.jar["latchkey-device"]
	if r := again.post(signInAt, "ticket", ticket, "code", codeOf(secret, clock)); r.Status != http.StatusUnauthorized || again.isIn() {
		t.Errorf("a used code: %d", r.Status)
	}
	clock.Advance(30 * time.Second)
	if r := surf(t, b.Server).post(signInAt, "ticket", ticket, "code", codeOf(secret, clock)); r.Status != http.StatusBadRequest || headingOf(r.Text) != "Sign in" {
		t.Errorf("another browser's ticket: %d %s", r.Status, r.Text)
	}
}

// A ticket is no password: it ends with the account's, and after five minutes.
func TestSignInTicketEnds(t *testing.T) {
	for what, end := range map[string]func(b *surfer, clock *servertest.Clock){
		"with the password": func(b *surfer, _ *servertest.Clock) {
			if err := b.App.Profile.SetPassword(t.Context(), b.Key(t, "alice"), newPassword); err != nil {
				t.Fatal(err)
			}
		},
		"with the factor": func(b *surfer, _ *servertest.Clock) {
			id := b.query("alice")
			b.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/admin/user/cancel_2fa?id=" + id, Token: b.App.AdminToken()})
		},
		"with the account": func(b *surfer, _ *servertest.Clock) {
			if err := b.App.Accounts.SetDisabled(t.Context(), b.Key(t, "alice"), true); err != nil {
				t.Fatal(err)
			}
		},
		"after five minutes": func(_ *surfer, clock *servertest.Clock) { clock.Advance(5 * time.Minute) },
	} {
		t.Run(what, func(t *testing.T) {
			b, clock := browse(t)
			secret := b.enrol("alice", clock)
			ticket := fieldOf(b.post(signInAt, "username", "alice", "password", servertest.AdminPassword).Text, "ticket")
			end(b, clock)
			r := b.post(signInAt, "ticket", ticket, "code", codeOf(secret, clock))
			if r.Status != http.StatusBadRequest || headingOf(r.Text) != "Sign in" || !strings.Contains(alertOf(r.Text), "password again") || b.isIn() {
				t.Errorf("%d %s", r.Status, r.Text)
			}
		})
	}
}

// query is the wire id of an account.
func (b *surfer) query(name string) string {
	b.t.Helper()
	var list struct {
		Content []struct {
			ID       int64
			Username string
		}
	}
	b.Do(b.t, servertest.Request{Path: "/api/admin/user/list", Token: b.App.AdminToken()}).Into(b.t, &list)
	i := slices.IndexFunc(list.Content, func(u struct {
		ID       int64
		Username string
	},
	) bool {
		return u.Username == name
	})
	return string(rune('0' + list.Content[i].ID))
}

// Throttled as at AList's door: the page counts with it.
func TestSignInPageIsThrottled(t *testing.T) {
	b, _ := browse(t)
	for range 10 {
		b.Do(t, servertest.Request{Path: "/api/auth/login", Body: object{"username": "alice", "password": "x"}})
	}
	var r servertest.Reply
	for range 20 {
		if r = b.post(signInAt, "username", "alice", "password", "x"); r.Status == http.StatusTooManyRequests {
			break
		}
	}
	if r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || !strings.Contains(alertOf(r.Text), "The next try is possible in ") {
		t.Errorf("%d, Retry-After %q: %s", r.Status, r.Header.Get("Retry-After"), r.Text)
	}
	if r := b.post(signInAt, "username", "alice", "password", servertest.AdminPassword); r.Status != http.StatusTooManyRequests {
		t.Errorf("the right password: %d", r.Status)
	}
}

func TestSignInLeadsToPagesOfThisServerOnly(t *testing.T) {
	b, _ := browse(t)
	for next, want := range map[string]string{
		"/session/device?user_code=A": "/session/device?user_code=A", "//evil.example": signInAt, "https://evil.example": signInAt,
		`/\evil.example`: signInAt, "": signInAt, "/..//evil.example": signInAt,
	} {
		other := surf(t, b.Server)
		if r := other.post(signInAt, "username", "alice", "password", servertest.AdminPassword, "next", next); r.Header.Get("Location") != want {
			t.Errorf("next %q leads to %q", next, r.Header.Get("Location"))
		}
		if r := other.get(signInAt + "?next=" + escaped(next)); want != signInAt && r.Header.Get("Location") != want {
			t.Errorf("next %q of somebody signed in leads to %q", next, r.Header.Get("Location"))
		}
	}
}

// What ended a login is said once.
func TestSignInPageSaysWhyOneIsOut(t *testing.T) {
	for want, end := range map[string]func(b *surfer, clock *servertest.Clock){
		"This device was signed out.": func(b *surfer, _ *servertest.Clock) {
			b.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/me/sessions/evict_others", Token: b.SignIn(t, "alice", servertest.AdminPassword, "x").Token})
		},
		"Your password was changed.": func(b *surfer, _ *servertest.Clock) {
			if err := b.App.Profile.SetPassword(t.Context(), b.Key(t, "alice"), newPassword); err != nil {
				t.Fatal(err)
			}
		},
		"Your last sign-in is too long ago.": func(_ *surfer, clock *servertest.Clock) { clock.Advance(48 * time.Hour) },
	} {
		b, clock := browse(t)
		b.signIn("alice")
		end(b, clock)
		if got := alertOf(b.get(signInAt).Text); !strings.HasPrefix(got, want) {
			t.Errorf("it says %q, want %q", got, want)
		}
		if got := alertOf(b.get(signInAt).Text); got != "" {
			t.Errorf("it says again %q", got)
		}
	}
}

// Nobody could use the login that was there before any more: it ends.
func TestSigningInAsSomebodyElseEndsTheLoginBefore(t *testing.T) {
	b, _ := browse(t)
	b.AddUser(t, "carol")
	b.signIn("alice")
	before := b.jar["latchkey-session"]
	b.signIn("alice")
	if before == b.jar["latchkey-session"] {
		t.Error("the token is the same")
	}
	before = b.jar["latchkey-session"]
	b.signIn("carol")
	if r := b.Do(t, servertest.Request{Path: "/api/me", Token: before}); r.Message != "session inactive" {
		t.Errorf("alice's login lives on: %s", r.Text)
	}
	if !strings.Contains(b.get(signInAt).Text, "carol") {
		t.Error("carol is not signed in")
	}
}

func TestConfirmPageMakesTheLoginFresh(t *testing.T) {
	b, clock := browse(t)
	if r := b.get(confirmAs + "?next=/session/device"); r.Header.Get("Location") != signInAt+"?next=%2Faccount%2Fconfirm%3Fnext%3D%252Fsession%252Fdevice" {
		t.Errorf("nobody goes to %q", r.Header.Get("Location"))
	}
	secret := b.enrol("alice", clock)
	ticket := fieldOf(b.post(signInAt, "username", "alice", "password", servertest.AdminPassword).Text, "ticket")
	b.post(signInAt, "ticket", ticket, "code", codeOf(secret, clock))
	clock.Advance(11 * time.Minute)
	page := b.get(confirmAs + "?next=/session/device").Text
	if headingOf(page) != "Confirm that it is you" || !strings.Contains(page, `name="code"`) || fieldOf(page, "next") != "/session/device" {
		t.Fatalf("the page is %s", page)
	}
	for alert, pairs := range map[string][]string{
		"The password is wrong.":  {"password", "x", "code", codeOf(secret, clock)},
		"Enter a code, too.":      {"password", servertest.AdminPassword},
		"This code is wrong, or":  {"password", servertest.AdminPassword, "code", "000000"},
		"Password is longer than": {"password", strings.Repeat("x", 1025), "code", "000000"},
	} {
		if r := b.post(confirmAs, pairs...); r.Status < 400 || r.Status >= 500 || !strings.HasPrefix(alertOf(r.Text), alert) {
			t.Errorf("want %q: %d %s", alert, r.Status, r.Text)
		}
	}
	fresh := func() bool {
		r := b.Do(t, servertest.Request{
			Path: "/api/me/update", Token: b.jar["latchkey-session"], ClientID: b.jar["latchkey-device"],
			Body: object{"username": "alice", "password": "another horse battery"},
		})
		return r.Code == http.StatusOK
	}
	if fresh() {
		t.Error("fresh without a proof")
	}
	if r := b.post(confirmAs, "password", servertest.AdminPassword, "code", codeOf(secret, clock), "next", "/session/device"); r.Header.Get("Location") != "/session/device" {
		t.Errorf("confirmed: %d %s", r.Status, r.Text)
	}
	if !fresh() {
		t.Error("not fresh after a proof")
	}
}

func TestPagesForSignedInPeopleHoldBackWhoMustEnrol(t *testing.T) {
	b, _ := browse(t)
	require(t, b.Server, model.RoleAdmin)
	b.signIn("admin")
	if r := b.get(confirmAs); r.Status != http.StatusForbidden || headingOf(r.Text) != "A second factor comes first" {
		t.Errorf("%d %s", r.Status, r.Text)
	}
}
