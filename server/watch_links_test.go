package server_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/server/servertest"
)

const (
	newPassword = "melon harbour seventeen"
	mustChange  = "Your password must be changed first: open the link that was mailed to you, or ask an admin"
	deadLink    = "This link does not work any more"
)

// formToken is the token in a page's form.
func formToken(t testing.TB, page servertest.Reply) string {
	t.Helper()
	found := regexp.MustCompile(`name="token" value="([0-9a-f]{64})"`).FindStringSubmatch(page.Text)
	if found == nil {
		t.Fatalf("no token in:\n%s", page.Text)
	}
	return found[1]
}

func (w *watched) tryAnn(t testing.TB, password, device string) servertest.Reply {
	t.Helper()
	return w.Do(t, servertest.Request{
		Path: "/api/auth/login", ClientID: device, Body: map[string]string{"username": "ann", "password": password},
	})
}

func (w *watched) isLive(t testing.TB, token string) bool {
	t.Helper()
	return w.Do(t, servertest.Request{Path: "/api/me", Token: token}).Code == http.StatusOK
}

func TestDisowningASignIn(t *testing.T) {
	w := watch(t)
	phone, token := w.notMe(t, "phone")
	w.hook.take()

	// Whoever scans mail opens links, again and again.
	before := w.rows(t)
	for range 3 {
		wantPage(t, "the link", w.page(t, notMeAt, token), http.StatusOK, "Was this not you?", `action="/account/not-me"`, "This was not me")
	}
	if after := w.rows(t); after != before {
		t.Errorf("opening the link changed rows:\n%s", firstDifference(before, after))
	}
	if !w.isLive(t, phone.Token) {
		t.Error("opening the link ended a login")
	}

	var page servertest.Reply
	letter := only(t, w.mailed(t, func() { page = w.form(t, notMeAt, "token", token) }))
	wantPage(t, "the button", page, http.StatusOK, "That device is signed out", `action="/account/set-password"`, `<label for="password">`)
	set := formToken(t, page)
	if got := letter.Token(t, passwordAt); got != set || letter.Subject != "Choose a new password for Latchkey" {
		t.Errorf("mailed %q with the link %s, want that of the page", letter.Subject, got)
	}
	if posts := w.hook.take(); len(posts) != 1 || posts[0].event.Event != "sign_in_disowned" || posts[0].event.Device.ID != phone.DeviceKey || len(posts[0].event.Links) != 0 {
		t.Errorf("posted %+v", posts)
	}
	if w.isLive(t, phone.Token) || !w.isLive(t, w.ann.Token) {
		t.Error("want the phone's login ended, and the laptop's live")
	}
	wantCode(t, "a wrong password", w.tryAnn(t, "wrong password", "phone"), http.StatusBadRequest)
	refused := w.tryAnn(t, servertest.AdminPassword, "phone")
	wantCode(t, "the right password", refused, http.StatusForbidden)
	if refused.Message != mustChange {
		t.Errorf("the right password: %s", refused.Text)
	}
	wantPage(t, "the link again", w.page(t, notMeAt, token), http.StatusNotFound, deadLink)
	wantPage(t, "the button again", w.form(t, notMeAt, "token", token), http.StatusNotFound, deadLink)

	// A password that is refused is asked for again, by the same link.
	for plain, why := range map[string]string{
		"short": "at least 8 characters", "password1": "best-known", servertest.AdminPassword: "it is the present one",
	} {
		again := w.form(t, passwordAt, "token", set, "password", plain)
		wantPage(t, plain, again, http.StatusBadRequest, `role="alert"`, why, "Choose a new password")
		if formToken(t, again) != set {
			t.Error("the page has another link")
		}
	}
	wantPage(t, "the mailed link", w.page(t, passwordAt, set), http.StatusOK, "Choose a new password", "account ann")
	wantPage(t, "a good password", w.form(t, passwordAt, "token", set, "password", newPassword), http.StatusOK, "Your password is changed")
	if w.isLive(t, w.ann.Token) {
		t.Error("a login outlived the password")
	}
	wantPage(t, "a second one", w.form(t, passwordAt, "token", set, "password", newPassword+"!"), http.StatusNotFound, deadLink)
	wantCode(t, "the old password", w.tryAnn(t, servertest.AdminPassword, "laptop"), http.StatusBadRequest)
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code != http.StatusOK {
		t.Errorf("the new password: %s", reply.Text)
	}
	for _, event := range []string{"sign_in_disowned", "password_changed"} {
		if !regexp.MustCompile(`event=` + event + ` peer=192\.0\.2\.1 account_key=` + w.account(t, "ann")).MatchString(w.log.String()) {
			t.Errorf("no event %s", event)
		}
	}
}

