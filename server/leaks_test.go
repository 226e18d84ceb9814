package server_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/server/servertest"
	"latchkey/service/racetest"
	"latchkey/service/secret"
)

const leaksAt = "/api/leaks"

// annsKey makes a key by which ann's account opens.
func (w *watched) annsKey(t testing.TB, name string) string {
	t.Helper()
	var made struct{ Key string }
	w.Do(t, servertest.Request{Path: "/api/me/apikey/create", Token: w.ann.Token, Body: object{"name": name, "scopes": []string{"me.read"}}}).Into(t, &made)
	if !w.opens(t, made.Key) {
		t.Fatalf("the key %q does not open", made.Key)
	}
	return made.Key
}

// A key that somebody reports is dead when the answer is there, and its owner is
// told; whoever reports it learns nothing.
func TestALeakedKeyIsRevokedAndNobodyLearnsOfIt(t *testing.T) { // P-03, R-01
	w := watch(t)
	key, other := w.annsKey(t, "1"), w.annsKey(t, "2")
	w.hook.take()
	report := func(body any) servertest.Reply { return w.Do(t, servertest.Request{Path: leaksAt, Body: body}) }
	var found servertest.Reply
	letter := only(t, w.mailed(t, func() { found = report(object{"key": key}) }))
	if w.opens(t, key) || !w.opens(t, other) {
		t.Error("want the reported key dead, and the other one alive")
	}
	if letter.To != "ann@example.org" || strings.Contains(letter.Text, key) {
		t.Errorf("mailed %+v", letter)
	}
	if posts := w.hook.take(); len(posts) != 1 || posts[0].event.Event != "api_key_leaked" {
		t.Errorf("posted %+v", posts)
	}
	list := w.Do(t, servertest.Request{Path: "/api/me/apikey/list", Token: w.ann.Token}).Text
	if !strings.Contains(list, `"revoked_because":"leaked"`) {
		t.Errorf("the owner sees %s", list)
	}
	before := w.rows(t)
	for what, body := range map[string]any{
		"the same again": object{"key": key}, "one that never was": object{"key": secret.NewBearer(secret.APIKey)},
		"a mistyped one": object{"key": key[:52] + "!"}, "no key at all": object{"key": "hunter2"}, "a list": object{"keys": []string{key}},
		"another kind": object{"key": secret.NewBearer(secret.RefreshToken)}, "null beside it": object{"key": key, "keys": nil},
	} {
		got := report(body)
		got.Header.Del("X-Request-Id")
		found.Header.Del("X-Request-Id")
		if got.Text != found.Text || got.Status != found.Status || len(got.Header) != len(found.Header) {
			t.Errorf("%s: %d %s %v, want %d %s %v", what, got.Status, got.Text, got.Header, found.Status, found.Text, found.Header)
		}
	}
	if after := w.rows(t); after != before {
		t.Errorf("reports of nothing changed rows:\n%s", firstDifference(before, after))
	}
	for what, body := range map[string]any{
		"nothing": object{}, "null": object{"key": nil}, "an empty text": object{"key": ""}, "both": object{"key": key, "keys": []string{key}},
		"an empty list": object{"keys": []string{}}, "a null in it": object{"keys": []any{nil}}, "101": object{"keys": strings.Split(strings.Repeat("x", 101), "")},
	} {
		if got := report(body); got.Code != http.StatusBadRequest {
			t.Errorf("%s: %s", what, got.Text)
		}
	}
}

// A list ends all keys of it, also the text that a rotation replaced.
func TestAListOfLeaksEndsAll(t *testing.T) {
	w := watch(t)
	first, second := w.annsKey(t, "1"), w.annsKey(t, "2")
	var rotated struct{ Key string }
	w.Do(t, servertest.Request{Path: "/api/me/apikey/rotate", Token: w.ann.Token, Body: object{"id": 2, "overlap_seconds": 3600}}).Into(t, &rotated)
	got := w.Do(t, servertest.Request{Path: leaksAt, Body: object{"keys": []string{"x", first, second}}})
	if got.Text != `{"code":200,"message":"success","data":{"accepted":3}}` {
		t.Errorf("answered %s", got.Text)
	}
	if w.opens(t, first) || w.opens(t, second) || !w.opens(t, rotated.Key) {
		t.Error("want both texts dead, and the one that took a place alive")
	}
}

func TestReportsOfLeaksAreLimited(t *testing.T) {
	w := watch(t)
	key := w.annsKey(t, "1")
	report := func(from string) servertest.Reply {
		return w.Do(t, servertest.Request{Path: leaksAt, From: from, Body: object{"key": "hunter2"}})
	}
	for i := range 30 {
		if got := report("203.0.113.7"); got.Code != http.StatusOK {
			t.Fatalf("report %d: %s", i+1, got.Text)
		}
	}
	late := w.Do(t, servertest.Request{Path: leaksAt, From: "203.0.113.7", Body: object{"key": key}})
	if late.Code != http.StatusTooManyRequests || late.Header.Get("Retry-After") == "" || !w.opens(t, key) {
		t.Errorf("report 31: %s", late.Text)
	}
	if got := report("203.0.113.8"); got.Code != http.StatusOK {
		t.Errorf("from elsewhere: %s", got.Text)
	}
	if got := w.Do(t, servertest.Request{Path: "/api/me", From: "203.0.113.7", Token: key}); got.Status != http.StatusOK {
		t.Errorf("a good key from there: %s", got.Text)
	}
}

// However many report a key at once, none of them is answered while it works,
// and it is revoked once.
func TestReportsAtOnceRevokeOnce(t *testing.T) {
	w := watch(t)
	key := w.annsKey(t, "1")
	racetest.AtOnce(8, func(int) {
		got := w.send(attack{name: "report", method: http.MethodPost, target: leaksAt, header: http.Header{}, body: `{"key":"` + key + `"}`, from: "192.0.2.1"}.request(t))
		if got.Code != http.StatusOK || w.opens(t, key) {
			t.Errorf("answered %s while the key works", got.Text)
		}
	})
	if n := len(w.query(t, "SELECT id FROM audit_events WHERE kind = 'api_key_revoked'")); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
}

// "This was not me" takes the keys along that were made on the device, and says
// how many others go on working.
func TestDisowningRevokesTheKeysOfTheDevice(t *testing.T) {
	w := watch(t)
	phone, token := w.notMe(t, "phone")
	mine := w.annsKey(t, "mine")
	var made struct{ Key string }
	w.Do(t, servertest.Request{Path: "/api/me/apikey/create", Token: phone.Token, Body: object{"name": "theirs", "scopes": []string{"all"}}}).Into(t, &made)
	if !w.opens(t, made.Key) {
		t.Fatal("the intruder's key does not open")
	}
	page := w.form(t, notMeAt, "token", token)
	wantPage(t, "the button", page, http.StatusOK, "1 API key was made on it, and revoked with it.", "1 API key of your account goes on working.")
	if w.opens(t, made.Key) || !w.opens(t, mine) {
		t.Error("want the intruder's key dead, and ann's alive")
	}
	wantPage(t, "the new password", w.form(t, passwordAt, "token", formToken(t, page), "password", newPassword), http.StatusOK, "1 API key of your account goes on working.")
}
