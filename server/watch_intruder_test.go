package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

// An intruder who puts a confirmed address of their own in the place of the
// owner's is sent no link with power, when the owner disowns them and later.
func TestAnIntrudersConfirmedAddressHasNoPower(t *testing.T) {
	w := watch(t)
	in, disown := w.notMe(t, "phone")
	const theirs = "thief@example.com"
	letters := w.mailed(t, func() {
		w.Do(t, servertest.Request{Path: "/api/me/email", Token: in.Token, Body: map[string]string{"email": theirs}})
	})
	confirm := only(t, to(theirs, letters)).Token(t, confirmAt)
	spare := only(t, to(theirs, w.mailed(t, func() {
		w.Do(t, servertest.Request{Path: "/api/me/email", Token: in.Token, Body: map[string]string{"email": theirs}})
	}))).Token(t, confirmAt)
	wantPage(t, "the intruder's address", w.form(t, confirmAt, "token", confirm), http.StatusOK)

	var set string
	letter := only(t, w.mailed(t, func() { set = formToken(t, w.form(t, notMeAt, "token", disown)) }))
	if letter.To != "ann@example.org" || letter.Token(t, passwordAt) != set {
		t.Errorf("the link to a new password went to %s", letter.To)
	}
	wantPage(t, "the owner's password", w.form(t, passwordAt, "token", set, "password", newPassword), http.StatusOK)
	wantPage(t, "the intruder's address, again", w.form(t, confirmAt, "token", spare), http.StatusNotFound, deadLink)
	if letters := w.mailed(t, func() { w.SignIn(t, "ann", newPassword, "a new phone") }); len(letters) != 0 {
		t.Errorf("the owner's next device is told to %s", letters[0].To)
	}
}

// While a password is disowned, the logins that it made are fresh no more.
func TestADisownedPasswordProvedNothing(t *testing.T) {
	w := watch(t)
	if _, err := w.App.SetRoles(t.Context(), "ann", []string{"admin"}); err != nil {
		t.Fatal(err)
	}
	elsewhere := w.SignIn(t, "ann", servertest.AdminPassword, "laptop")
	_, disown := w.notMe(t, "phone")
	w.form(t, notMeAt, "token", disown)
	for path, body := range map[string]any{
		"/api/me/email":                 map[string]string{"email": "thief@example.com"},
		"/api/me/sessions/evict_others": map[string]any{},
		"/api/admin/user/update":        map[string]any{"id": 3, "username": "ann", "password": newPassword},
	} {
		wantCode(t, path, w.Do(t, servertest.Request{Path: path, Token: elsewhere.Token, Body: body}), http.StatusForbidden)
	}
}

// What was done and could not be recorded is no success, but its owner is told
// as if it were: the link is used up, the address is another one.
func TestWhatIsNotRecordedIsToldAllTheSame(t *testing.T) {
	for what, tt := range map[string]struct {
		do func(t *testing.T, w *watched, disown string) servertest.Reply
		to []string
	}{
		"an address": {func(t *testing.T, w *watched, _ string) servertest.Reply {
			body := map[string]string{"email": "second@example.org"}
			return w.Do(t, servertest.Request{Path: "/api/me/email", Token: w.ann.Token, Body: body})
		}, []string{"second@example.org", "ann@example.org"}},
		"an admin's change": {func(t *testing.T, w *watched, _ string) servertest.Reply {
			body := map[string]any{"id": 3, "username": "ann", "email": "third@example.org", "email_verified": true}
			return w.Do(t, servertest.Request{Path: "/api/admin/user/update", Token: w.App.AdminToken(), Body: body})
		}, []string{"ann@example.org"}},
		"disowning": {func(t *testing.T, w *watched, disown string) servertest.Reply {
			return w.form(t, notMeAt, "token", disown)
		}, []string{"ann@example.org"}},
	} {
		t.Run(what, func(t *testing.T) {
			w := watch(t)
			_, disown := w.notMe(t, "phone")
			w.alter(t, "ALTER TABLE audit_events RENAME TO audit_away")
			var reply servertest.Reply
			letters := w.mailed(t, func() {
				reply = tt.do(t, w, disown)
				w.alter(t, "ALTER TABLE audit_away RENAME TO audit_events")
			})
			if reply.Status != http.StatusServiceUnavailable {
				t.Errorf("HTTP %d %s", reply.Status, reply.Text)
			}
			for _, address := range tt.to {
				if len(to(address, slices.Clone(letters))) != 1 {
					t.Errorf("%s is not told: %+v", address, letters)
				}
			}
			if what == "an admin's change" && !strings.Contains(w.log.String(), "event=account_edited") {
				t.Error("the log does not say all that was done")
			}
		})
	}
}

