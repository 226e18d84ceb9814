package server_test

import (
	"net/http"
	"testing"

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
