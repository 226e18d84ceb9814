package openid_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/oauth"
	"latchkey/service/session"
)

const (
	callback  = "https://app.example/callback"
	appSecret = "kq7-Zw2.mP9_tR4~vX8+bN3*cL6/hJ5="
	verifier  = "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDE"
)

// site is a server on loopback, and the owner who is signed in there.
type site struct {
	*servertest.Server

	clock *servertest.Clock
	url   string
	owner access.Caller
}

// openSite starts a server whose address is found from its requests.
func openSite(t *testing.T, changes ...func(*config.Config, *server.Options)) *site {
	t.Helper()
	s := &site{clock: servertest.NewClock()}
	s.clock.Advance(time.Since(s.clock.Now())) // clients look at the real clock
	s.Server = servertest.Open(t, append(changes, func(_ *config.Config, o *server.Options) { o.Now = s.clock.Now })...)
	listener := httptest.NewServer(s.App.Handler())
	t.Cleanup(listener.Close)
	s.url = listener.URL
	s.AddUser(t, "ann")
	s.owner = s.signedIn(t, "ann")
	return s
}

// signedIn is the caller of a fresh login.
func (s *site) signedIn(t *testing.T, name string) access.Caller {
	t.Helper()
	token := s.SignIn(t, name, servertest.AdminPassword, "desk").Token
	login, err := s.App.Sessions.Resolve(t.Context(), session.Presented{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	owner, err := s.App.Accounts.Snapshot(t.Context(), login.AccountKey)
	if err != nil {
		t.Fatal(err)
	}
	return access.Caller{
		Kind: access.SessionToken, Account: owner, DeviceKey: login.DeviceKey, LoginID: login.ID, FreshAt: login.FreshAt,
	}
}

// app registers an app.
func (s *site) app(t *testing.T, change ...func(*client.Registration)) model.OAuthClient {
	t.Helper()
	n := client.Registration{
		Name: "Reader", RedirectURIs: []string{callback}, Confidential: true, Secret: appSecret,
		Scopes: []string{"openid", "profile", "email", "offline_access", "me.read", "session.read"},
	}
	for _, c := range change {
		c(&n)
	}
	made, _, err := s.App.Apps.Register(t.Context(), n)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	return made
}

func public(n *client.Registration) {
	n.Confidential, n.Secret = false, ""
	n.RedirectURIs = []string{"http://127.0.0.1/callback", "https://app.example/callback"}
}

// asks is an app's honest request for access.
func asks(c model.OAuthClient, scopes string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURIs[0]}, "scope": {scopes}, "state": {"st"},
		"nonce": {"n-0"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// approve has the owner say yes, and returns the query of where the app is
// answered.
func (s *site) approve(t *testing.T, asked url.Values) url.Values {
	t.Helper()
	request, err := s.App.OAuth.Begin(t.Context(), s.url, asked)
	if err != nil {
		t.Fatalf("Begin = %v", err)
	}
	redirect, err := s.App.OAuth.Approve(access.With(t.Context(), s.owner), s.owner, request)
	if err != nil {
		t.Fatalf("Approve = %v", err)
	}
	u, err := url.Parse(redirect)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// answer is what an endpoint answered.
type answer struct {
	*http.Response

	text string
	json map[string]any
}

// send posts a form, with Basic credentials unless id is empty.
func (s *site) send(t *testing.T, path, id, secret string, form url.Values) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if id != "" {
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	}
	return s.do(t, r)
}

func (s *site) get(t *testing.T, path, token string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(t, r)
}

func (*site) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{Response: response, text: string(text)}
	_ = json.Unmarshal(text, &a.json) // pages and empty bodies have none
	return a
}

func (a answer) str(name string) string { text, _ := a.json[name].(string); return text }

// tokens are what the app has after the owner's yes.
func (s *site) tokens(t *testing.T, c model.OAuthClient, scopes string) answer {
	t.Helper()
	a := s.exchange(t, c, s.approve(t, asks(c, scopes)).Get("code"))
	if a.StatusCode != http.StatusOK {
		t.Fatalf("exchange: %d %s", a.StatusCode, a.text)
	}
	return a
}

// exchange redeems a code as the app does.
func (s *site) exchange(t *testing.T, c model.OAuthClient, code string) answer {
	t.Helper()
	return s.token(t, c, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}})
}

// token asks the token endpoint as the app does.
func (s *site) token(t *testing.T, c model.OAuthClient, form url.Values) answer {
	t.Helper()
	if c.Confidential {
		return s.send(t, "/api/v4/session/oauth/token", c.ID, appSecret, form)
	}
	form.Set("client_id", c.ID)
	return s.send(t, "/api/v4/session/oauth/token", "", "", form)
}

// refused fails unless the answer is that of RFC 6749 §5.2.
func (a answer) refused(t *testing.T, what string, status int, code string) {
	t.Helper()
	if a.StatusCode != status || a.str("error") != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.StatusCode, a.text, status, code)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: Cache-Control %q, want no-store", what, got)
	}
	if a.json["code"] != nil {
		t.Errorf("%s: the answer is an envelope: %s", what, a.text)
	}
}

// redirected is the failure that an app is told by a redirect, or the test ends.
func redirected(t *testing.T, err error) *oauth.RedirectError {
	t.Helper()
	e, ok := errors.AsType[*oauth.RedirectError](err)
	if !ok {
		t.Fatalf("Begin = %v, want a redirected failure", err)
	}
	return e
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
