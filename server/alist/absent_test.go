package alist_test

import (
	"net/http"
	"testing"

	"latchkey/server/servertest"
)

// What is not here answers as AList does where it is switched off.
func TestAbsentPartsSayWhatAListSays(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	const (
		storage  = "failed get storage: storage not found; please add a storage first"
		sso      = "Single sign-on is not enabled"
		back     = "sso login is disabled"
		passkeys = "WebAuthn is not enabled"
	)
	for _, tt := range []struct {
		method, path string
		public       bool // no credential is looked at
		want         string
	}{
		{"POST", "/api/fs/list", false, refusal(500, storage)},
		{"POST", "/api/fs/get", false, refusal(500, storage)},
		{"POST", "/api/fs/dirs", false, refusal(500, storage)},
		{"GET", "/api/label/list", true, succeeded(`{"content":[],"total":0}`)},
		{"POST", "/api/auth/login/ldap", true, refusal(403, "ldap is not enabled")},
		{"GET", "/api/auth/sso?method=sso_get_token", true, refusal(403, sso)},
		{"GET", "/api/auth/sso_callback?method=get_sso_id&code=x", true, refusal(403, back)},
		{"GET", "/api/auth/get_sso_id", true, refusal(403, back)},
		{"GET", "/api/auth/sso_get_token", true, refusal(403, back)},
		{"GET", "/api/authn/webauthn_begin_login?username=", true, refusal(403, passkeys)},
		{"POST", "/api/authn/webauthn_finish_login", true, refusal(403, passkeys)},
		{"GET", "/api/authn/webauthn_begin_registration", false, refusal(403, passkeys)},
		{"POST", "/api/authn/webauthn_finish_registration", false, refusal(403, passkeys)},
		{"POST", "/api/authn/delete_authn", false, refusal(403, passkeys)},
		{"GET", "/api/authn/getcredentials", false, succeeded(`[]`)},
	} {
		ask := func(token string) servertest.Reply {
			r := servertest.Request{Method: tt.method, Path: tt.path, Token: token}
			if tt.method == http.MethodPost {
				r.Body = object{"path": "/", "password": "", "page": 1, "per_page": -1, "refresh": false}
			}
			return s.Do(t, r)
		}
		wantBody(t, tt.path, ask(token), tt.want)
		for name, token := range map[string]string{noGuests: "", invalid: "garbage"} {
			want := refusal(401, name)
			if tt.public {
				want = tt.want
			}
			wantBody(t, tt.path+" with "+token, ask(token), want)
		}
	}
}
