package server_test

import (
	"net/http"
	"net/url"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/session"
)

// letsAppsIn has gus let an app in, which ends well, badly and by a replay, and
// the operator mint a token for him.
func (w *witness) letsAppsIn() {
	w.Helper()
	const base, callback = "/api/v4/session", "https://app.example/cb"
	app, secret, err := w.App.Apps.Register(w.Context(), client.Registration{
		Name: "Reader", RedirectURIs: []string{callback}, Confidential: true, Scopes: []string{"openid", "offline_access"},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.secrets["the secret of gus's app"] = secret
	w.AddUser(w, "gus")
	token := w.SignIn(w, "gus", servertest.AdminPassword, "desk").Token
	w.secrets["gus's token"] = token
	code := func() string {
		w.Helper()
		var given struct{ Code string }
		w.unchecked(w.T, servertest.Request{Path: base + "/oauth/consent", Token: token, From: here, Body: object{
			"client_id": app.ID, "response_type": "code", "redirect_uri": callback, "scope": "openid offline_access",
			"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
		}}).Into(w, &given)
		return given.Code
	}
	post := func(path string, form url.Values) map[string]any {
		w.Helper()
		form.Set("client_id", app.ID)
		form.Set("client_secret", secret)
		reply := w.unchecked(w.T, servertest.Request{
			Path: base + path, Body: form.Encode(), From: here, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		})
		answer, _ := decoded(w.T, reply.Text).(map[string]any)
		return answer
	}
	exchange := func(code string) map[string]any {
		w.Helper()
		return post("/oauth/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
		})
	}
	first := exchange(code())
	w.keeps(first)
	post("/oauth/revoke", url.Values{"token": {textOf(first, "refresh_token")}})
	again := code()
	w.keeps(exchange(again))
	exchange(again) // a replay
	third := exchange(code())
	w.keeps(third)
	w.keeps(post("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {textOf(third, "refresh_token")}}))
	w.clock.Advance(time.Minute)
	post("/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {textOf(third, "refresh_token")}}) // stolen
	w.refusesADevice(token, textOf(post("/oauth/device_authorization", url.Values{"scope": {"openid"}}), "user_code"))
	w.unchecked(w.T, servertest.Request{Method: http.MethodDelete, Path: base + "/oauth/grant/" + app.ID, Token: token, From: here})
	minted, err := w.App.MintToken(w.Context(), "gus", "backup", time.Hour)
	if err != nil {
		w.Fatal(err)
	}
	w.secrets["a minted token"] = minted.Token
	w.newest(event{Event: "token_minted", Username: "gus", Actor: "system", Device: minted.SessionID})
	for _, e := range w.events(w, "per_page=40") {
		if e.Username == "gus" {
			w.seen[e.Event] = true
		}
	}
}

// keeps notes the tokens of an answer as secrets.
func (w *witness) keeps(answer map[string]any) {
	for _, name := range []string{"access_token", "refresh_token"} {
		if token := textOf(answer, name); token != "" {
			w.secrets[name+" "+token[len(token)-6:]] = token
		}
	}
}

func textOf(answer map[string]any, name string) string {
	value, _ := answer[name].(string)
	return value
}

// refusesADevice has the owner of the token say no.
func (w *witness) refusesADevice(token, userCode string) {
	w.Helper()
	login, err := w.App.Sessions.Resolve(w.Context(), session.Presented{Token: token})
	if err != nil {
		w.Fatal(err)
	}
	owner, err := w.App.Accounts.Snapshot(w.Context(), login.AccountKey)
	if err != nil {
		w.Fatal(err)
	}
	by := access.Caller{Kind: access.SessionToken, Account: owner, DeviceKey: login.DeviceKey, LoginID: login.ID, FreshAt: login.FreshAt}
	if err := w.App.OAuth.DeviceDecide(access.With(w.Context(), by), by, userCode, false); err != nil {
		w.Fatal(err)
	}
}
