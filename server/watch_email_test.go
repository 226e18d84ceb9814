package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

const setEmailRoute = "/api/me/email"

func (w *watched) setEmail(t testing.TB, token, body string) servertest.Reply {
	t.Helper()
	return w.Do(t, servertest.Request{Path: setEmailRoute, Token: token, Body: body})
}

func (w *watched) wantEmail(t testing.TB, token, address string, verified bool) {
	t.Helper()
	reply := w.Do(t, servertest.Request{Path: "/api/me", Token: token})
	if want := fmt.Sprintf(`"email":%q,"email_verified":%t}}`, address, verified); !strings.HasSuffix(reply.Text, want) {
		t.Errorf("me: %s, want %s", reply.Text, want)
	}
}

//
func TestChangingTheAddress(t *testing.T) {
	w := watch(t)
	other := w.SignIn(t, "ann", servertest.AdminPassword, "phone")
	w.deliver(t)
	w.hook.take()
	w.wantEmail(t, w.ann.Token, "ann@example.org", true)

	w.clock.Advance(10 * time.Minute)
	const stale = `{"code":403,"message":"Recent sign-in required","data":null}`
	if reply := w.setEmail(t, w.ann.Token, `{"email":"ann@example.net"}`); reply.Text != stale {
		t.Errorf("a stale login: %s", reply.Text)
	}
	if reply := w.setEmail(t, w.App.AdminToken(), `{"email":"ann@example.net"}`); reply.Text != stale {
		t.Errorf("the static token: %s", reply.Text)
	}
	in := w.SignIn(t, "ann", servertest.AdminPassword, "laptop")
	var reply servertest.Reply
	letters := w.mailed(t, func() { reply = w.setEmail(t, in.Token, `{"email":"ann@example.net"}`) })
	if reply.Text != `{"code":200,"message":"success","data":null}` {
		t.Errorf("change: %s", reply.Text)
	}
	if len(letters) != 2 {
		t.Fatalf("%d messages, want 2", len(letters))
	}
	if old := only(t, to("ann@example.org", append([]servertest.Letter(nil), letters...))); old.Subject != "Your e-mail address for Latchkey was changed" || strings.Contains(old.Text, "token=") {
		t.Errorf("the old address is told %q:\n%s", old.Subject, old.Text)
	}
	if posts := w.hook.take(); len(posts) != 1 || posts[0].event.Event != "email_changed" || posts[0].event.Device != nil {
		t.Errorf("posted %+v", posts)
	}
	if w.isLive(t, other.Token) || w.isLive(t, w.ann.Token) || !w.isLive(t, in.Token) {
		t.Error("want all logins ended but the caller's")
	}
	w.wantEmail(t, in.Token, "ann@example.net", false)
	if n := len(w.mailed(t, func() { w.SignIn(t, "ann", servertest.AdminPassword, "tablet") })); n != 0 {
		t.Errorf("%d links with power went to an address that nobody confirmed", n)
	}

	token := only(t, to("ann@example.net", letters)).Token(t, confirmAt)
	wantPage(t, "the link", w.page(t, confirmAt, token), http.StatusOK, "Is this your address?", "<dd>ann@example.net</dd>")
	w.wantEmail(t, in.Token, "ann@example.net", false)
	wantPage(t, "the button", w.form(t, confirmAt, "token", token), http.StatusOK, "The address is confirmed")
	w.wantEmail(t, in.Token, "ann@example.net", true)

	if reply := w.setEmail(t, in.Token, `{"email":""}`); reply.Code != http.StatusOK {
		t.Errorf("take it away: %s", reply.Text)
	}
	w.wantEmail(t, in.Token, "", false)
	for kind, want := range map[string]int{"email_changed": 3, "email_verified": 1} { // the operator gave the first
		if n := strings.Count(w.log.String(), "event="+kind+" "); n != want {
			t.Errorf("%d events %s, want %d", n, kind, want)
		}
	}
}

func TestALinkForAnOlderAddressConfirmsNothing(t *testing.T) {
	w := watch(t)
	var first, second servertest.Letter
	first = only(t, to("a@example.net", w.mailed(t, func() { w.setEmail(t, w.ann.Token, `{"email":"a@example.net"}`) })))
	second = only(t, to("b@example.net", w.mailed(t, func() { w.setEmail(t, w.ann.Token, `{"email":"b@example.net"}`) })))
	again := only(t, w.mailed(t, func() { w.setEmail(t, w.ann.Token, `{"email":"b@example.net"}`) })) // asks once more
	wantPage(t, "the older link", w.page(t, confirmAt, first.Token(t, confirmAt)), http.StatusNotFound)
	wantPage(t, "its button", w.form(t, confirmAt, "token", first.Token(t, confirmAt)), http.StatusNotFound)
	w.wantEmail(t, w.ann.Token, "b@example.net", false)
	for i := range 2 {
		if reply := w.setEmail(t, w.ann.Token, fmt.Sprintf(`{"email":"c%d@example.net"}`, i)); reply.Code != http.StatusOK {
			t.Errorf("%d: %s", i, reply.Text)
		}
	}
	const enough = `{"code":429,"message":"Enough mail was sent for now, try again later","data":null}`
	if reply := w.setEmail(t, w.ann.Token, `{"email":"d@example.net"}`); reply.Text != enough {
		t.Errorf("a sixth within the hour: %s", reply.Text)
	}
	w.wantEmail(t, w.ann.Token, "c1@example.net", false)
	if reply := w.setEmail(t, w.ann.Token, `{"email":"b@example.net"}`); reply.Text != enough {
		t.Errorf("back again: %s", reply.Text)
	}
	_, _ = second, again
}

