package openid_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
)

const (
	userInfoPath   = "/api/v4/session/oauth/userinfo"
	introspectPath = "/api/v4/session/oauth/introspect"
	revokePath     = "/api/v4/session/oauth/revoke"
)

func TestUserInfoTellsWhatTheScopesCover(t *testing.T) { // O-08
	s := openSite(t)
	if _, err := s.App.SetEmail(t.Context(), "ann", "ann@example.org", true); err != nil {
		t.Fatal(err)
	}
	s.owner = s.signedIn(t, "ann")
	c := s.app(t)
	all := map[string][]string{
		"openid": {"sub"}, "openid profile": {"name", "preferred_username", "sub", "updated_at"},
		"openid email": {"email", "email_verified", "sub"},
	}
	for scopes, want := range all {
		a := s.get(t, userInfoPath, s.tokens(t, c, scopes).str("access_token"))
		var names []string
		for name := range a.json {
			names = append(names, name)
		}
		if slices.Sort(names); a.StatusCode != http.StatusOK || !slices.Equal(names, want) || a.str("sub") != s.owner.Account.Key {
			t.Errorf("%s: %d %s, want %v", scopes, a.StatusCode, a.text, want)
		}
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the answer may be stored", scopes)
		}
	}
	token := s.tokens(t, c, "openid email").str("access_token")
	posted, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+userInfoPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	posted.Header.Set("Authorization", "bearer "+token)
	if a := s.do(t, posted); a.str("email") != "ann@example.org" || a.json["email_verified"] != true {
		t.Errorf("by POST: %d %s", a.StatusCode, a.text)
	}
}

func TestUserInfoRefusals(t *testing.T) { // RFC 6750 §3
	s := openSite(t)
	c := s.app(t)
	bare := s.get(t, userInfoPath, s.tokens(t, c, "me.read").str("access_token"))
	bare.refused(t, "without openid", http.StatusForbidden, "insufficient_scope")
	if got := bare.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") || !strings.Contains(got, `error="insufficient_scope"`) {
		t.Errorf("WWW-Authenticate: %q", got)
	}
	token := s.tokens(t, c, "openid").str("access_token")
	for name, path := range map[string]string{"none": userInfoPath, "in the address": userInfoPath + "?access_token=" + token} {
		a := s.get(t, path, "")
		a.refused(t, name, http.StatusUnauthorized, "invalid_token")
		if got := a.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") || !strings.Contains(got, `error="invalid_token"`) {
			t.Errorf("%s: WWW-Authenticate: %q", name, got)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+userInfoPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Authorization"] = []string{"Bearer " + token, "Bearer " + token}
	s.do(t, r).refused(t, "twice", http.StatusUnauthorized, "invalid_token")
}

func TestWhatEndsAnAppsAccess(t *testing.T) { // O-11, O-12
	for name, end := range map[string]func(t *testing.T, s *site, c model.OAuthClient, a answer){
		"the account is disabled": func(t *testing.T, s *site, _ model.OAuthClient, _ answer) {
			if _, err := s.App.SetDisabled(t.Context(), "ann", true); err != nil {
				t.Error(err)
			}
		},
		"the password changes": func(t *testing.T, s *site, _ model.OAuthClient, _ answer) {
			if _, err := s.App.SetPassword(t.Context(), "ann", "nine lives of a cat"); err != nil {
				t.Error(err)
			}
		},
		"the account is deleted": func(t *testing.T, s *site, _ model.OAuthClient, _ answer) {
			if _, err := s.App.DeletePerson(t.Context(), "ann"); err != nil {
				t.Error(err)
			}
		},
		"the app is deleted": func(t *testing.T, s *site, c model.OAuthClient, _ answer) {
			if err := s.App.Apps.Delete(t.Context(), c.ID); err != nil {
				t.Error(err)
			}
		},
		"the owner takes it back": func(t *testing.T, s *site, c model.OAuthClient, _ answer) {
			if err := s.App.OAuth.Withdraw(access.With(t.Context(), s.owner), s.owner, c.ID); err != nil {
				t.Error(err)
			}
		},
		"the app signs out": func(t *testing.T, s *site, c model.OAuthClient, a answer) {
			form := url.Values{"token": {a.str("refresh_token")}, "token_type_hint": {"refresh_token"}}
			if r := s.send(t, revokePath, c.ID, appSecret, form); r.StatusCode != http.StatusOK {
				t.Errorf("revocation: %d %s", r.StatusCode, r.text)
			}
		},
		"the device is evicted": func(t *testing.T, s *site, _ model.OAuthClient, _ answer) {
			list, err := s.App.Devices(t.Context(), "ann")
			if err != nil {
				t.Error(err)
			}
			for _, d := range list {
				if d.Kind == model.DeviceOAuth {
					if err := s.App.EvictDevice(t.Context(), d.Key); err != nil {
						t.Error(err)
					}
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSite(t)
			c := s.app(t)
			a := s.tokens(t, c, "openid offline_access")
			pending := s.approve(t, asks(c, "openid")).Get("code")
			if u := s.get(t, userInfoPath, a.str("access_token")); u.StatusCode != http.StatusOK { // it is remembered now
				t.Fatalf("userinfo: %d %s", u.StatusCode, u.text)
			}
			end(t, s, c, a)
			s.get(t, userInfoPath, a.str("access_token")).refused(t, "the access token", http.StatusUnauthorized, "invalid_token")
			refused := s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.str("refresh_token")}})
			if refused.StatusCode == http.StatusOK {
				t.Error("the refresh token works")
			}
			if name == "the app signs out" || name == "the device is evicted" {
				return // which end what was given, not what may be
			}
			if late := s.exchange(t, c, pending); late.StatusCode == http.StatusOK {
				t.Error("the code that was under way works")
			}
		})
	}
}

