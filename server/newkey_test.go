package server_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/totp/totptest"
)

// keyForm is what ann sends for a key that may see her account, with changes.
func keyForm(changes ...string) url.Values {
	form := url.Values{
		"name": {"photo backup"}, "offer": {"me.read", "session.read"}, "scope": {"me.read"}, "expires_in_days": {"90"},
		"username": {"ann"}, "password": {servertest.AdminPassword},
	}
	for i := 0; i < len(changes); i += 2 {
		form[changes[i]] = strings.Fields(changes[i+1])
	}
	return form
}

func (w *watched) postKey(t testing.TB, form url.Values) servertest.Reply {
	t.Helper()
	return w.Do(t, servertest.Request{Path: newKeyAt, Body: form.Encode(), Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
}

// keyOn is the key that a page shows; empty if it shows none.
func keyOn(r servertest.Reply) string {
	return regexp.MustCompile(`lka_[0-9A-Za-z]{49}`).FindString(r.Text)
}

func (w *watched) opens(t testing.TB, key string) bool {
	t.Helper()
	return w.Do(t, servertest.Request{Path: "/api/me", Token: key}).Status == http.StatusOK
}

func TestALinkProposesAKey(t *testing.T) {
	w := watch(t)
	before := w.rows(t)
	link := newKeyAt + "?name=photo+backup&scope=session.read&scope=me.read&scope=all&scope=admin.user.read&expires_in_days=90&utm_x=utm_y"
	page := w.Do(t, servertest.Request{Path: link})
	wantPage(t, "the link", page, http.StatusOK, "Make an API key", "Some program proposes this key", `value="photo backup"`, `value="90"`,
		"See your account: name, roles, folders and rights", "Everything you may do", "Concerns everybody")
	for scope, ticked := range map[string]bool{"me.read": true, "session.read": true, "all": false, "admin.user.read": false} {
		if got := strings.Contains(page.Text, `name="scope" value="`+scope+`" checked>`); got != ticked {
			t.Errorf("%s is ticked: %t, want %t", scope, got, ticked)
		}
	}
	if strings.Contains(page.Text, "<script") || strings.Contains(page.Text, "utm_") || strings.Contains(page.Text, `name="otp_code"`) {
		t.Errorf("the page has too much in it:\n%s", page.Text)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", policy)
	}
	empty := w.Do(t, servertest.Request{Path: newKeyAt})
	wantPage(t, "no proposal", empty, http.StatusOK, "Make an API key")
	if n := strings.Count(empty.Text, `name="scope"`); n != len(access.Vocabulary()) || strings.Contains(empty.Text, "checked") || strings.Contains(empty.Text, "Some program") {
		t.Errorf("without a proposal %d scopes are offered", n)
	}
	if after := w.rows(t); after != before {
		t.Errorf("opening the link changed rows:\n%s", firstDifference(before, after))
	}
}

func TestLinksThatAreNotUnderstood(t *testing.T) {
	w := watch(t)
	for query, text := range map[string]string{
		"scope=me.fly":                        "The link asks for a permission that does not exist here. Unknown permission: me.fly",
		"scope=me.read&scope=":                "The link asks for a permission that does not exist here. Unknown permission: ",
		"scope=%3Cscript%3E":                  "Unknown permission: &lt;script&gt;",
		"scope=(first+party)":                 "Unknown permission: (first party)",
		"name=" + strings.Repeat("x", 65):     "The name in the link is longer than 64 characters",
		"name=a%E2%80%AEb":                    "cannot be shown",
		"name=a&name=b":                       "given twice",
		"expires_in_days=0":                   "1 to 3650, or nothing",
		"expires_in_days=3651":                "1 to 3650, or nothing",
		"expires_in_days=-1":                  "1 to 3650, or nothing",
		"expires_in_days=%2B5":                "1 to 3650, or nothing",
		"expires_in_days=9d":                  "1 to 3650, or nothing",
		strings.Repeat("scope=me.read&", 101): "given too often",
	} {
		wantPage(t, query, w.Do(t, servertest.Request{Path: newKeyAt + "?" + query}), http.StatusBadRequest, "This did not work", text)
	}
}

// Whatever a link or a form says is text on the page and nothing else.
func TestThePageShowsMarkupAsText(t *testing.T) {
	w := watch(t)
	for _, attack := range []string{`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `</title><svg onload=alert(1)>`, `javascript:alert(1)`, `{{.Data}}`, "` onfocus=alert(1) autofocus x=`"} {
		pages := map[string]servertest.Reply{
			"a link":          w.Do(t, servertest.Request{Path: newKeyAt + "?" + url.Values{"name": {attack}}.Encode()}),
			"a link's scope":  w.Do(t, servertest.Request{Path: newKeyAt + "?" + url.Values{"scope": {attack}}.Encode()}),
			"a form's fields": w.postKey(t, url.Values{"name": {attack}, "scope": {"me.read"}, "username": {attack}, "password": {attack}, "otp_code": {attack}}),
			"a form's scope":  w.postKey(t, url.Values{"name": {"x"}, "scope": {attack}, "username": {"ann"}, "password": {"x"}}),
			"a key's name": w.postKey(t, url.Values{
				"name": {attack}, "scope": {"me.read"}, "username": {"ann"}, "password": {servertest.AdminPassword},
			}),
		}
		for where, page := range pages {
			text := page.Text
			for _, bad := range []string{"<script", "<img", "<svg", "onerror=alert(1)>", "autofocus x=`"} {
				if strings.Contains(text, bad) && !strings.Contains(html.EscapeString(bad), bad) {
					t.Errorf("%s: %q stands on the page for %q:\n%s", where, bad, attack, text)
				}
			}
			if page.Header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("%s: not the page", where)
			}
		}
	}
}