func TestAddressesThatAreNone(t *testing.T) {
	w := watch(t)
	before := w.rows(t)
	const none = `{"code":400,"message":"email must be one address such as ann@example.org, of at most 254 bytes","data":null}`
	for _, address := range []string{
		"x", "@example.org", "ann@", "a b@example.org", "ann@example.org,bob@example.org", "Ann <ann@example.org>", "<ann@example.org>",
		" ann@example.org", "ann@example.org ", "ann@example.org (work)", `\"a b\"@example.org`, "ann@exam ple.org", "ann@@example.org",
		"ann\u200b@example.org", strings.Repeat("a", 243) + "@example.org",
	} {
		if reply := w.setEmail(t, w.ann.Token, `{"email":"`+address+`"}`); reply.Text != none {
			t.Errorf("%q: %s", address, reply.Text)
		}
		body := `{"id":3,"username":"ann","email":"` + address + `"}`
		if reply := w.Do(t, servertest.Request{Path: "/api/admin/user/update", Token: w.App.AdminToken(), Body: body}); reply.Text != none {
			t.Errorf("%q by an admin: %s", address, reply.Text)
		}
	}
	for body, want := range map[string]string{
		`{}`:             `field "email" is required`,
		`{"email":null}`: `field "email" is required`,
		`{"email":7}`:    `field "email" must be a string`,
		`{"email":"ann@example.org\r\nBcc: x@example.org"}`: "",
	} {
		if reply := w.setEmail(t, w.ann.Token, body); reply.Code != http.StatusBadRequest || want != "" && reply.Message != want {
			t.Errorf("%s: %s", body, reply.Text)
		}
	}
	if after := w.rows(t); after != before {
		t.Errorf("rows changed:\n%s", firstDifference(before, after))
	}
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("b", 177) + ".example.org" // 254 bytes
	if reply := w.setEmail(t, w.ann.Token, `{"email":"`+long+`"}`); reply.Code != http.StatusOK || len(long) != 254 {
		t.Errorf("%d bytes: %s", len(long), reply.Text)
	}
}

// Clients of AList send back the whole account, without what they do not know.
func TestAdminsSetAddresses(t *testing.T) {
	w := watch(t)
	admin := w.App.AdminToken()
	for _, tt := range []struct{ what, body, email, verified string }{
		{"without the fields", `{"id":3,"username":"ann","password":"","base_path":"/","role":[3],"permission":0,"disabled":false,"sso_id":""}`, "ann@example.org", "true"},
		{"nulls", `{"id":3,"username":"ann","email":null,"email_verified":null}`, "ann@example.org", "true"},
		{"as it was", `{"id":3,"username":"ann","email":"ann@example.org"}`, "ann@example.org", "true"},
		{"another", `{"id":3,"username":"ann","email":"ann@example.net"}`, "ann@example.net", "false"},
		{"vouched for", `{"id":3,"username":"ann","email_verified":true}`, "ann@example.net", "true"},
		{"another, vouched for", `{"id":3,"username":"ann","email":"a@example.net","email_verified":true}`, "a@example.net", "true"},
		{"none", `{"id":3,"username":"ann","email":"","email_verified":true}`, "", "false"},
		{"none is vouched for", `{"id":3,"username":"ann","email_verified":true}`, "", "false"},
	} {
		if reply := w.Do(t, servertest.Request{Path: "/api/admin/user/update", Token: admin, Body: tt.body}); reply.Code != http.StatusOK {
			t.Errorf("%s: %s", tt.what, reply.Text)
		}
		want := `"email":"` + tt.email + `","email_verified":` + tt.verified + `}`
		for _, path := range []string{"get?id=3", "list"} {
			if reply := w.Do(t, servertest.Request{Path: "/api/admin/user/" + path, Token: admin}); !strings.Contains(reply.Text, want) {
				t.Errorf("%s: %s: %s, want %s", tt.what, path, reply.Text, want)
			}
		}
	}
	if !w.isLive(t, w.ann.Token) {
		t.Error("an admin's change of the address ended a login")
	}
	letter := only(t, to("bob@example.org", w.mailed(t, func() {
		w.Do(t, servertest.Request{Path: "/api/admin/user/create", Token: admin, Body: map[string]any{"username": "bob", "role": []int{3}, "email": "bob@example.org"}})
	})))
	letter.Token(t, confirmAt)
}

func TestGuestsHaveNoAddress(t *testing.T) {
	w := watch(t)
	w.setDisabled(t, "guest", false)
	if reply := w.setEmail(t, "", `{"email":"guest@example.org"}`); reply.Text != `{"code":403,"message":"Guest user can not have an email address","data":null}` {
		t.Error(reply.Text)
	}
}