func TestIntrospection(t *testing.T) { // O-11
	s := openSite(t)
	c, other, native := s.app(t), s.app(t), s.app(t, public)
	asked := asks(c, "openid offline_access me.read")
	asked.Set("resource", "https://files.example/api")
	a := s.exchange(t, c, s.approve(t, asked).Get("code"))
	look := func(by model.OAuthClient, token string) answer {
		t.Helper()
		return s.send(t, introspectPath, by.ID, appSecret, url.Values{"token": {token}})
	}
	mine := look(c, a.str("access_token"))
	for name, want := range map[string]any{
		"active": true, "scope": "me.read offline_access openid", "client_id": c.ID, "username": "ann", "token_type": "Bearer",
		"sub": s.owner.Account.Key, "aud": "https://files.example/api", "iss": s.url,
	} {
		if mine.json[name] != want {
			t.Errorf("%s = %v, want %v", name, mine.json[name], want)
		}
	}
	if mine.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be stored")
	}
	if r := look(c, a.str("refresh_token")); r.json["active"] != true || r.json["token_type"] != "refresh_token" {
		t.Errorf("the refresh token: %s", r.text)
	}
	theirs := s.exchange(t, native, s.approve(t, asks(native, "openid")).Get("code"))
	for name, r := range map[string]answer{
		"another app's": look(other, a.str("access_token")), "another's refresh token": look(other, a.str("refresh_token")),
		"a public app's": look(c, theirs.str("access_token")), "an id_token": look(c, a.str("id_token")), "nothing": look(c, "x"),
		"a login's": look(c, s.SignIn(t, "ann", servertest.AdminPassword, "").Token), "the static token": look(c, s.App.AdminToken()),
	} {
		if r.StatusCode != http.StatusOK || strings.TrimSpace(r.text) != `{"active":false}` {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.text)
		}
	}
	s.send(t, introspectPath, "", "", url.Values{"token": {theirs.str("access_token")}, "client_id": {native.ID}}).
		refused(t, "a public app", http.StatusUnauthorized, "invalid_client")
	s.send(t, introspectPath, c.ID, appSecret, nil).refused(t, "no token", http.StatusBadRequest, "invalid_request")
}

func TestRevocationEndsOnlyOnesOwn(t *testing.T) { // O-11
	s := openSite(t)
	c, other := s.app(t), s.app(t)
	a := s.tokens(t, c, "openid offline_access")
	for _, token := range []string{a.str("access_token"), a.str("refresh_token"), "unknown", a.str("id_token")} {
		if r := s.send(t, revokePath, other.ID, appSecret, url.Values{"token": {token}}); r.StatusCode != http.StatusOK {
			t.Errorf("revocation by another app: %d %s", r.StatusCode, r.text)
		}
	}
	if u := s.get(t, userInfoPath, a.str("access_token")); u.StatusCode != http.StatusOK {
		t.Fatal("another app ended the token")
	}
	s.send(t, revokePath, c.ID, "wrong", url.Values{"token": {a.str("access_token")}}).
		refused(t, "a wrong secret", http.StatusUnauthorized, "invalid_client")
	s.send(t, revokePath, c.ID, appSecret, nil).refused(t, "no token", http.StatusBadRequest, "invalid_request")
	if r := s.send(t, revokePath, c.ID, appSecret, url.Values{"token": {a.str("access_token")}}); r.StatusCode != http.StatusOK {
		t.Errorf("revocation: %d %s", r.StatusCode, r.text)
	}
	if u := s.get(t, userInfoPath, a.str("access_token")); u.StatusCode != http.StatusUnauthorized {
		t.Error("the access token outlived its revocation")
	}
	next := s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.str("refresh_token")}})
	if next.StatusCode != http.StatusOK {
		t.Errorf("the refresh token died of it: %s", next.text)
	}
}

