package server_test

import (
	"net/http"
	"net/url"

	"latchkey/server/servertest"
)

// pages has alicia give her address, confirm it, disown a sign-in and choose
// another password. It returns the token of her next login.
func (v *visit) pages(mail *servertest.MailServer, token string) string {
	open := func(path, link string) { v.ok(servertest.Request{Path: path + "?token=" + link}) }
	act := func(path string, values url.Values) servertest.Reply {
		return v.ok(servertest.Request{
			Path: path, Body: values.Encode(), Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		})
	}
	v.ok(servertest.Request{Path: "/api/me/email", Token: token, Body: object{"email": "alicia@example.org"}})
	confirm := v.server.Mailed(v, mail, 0)[0].Token(v, confirmAt)
	open(confirmAt, confirm)
	act(confirmAt, url.Values{"token": {confirm}})

	v.server.SignIn(v, "alicia", servertest.AdminPassword, "a new device")
	disown := v.server.Mailed(v, mail, 1)[0].Token(v, notMeAt)
	open(notMeAt, disown)
	set := formToken(v, act(notMeAt, url.Values{"token": {disown}}))
	refused := v.answers(servertest.Request{
		Path: "/api/auth/login", ClientID: "web", Body: object{"username": "alicia", "password": servertest.AdminPassword},
	}, http.StatusForbidden)
	if refused.Message != mustChange {
		v.Errorf("refused with %q", refused.Message)
	}
	open(passwordAt, set)
	act(passwordAt, url.Values{"token": {set}, "password": {newPassword}})
	v.server.SignIn(v, "alicia", newPassword, "web")
	if err := v.server.App.Profile.SetPassword(v.Context(), v.server.Key(v, "alicia"), servertest.AdminPassword); err != nil {
		v.Fatal(err) // as the rest of the story has it
	}
	return v.server.SignIn(v, "alicia", servertest.AdminPassword, "web").Token
}