// Of any number of parallel tries at a link, one acts.
func TestLinksActOnce(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	var next string
	race := func(what string, path string, values ...string) servertest.Reply {
		var (
			acted atomic.Int32
			won   servertest.Reply
			group sync.WaitGroup
		)
		for range 16 {
			group.Go(func() {
				reply := w.form(t, path, values...)
				switch {
				case reply.Status == http.StatusOK && acted.Add(1) == 1:
					won = reply
				case reply.Status != http.StatusNotFound && reply.Status != http.StatusOK && reply.Status != http.StatusTooManyRequests:
					t.Errorf("%s: HTTP %d", what, reply.Status)
				}
			})
		}
		group.Wait()
		if acted.Load() != 1 {
			t.Errorf("%s acted %d times", what, acted.Load())
		}
		return won
	}
	next = formToken(t, race("disown", notMeAt, "token", disown))
	race("set password", passwordAt, "token", next, "password", newPassword)
	if n := strings.Count(w.log.String(), "event=sign_in_disowned"); n != 1 {
		t.Errorf("%d events", n)
	}
	letter := only(t, to("ann@example.net", w.mailed(t, func() { w.askEmail(t, "ann@example.net", newPassword) })))
	race("confirm", confirmAt, "token", letter.Token(t, confirmAt))
}

// to is the messages to one address.
func to(address string, letters []servertest.Letter) []servertest.Letter {
	return slices.DeleteFunc(letters, func(l servertest.Letter) bool { return l.To != address })
}

// askEmail has ann, who has just signed in, take another address.
func (w *watched) askEmail(t testing.TB, address, password string) {
	t.Helper()
	in := w.SignIn(t, "ann", password, "laptop")
	if reply := w.Do(t, servertest.Request{Path: "/api/me/email", Token: in.Token, Body: map[string]string{"email": address}}); reply.Code != http.StatusOK {
		t.Fatalf("set email: %s", reply.Text)
	}
}

func TestLinksThatDoNotWorkAreAnsweredAlike(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	unknown := strings.Repeat("0", 64)
	same := w.page(t, notMeAt, unknown).Text
	before := w.rows(t)
	dead := func(what, path, token string) {
		t.Helper()
		for kind, reply := range map[string]servertest.Reply{
			"page": w.page(t, path, token), "form": w.form(t, path, "token", token, "password", newPassword),
		} {
			if wantPage(t, what, reply, http.StatusNotFound, deadLink); reply.Text != same {
				t.Errorf("%s, %s: answered otherwise:\n%s", what, kind, reply.Text)
			}
		}
	}
	for what, token := range map[string]string{
		"no token": "", "a short one": disown[:63], "a long one": disown + "0", "capitals": strings.ToUpper(disown), "its hash": hashOf(disown), "a blank": disown + "+",
	} {
		dead(what, notMeAt, token)
	}
	dead("another purpose", passwordAt, disown)
	dead("another purpose", confirmAt, disown)
	w.clock.Advance(7 * 24 * time.Hour)
	dead("expired", notMeAt, disown)
	if after := w.rows(t); after != before {
		t.Errorf("rows changed:\n%s", firstDifference(before, after))
	}
}

func TestPasswordLinksLastAnHour(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	w.clock.Advance(7*24*time.Hour - time.Millisecond)
	set := formToken(t, w.form(t, notMeAt, "token", disown))
	w.clock.Advance(time.Hour)
	wantPage(t, "after an hour", w.form(t, passwordAt, "token", set, "password", newPassword), http.StatusNotFound, deadLink)
	wantCode(t, "the password", w.tryAnn(t, servertest.AdminPassword, "laptop"), http.StatusForbidden)

	// The operator can let her in again.
	if _, err := w.App.SetPassword(t.Context(), "ann", newPassword); err != nil {
		t.Fatal(err)
	}
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code != http.StatusOK {
		t.Errorf("the operator's password: %s", reply.Text)
	}
}

func TestAdminsClearTheMark(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	w.form(t, notMeAt, "token", disown)
	change := servertest.Request{Path: "/api/admin/user/update", Token: w.App.AdminToken(), Body: map[string]any{"id": 3, "username": "ann", "password": newPassword}}
	if reply := w.Do(t, change); reply.Code != http.StatusOK {
		t.Fatal(reply.Text)
	}
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code != http.StatusOK {
		t.Errorf("sign in: %s", reply.Text)
	}
}