func TestPublishedKeysArePublic(t *testing.T) { // K-12
	s := openSite(t)
	before := s.get(t, "/api/v4/session/oauth/jwks", "")
	if got := before.Header.Get("Cache-Control"); got != "public, max-age=300" {
		t.Errorf("Cache-Control: %q", got)
	}
	id := s.tokens(t, s.app(t), "openid").str("id_token")
	if _, err := s.App.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := s.get(t, "/api/v4/session/oauth/jwks", "")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(after.text), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%d keys, %v, want 2: %s", len(set.Keys), err, after.text)
	}
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`} {
		if strings.Contains(after.text, private) {
			t.Errorf("the answer holds %s", private)
		}
	}
	signed, err := jose.ParseSignedCompact(id, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signed.Verify(set); err != nil {
		t.Errorf("an id_token from before the rotation: %v", err)
	}
	fresh := s.tokens(t, s.app(t), "openid").str("id_token")
	if again, err := jose.ParseSignedCompact(fresh, []jose.SignatureAlgorithm{jose.RS256}); err != nil || again.Signatures[0].Header.KeyID != set.Keys[0].KeyID {
		t.Errorf("the newest key does not sign: %v", err)
	}
}

func TestMetadataIsTruthful(t *testing.T) { // O-05
	s := openSite(t)
	var said [2]metadata
	for i, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := s.get(t, path, "")
		if err := json.Unmarshal([]byte(a.text), &said[i]); err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", path, a.StatusCode, err)
		}
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s is remembered, though its address comes from the request", path)
		}
	}
	m := said[0]
	if m.Issuer != s.url || said[1].Issuer != m.Issuer || !m.SaysIssuer || m.RequestURI == nil || *m.RequestURI {
		t.Errorf("metadata: %+v", m)
	}
	for _, endpoint := range []string{m.Token, m.UserInfo, m.Revocation, m.Introspection, m.DeviceCode, m.Keys} {
		path, ours := strings.CutPrefix(endpoint, s.url)
		if a := s.send(t, path, "", "", nil); !ours || a.StatusCode == http.StatusNotFound {
			t.Errorf("%s is not there", endpoint)
		}
	}
	c := s.app(t)
	for _, grant := range m.GrantTypes {
		if a := s.token(t, c, url.Values{"grant_type": {grant}}); a.str("error") == "unsupported_grant_type" {
			t.Errorf("%s is advertised and refused", grant)
		}
	}
	if !slices.Equal(m.ResponseTypes, []string{"code"}) || !slices.Equal(m.Challenges, []string{"S256"}) || slices.Contains(m.GrantTypes, "implicit") {
		t.Errorf("metadata: %+v", m)
	}
}

type metadata struct {
	Issuer        string   `json:"issuer"`
	Token         string   `json:"token_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Revocation    string   `json:"revocation_endpoint"`
	Introspection string   `json:"introspection_endpoint"`
	DeviceCode    string   `json:"device_authorization_endpoint"`
	GrantTypes    []string `json:"grant_types_supported"`
	ResponseTypes []string `json:"response_types_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	SaysIssuer    bool     `json:"authorization_response_iss_parameter_supported"`
	RequestURI    *bool    `json:"request_uri_parameter_supported"`
}

// H-11: a Host that somebody sent reaches no answer.
func TestTheServersAddressIsNotAnybodysToSay(t *testing.T) {
	lost := servertest.Open(t)
	told := servertest.Open(t, func(c *config.Config, _ *server.Options) { c.SiteURL = "https://login.example" })
	for name, r := range map[string]servertest.Request{
		"a stranger":                   {Path: "/.well-known/openid-configuration"},
		"a stranger who says so":       {Path: "/.well-known/openid-configuration", Header: map[string]string{"X-Forwarded-Host": "localhost"}},
		"this machine by a name":       {Path: "http://evil.example/.well-known/openid-configuration", From: "127.0.0.1"},
		"a stranger as this machine":   {Path: "http://localhost/.well-known/openid-configuration"},
		"a name that begins like it":   {Path: "http://127.0.0.1.evil.example/.well-known/openid-configuration", From: "127.0.0.1"},
		"a name that ends like it":     {Path: "http://evil.localhost/.well-known/openid-configuration", From: "127.0.0.1"},
		"an address that is anybody's": {Path: "http://0.0.0.0/.well-known/openid-configuration", From: "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			reply := lost.Do(t, r)
			if reply.Status != http.StatusServiceUnavailable || !strings.Contains(reply.Text, "--site-url") || strings.Contains(reply.Text, "evil") {
				t.Errorf("without an address: %d %s", reply.Status, reply.Text)
			}
			reply = told.Do(t, r)
			if reply.Status != http.StatusOK || !strings.Contains(reply.Text, `"issuer":"https://login.example"`) || strings.Contains(reply.Text, "evil") {
				t.Errorf("with an address: %d %s", reply.Status, reply.Text)
			}
		})
	}
	for _, host := range []string{"localhost:5244", "127.0.0.1:5244", "[::1]:5244", "LOCALHOST"} {
		reply := lost.Do(t, servertest.Request{Path: "http://" + host + "/.well-known/openid-configuration", From: "127.0.0.1"})
		if reply.Status != http.StatusOK || !strings.Contains(reply.Text, `"issuer":"http://`+strings.ToLower(host)+`"`) {
			t.Errorf("this machine as %s: %d %s", host, reply.Status, reply.Text)
		}
	}
}
