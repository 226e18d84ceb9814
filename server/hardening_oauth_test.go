package server_test

import (
	"net/http"
	"testing"

	"latchkey/server/servertest"
	"latchkey/service/client"
)

// oauthTargets are the endpoints of OAuth, whose forms and refusals are tried in
// server/openid, and the routes of pairs of tokens, of which the admin has one.
func (c *camp) oauthTargets(t *testing.T) []target {
	t.Helper()
	app, _, err := c.App.Apps.Register(t.Context(), client.Registration{
		ID: "fedcba9876543210fedcba9876543210", Name: "Reader", Scopes: []string{"openid"}, RedirectURIs: []string{"https://app.example/cb"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.App.Ring.IDKeys(t.Context()); err != nil { // so that nobody's look makes one
		t.Fatal(err)
	}
	consent := map[string]any{
		"client_id": app.ID, "response_type": "code", "redirect_uri": "https://app.example/cb", "scope": "openid",
		"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
	}
	const session = "/api/v4/session"
	if reply := c.unchecked(t, servertest.Request{Path: session + "/oauth/consent", Token: c.token, Body: consent}); reply.Code != 0 || reply.Status != http.StatusOK {
		t.Fatalf("consent: %d %s", reply.Status, reply.Text)
	}
	var pair struct {
		Token struct {
			Refresh string `json:"refresh_token"`
		}
	}
	signIn := map[string]any{"username": "admin", "password": servertest.AdminPassword}
	c.unchecked(t, servertest.Request{Path: session + "/token", Body: signIn}).Into(t, &pair)
	var ticket string
	c.unchecked(t, servertest.Request{Path: session + "/token", Body: map[string]any{"username": "victim", "password": servertest.AdminPassword}}).Into(t, &ticket)
	c.unchecked(t, servertest.Request{Path: "/api/admin/audit", Token: c.token}) // what was noted is written when somebody looks
	token := map[string]any{"refresh_token": pair.Token.Refresh}
	refresh := []field{{name: "refresh_token"}}
	asked := []field{
		{name: "client_id"},
		{name: "response_type"},
		{name: "redirect_uri"},
		{name: "scope", optional: true},
		{name: "state", optional: true},
		{name: "nonce", optional: true},
		{name: "resource", optional: true},
		{name: "code_challenge"},
		{name: "code_challenge_method"},
	}
	all := []target{
		{
			v4: true, public: true, method: post, path: session + "/token", others: []string{http.MethodDelete}, body: signIn,
			fields: []field{{name: "username"}, {name: "password", optional: true}},
		},
		{
			v4: true, public: true, method: post, path: session + "/token/2fa", body: map[string]any{"otp": "123456", "session_id": ticket},
			fields: []field{{name: "otp", kind: oneTimeCode}, {name: "session_id"}},
		},
		{v4: true, public: true, method: post, path: session + "/token/refresh", body: token, fields: refresh},
		{v4: true, public: true, method: http.MethodDelete, path: session + "/token", others: []string{post}, body: token, fields: refresh},
		{v4: true, idle: true, method: get, path: session + "/oauth/app/" + app.ID, route: session + "/oauth/app/:id"},
		{v4: true, method: post, path: session + "/oauth/consent", body: consent, fields: asked},
		{v4: true, method: http.MethodDelete, path: session + "/oauth/grant/" + app.ID, route: session + "/oauth/grant/:id"},
	}
	for _, path := range []string{"/token", "/revoke", "/introspect", "/device_authorization"} {
		all = append(all, target{oauth: true, public: true, idle: true, method: post, path: session + "/oauth" + path})
	}
	for _, path := range []string{session + "/oauth/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		all = append(all, target{oauth: true, public: true, idle: true, method: get, path: path})
	}
	return append(all,
		target{oauth: true, public: true, idle: true, method: get, path: session + "/oauth/userinfo", others: []string{post}},
		target{oauth: true, public: true, idle: true, method: post, path: session + "/oauth/userinfo", others: []string{get}},
	)
}
