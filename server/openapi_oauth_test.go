package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"

	"latchkey/server/servertest"
	"latchkey/service/client"
	"latchkey/service/totp/totptest"
)

// form sends a form that has to succeed, and reads the answer.
func (v *visit) form(path string, form url.Values, into any) {
	v.Helper()
	reply := v.ok(servertest.Request{
		Path: path, Body: form.Encode(), Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	})
	if err := json.Unmarshal([]byte(reply.Text), into); err != nil {
		v.Fatalf("%s: %v", path, err)
	}
}

// oauth has alice let an app in by a page of her own, and the app use what it got.
func (v *visit) oauth(token string) {
	const session, callback = "/api/v4/session", "https://app.example/cb"
	app, secret, err := v.server.App.Apps.Register(v.Context(), client.Registration{
		Name: "Reader", RedirectURIs: []string{callback}, Confidential: true, Scopes: []string{"openid", "profile", "email", "offline_access"},
	})
	if err != nil {
		v.Fatal(err)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", session + "/oauth/jwks"} {
		v.ok(servertest.Request{Path: path})
	}
	var given struct{ Code string }
	v.ok(servertest.Request{Path: session + "/oauth/consent", Token: token, Body: object{
		"client_id": app.ID, "response_type": "code", "redirect_uri": callback, "scope": "openid profile email offline_access",
		"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
	}}).Into(v, &given)
	v.ok(servertest.Request{Path: session + "/oauth/app/" + app.ID, Token: token})
	v.ok(servertest.Request{Path: session + "/oauth/app/" + app.ID})
	proof := func(more ...string) url.Values {
		form := url.Values{"client_id": {app.ID}, "client_secret": {secret}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return form
	}
	var got struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	v.form(session+"/oauth/token", proof("grant_type", "authorization_code", "code", given.Code,
		"code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), &got) // RFC 7636 appendix B
	v.form(session+"/oauth/token", proof("grant_type", "refresh_token", "refresh_token", got.Refresh), &got)
	var told object
	v.form(session+"/oauth/introspect", proof("token", got.Access), &told)
	v.form(session+"/oauth/introspect", proof("token", "x"), &told)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		v.ok(servertest.Request{Method: method, Path: session + "/oauth/userinfo", Token: "Bearer " + got.Access})
	}
	v.form(session+"/oauth/revoke", proof("token", got.Refresh), &told)
	v.form(session+"/oauth/device_authorization", proof("scope", "openid"), &told)
	code, _ := told["device_code"].(string)
	v.form(session+"/oauth/revoke", proof("token", code), &told)
	if code == "" {
		v.Error("there is no device code")
	}
	v.ok(servertest.Request{Method: http.MethodDelete, Path: session + "/oauth/grant/" + app.ID, Token: token})
}

// pairs has alice sign in without a second factor.
func (v *visit) pairs() {
	const route = "/api/v4/session/token"
	var in struct {
		Token struct {
			Refresh string `json:"refresh_token"`
		}
	}
	v.ok(servertest.Request{Path: route, Body: object{"username": "alicia", "password": servertest.AdminPassword}}).Into(v, &in)
	v.ok(servertest.Request{Path: route + "/refresh", Body: object{"refresh_token": in.Token.Refresh}}).Into(v, &in.Token)
	v.ok(servertest.Request{Method: http.MethodDelete, Path: route, Body: object{"refresh_token": in.Token.Refresh}})
}

// pairWithCode has alice sign in with her second factor.
func (v *visit) pairWithCode(secret string, clock *servertest.Clock) {
	const route = "/api/v4/session/token"
	var ticket string
	v.answers(servertest.Request{Path: route, Body: object{"email": "alicia", "password": servertest.AdminPassword}}, 203).Into(v, &ticket)
	v.ok(servertest.Request{Path: route + "/2fa", Body: object{"otp": totptest.Code(secret, clock.Now()), "session_id": ticket}})
}