func TestThePageMakesAKey(t *testing.T) {
	w := watch(t)
	devices := len(w.query(t, "SELECT key FROM devices"))
	var page servertest.Reply
	letter := only(t, w.mailed(t, func() { page = w.postKey(t, keyForm()) }))
	wantPage(t, "the form", page, http.StatusOK, "Your API key", "not shown again", "photo backup", "curl -H 'x-api-key: lka_")
	key := keyOn(page)
	if !w.opens(t, key) {
		t.Errorf("the key %q does not open the account", key)
	}
	if got := w.Do(t, servertest.Request{Path: "/api/me/sessions", Token: key}); got.Status != http.StatusForbidden {
		t.Errorf("what was not ticked is allowed: %s", got.Text)
	}
	if letter.To != "ann@example.org" || letter.Subject != "A new API key for Latchkey" || strings.Contains(letter.Text, key) || !strings.Contains(letter.Text, key[:8]) {
		t.Errorf("mailed %+v", letter)
	}
	if posts := w.hook.take(); len(posts) != 1 || posts[0].event.Event != "api_key_created" {
		t.Errorf("posted %+v", posts)
	}
	if n := len(w.query(t, "SELECT key FROM devices")); n != devices {
		t.Errorf("%d devices, there were %d: the page left one behind", n, devices)
	}
	row := w.query(t, "SELECT expires_at - created_at, created_on_device FROM api_keys")[0]
	if row[0].value != "7776000000" || row[1].value != "" {
		t.Errorf("the key is %v", row)
	}
	if strings.Contains(w.rows(t), key) {
		t.Error("the key's text is in the database")
	}
}

// What can be mended is asked for again, with everything kept but the password.
func TestThePageAsksAgain(t *testing.T) {
	w := watch(t)
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		text   string
	}{
		"a wrong password":      {keyForm("password", "wrong"), 400, "Username or password is incorrect."},
		"an unknown name":       {keyForm("username", "nobody"), 400, "Username or password is incorrect."},
		"no scope":              {keyForm("scope", ""), 400, "Tick at least one thing"},
		"no name":               {keyForm("name", ""), 400, "Name must be 1 to 64 printable characters."},
		"an admin's permission": {keyForm("scope", "admin.user.read"), 403, "Only admins can give this permission: admin.user.read."},
	} {
		page := w.postKey(t, tt.form)
		wantPage(t, name, page, tt.status, `role="alert"`, tt.text, `value="90"`, `value="`+tt.form.Get("username")+`"`, `name="offer" value="session.read"`)
		if strings.Contains(page.Text, "Some program proposes") {
			t.Errorf("%s: who asked by themselves is told of a program", name)
		}
		if keyOn(page) != "" || strings.Contains(page.Text, servertest.AdminPassword) || strings.Contains(page.Text, `value="wrong"`) {
			t.Errorf("%s: a key, or the password, is on the page:\n%s", name, page.Text)
		}
	}
	if w.postKey(t, keyForm()); keyOn(w.postKey(t, keyForm())) != "" {
		t.Error("a second key of the name was made")
	}
	wantPage(t, "the name again", w.postKey(t, keyForm()), 400, "An API key with the same name already exists.")
	for name, form := range map[string]url.Values{"an unknown scope": keyForm("scope", "me.fly"), "days": keyForm("expires_in_days", "soon"), "two names": keyForm("name", "a b")} {
		wantPage(t, name, w.postKey(t, form), http.StatusBadRequest, "This did not work")
	}
	foreign := w.Do(t, servertest.Request{Path: newKeyAt, Body: keyForm("name", "foreign").Encode(), Header: map[string]string{
		"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "cross-site",
	}})
	wantPage(t, "a form on another site", foreign, http.StatusForbidden, "another site")
	if n := len(w.query(t, "SELECT id FROM api_keys")); n != 1 {
		t.Errorf("%d keys, want the one", n)
	}
}