// Whoever knew the disowned password may have signed in elsewhere, too: no login
// chooses the next one, however fresh it is.
func TestNobodySignedInChoosesAnotherPasswordThanTheDisownedOne(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	w.form(t, notMeAt, "token", disown)
	for path, body := range map[string]map[string]any{
		"/api/me/update":   {"username": "ann", "password": newPassword},
		"/api/me/password": {"old_password": servertest.AdminPassword, "new_password": newPassword},
		"/api/auth/reauth": {"password": servertest.AdminPassword},
	} {
		wantCode(t, path, w.Do(t, servertest.Request{Path: path, Token: w.ann.Token, Body: body}), http.StatusForbidden)
	}
	fresh := servertest.Request{Path: "/api/me/password", Token: w.ann.Token, Body: map[string]any{"new_password": newPassword}}
	wantCode(t, "a fresh login alone", w.Do(t, fresh), http.StatusForbidden)
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code == http.StatusOK {
		t.Errorf("the new password signs in: %s", reply.Text)
	}
}

// The owner who knows the password and not the code learns no more than before,
// and the second factor stays as it is.
func TestDisowningLeavesTheSecondFactor(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	w.enrol(t, w.ann.Token)
	set := formToken(t, w.form(t, notMeAt, "token", disown))
	w.form(t, passwordAt, "token", set, "password", newPassword)
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code != http.StatusPaymentRequired {
		t.Errorf("sign in without a code: %s", reply.Text)
	}
}

// An intruder who has the password cannot disarm the link that was mailed.
func TestTheLinkOutlivesAnIntrudersChanges(t *testing.T) {
	w := watch(t)
	in, disown := w.notMe(t, "phone")
	w.Do(t, servertest.Request{Path: "/api/me/email", Token: in.Token, Body: map[string]string{"email": "thief@example.com"}})
	w.Do(t, servertest.Request{Path: "/api/me/update", Token: in.Token, Body: map[string]string{"username": "ann", "password": "the thief's own words"}})
	set := formToken(t, w.form(t, notMeAt, "token", disown))
	wantPage(t, "set", w.form(t, passwordAt, "token", set, "password", newPassword), http.StatusOK)
	if reply := w.tryAnn(t, newPassword, "laptop"); reply.Code != http.StatusOK {
		t.Errorf("sign in: %s", reply.Text)
	}
}

func TestPagesAreProtected(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	for what, r := range map[string]servertest.Reply{
		"a page": w.page(t, notMeAt, disown), "a failure": w.page(t, notMeAt, "x"), "a form": w.form(t, notMeAt, "token", disown),
	} {
		for header, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		} {
			if got := r.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", what, header, got, want)
			}
		}
		policy := regexp.MustCompile(`^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$`)
		if got := r.Header.Get("Content-Security-Policy"); !policy.MatchString(got) {
			t.Errorf("%s: Content-Security-Policy %q", what, got)
		}
		if strings.Contains(r.Text, "<script") || strings.Contains(r.Text, " style=") || !strings.HasPrefix(r.Text, "<!doctype html>\n<html lang=\"en\">") {
			t.Errorf("%s:\n%s", what, r.Text)
		}
	}
}

// A form is a form: nothing else may carry a token, and a token in the address
// of a POST is none.
func TestPagesRefuseWhatIsNoForm(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	good := "token=" + disown
	before := w.rows(t)
	for what, tt := range map[string]struct {
		path, media, body string
		status            int
	}{
		"JSON":               {notMeAt, "application/json", `{"token":"` + disown + `"}`, 415},
		"text":               {notMeAt, "text/plain", good, 415},
		"no type":            {notMeAt, "", good, 415},
		"multipart":          {notMeAt, "multipart/form-data; boundary=x", good, 415},
		"a token twice":      {notMeAt, "application/x-www-form-urlencoded", good + "&" + good, 400},
		"a broken escape":    {notMeAt, "application/x-www-form-urlencoded", "token=%zz", 400},
		"a control":          {notMeAt, "application/x-www-form-urlencoded", good + "%00", 400},
		"nothing":            {notMeAt, "application/x-www-form-urlencoded", "", 404},
		"in the address":     {notMeAt + "?" + good, "application/x-www-form-urlencoded", "x=y", 404},
		"too much":           {notMeAt, "application/x-www-form-urlencoded", good + "&x=" + strings.Repeat("x", 65<<10), 413},
		"a name that is one": {notMeAt, "application/x-www-form-urlencoded", "TOKEN=" + disown, 404},
	} {
		reply := w.Do(t, servertest.Request{Path: tt.path, Body: tt.body, Header: map[string]string{"Content-Type": tt.media}})
		if reply.Status != tt.status {
			t.Errorf("%s: HTTP %d, want %d", what, reply.Status, tt.status)
		}
		if tt.status != http.StatusRequestEntityTooLarge {
			wantPage(t, what, reply, tt.status)
		}
	}
	if after := w.rows(t); after != before {
		t.Errorf("rows changed:\n%s", firstDifference(before, after))
	}
	if reply := w.page(t, notMeAt, url.QueryEscape("\x00")); reply.Status != http.StatusBadRequest {
		t.Errorf("a control in the address: HTTP %d", reply.Status)
	}
}