// The operator who gives the owner's address back ends what went elsewhere.
func TestTheOperatorsAddressEndsLinksThatWentElsewhere(t *testing.T) {
	w := watch(t)
	if _, err := w.App.SetEmail(t.Context(), "ann", "thief@example.com", true); err != nil {
		t.Fatal(err)
	}
	letters := w.mailed(t, func() { w.SignIn(t, "ann", servertest.AdminPassword, "tablet") })
	theirs := only(t, to("thief@example.com", letters)).Token(t, notMeAt)
	if _, err := w.App.SetEmail(t.Context(), "ann", "ann@example.org", true); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
	_, hers := w.notMe(t, "phone")
	wantPage(t, "the intruder's link", w.page(t, notMeAt, theirs), http.StatusNotFound, deadLink)
	if _, err := w.App.SetEmail(t.Context(), "ann", "ann@example.org", true); err != nil {
		t.Fatal(err)
	}
	wantPage(t, "the owner's", w.page(t, notMeAt, hers), http.StatusOK)
}

// What a link does is recorded with the request that did it, as all else is.
func TestLinksAreRecordedWithTheirRequest(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	reply := w.form(t, notMeAt, "token", disown)
	got := w.events(t, "per_page=1")[0]
	if got.Event != "sign_in_disowned" || got.RequestID == "" || got.RequestID != reply.Header.Get("X-Request-Id") {
		t.Errorf("%s of request %q, want that of %q", got.Event, got.RequestID, reply.Header.Get("X-Request-Id"))
	}
}

// Whoever guesses at the password with somebody's token is seen, whichever door
// they guess at.
func TestGuessesWithATokenAreRecorded(t *testing.T) {
	w := watch(t)
	w.clock.Advance(10 * time.Minute)
	for i := range 11 {
		body := map[string]string{"username": "ann", "password": newPassword}
		wantCode(t, "a guess", w.Do(t, servertest.Request{Path: "/api/me/update", Token: w.ann.Token, Body: body}), []int{http.StatusForbidden, http.StatusTooManyRequests}[i/10])
	}
	var kinds []string
	for _, e := range w.events(t, "username=ann&per_page=11") {
		kinds = append(kinds, e.Event+": "+e.Reason)
		if e.Username != "ann" || e.CallerDevice != w.ann.DeviceKey {
			t.Errorf("recorded %+v", e)
		}
	}
	want := append([]string{"sign_in_throttled: sign_in_throttled"}, slices.Repeat([]string{"sign_in_refused: not_fresh"}, 10)...)
	if !slices.Equal(kinds, want) {
		t.Errorf("recorded %q, want %q", kinds, want)
	}
}

// The page says what the setting asks for.
func TestThePasswordPageSaysHowLongAPasswordIs(t *testing.T) {
	w := watch(t)
	_, disown := w.notMe(t, "phone")
	page := w.form(t, notMeAt, "token", disown)
	wantPage(t, "by default", page, http.StatusOK, `minlength="8"`, "At least 8 characters.")
	save := servertest.Request{Path: "/api/admin/setting/save", Token: w.App.AdminToken(), Body: []object{{"key": "password_min_length", "value": "15"}}}
	if reply := w.Do(t, save); reply.Code != http.StatusOK {
		t.Fatal(reply.Text)
	}
	wantPage(t, "with the setting", w.page(t, passwordAt, formToken(t, page)), http.StatusOK, `minlength="15"`, "At least 15 characters.")
}