// Who must first enrol a second factor makes no key with the password alone.
func TestThePageWaitsForASecondFactor(t *testing.T) {
	w := watch(t)
	require(t, w.Server, account.RoleGeneral)
	page := w.postKey(t, keyForm())
	wantPage(t, "the form", page, http.StatusForbidden, "Your role requires 2FA: enable it first.")
	if n := len(w.query(t, "SELECT id FROM api_keys")); n != 0 || keyOn(page) != "" {
		t.Errorf("%d keys are made", n)
	}
}

// What a link proposed is still a proposal after a mistake.
func TestThePageRemembersThatItWasProposed(t *testing.T) {
	w := watch(t)
	wantPage(t, "the link", w.Do(t, servertest.Request{Path: newKeyAt + "?scope=me.read"}), http.StatusOK, `name="proposed" value="1"`)
	wantPage(t, "a mistake", w.postKey(t, keyForm("proposed", "1", "password", "wrong")), http.StatusBadRequest, "Some program proposes", `name="proposed" value="1"`)
}

// The password that is changed while a key is made with it makes none.
func TestAPasswordThatIsChangedMeanwhileMakesNoKey(t *testing.T) {
	w := watch(t)
	keys := w.App.APIKeys()
	now, changed := keys.Now, false
	keys.Now = func() time.Time { // asked for between the proof and the key
		if !changed {
			changed = true
			if _, err := w.App.SetPassword(t.Context(), "ann", newPassword); err != nil {
				t.Errorf("change the password: %v", err)
			}
		}
		return now()
	}
	page := w.postKey(t, keyForm())
	wantPage(t, "the form", page, http.StatusConflict, "Account has been changed meanwhile, try again.")
	if n := len(w.query(t, "SELECT id FROM api_keys")); n != 0 || keyOn(page) != "" {
		t.Errorf("%d keys are left", n)
	}
}

func TestThePageAsksForACode(t *testing.T) {
	w := watch(t)
	secret := w.enrol(t, w.ann.Token)
	page := w.postKey(t, keyForm())
	wantPage(t, "without a code", page, http.StatusUnauthorized, `name="otp_code"`, "The password is right", `value="photo backup"`)
	page = w.postKey(t, keyForm("otp_code", "000000"))
	wantPage(t, "a wrong code", page, http.StatusUnauthorized, `name="otp_code"`, "Invalid 2FA code.")
	if keyOn(page) != "" {
		t.Error("a key was made")
	}
	code := totptest.Code(secret, w.clock.Now())
	page = w.postKey(t, keyForm("otp_code", code))
	if key := keyOn(page); page.Status != http.StatusOK || !w.opens(t, key) {
		t.Errorf("with the code: %d\n%s", page.Status, page.Text)
	}
	wantPage(t, "the code again", w.postKey(t, keyForm("otp_code", code, "name", "second")), http.StatusUnauthorized, "Invalid 2FA code.")
}

// Guessing on the page is guessing: it is counted with all other sign-ins.
func TestThePageIsNoWayRoundTheThrottle(t *testing.T) {
	w := watch(t)
	send := func() servertest.Reply {
		return w.Do(t, servertest.Request{Path: newKeyAt, From: "203.0.113.7", Body: keyForm("password", "wrong").Encode(), Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	}
	var last servertest.Reply
	for range 12 {
		last = send()
	}
	wantPage(t, "too many", last, http.StatusTooManyRequests, "Too many unsuccessful sign-in attempts")
	if last.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	in := w.Do(t, servertest.Request{Path: "/api/auth/login", From: "203.0.113.7", Body: map[string]string{"username": "ann", "password": servertest.AdminPassword}})
	wantCode(t, "signing in from there", in, http.StatusTooManyRequests)
}
