package openid_test

import (
	"net/http"
	"net/url"
	"testing"

	"latchkey/model"
	"latchkey/server/servertest"
	"latchkey/service/client"
)

// RFC 8707 §2.2: tokens are for the resource that the owner was asked about. A
// slip costs nothing: neither a code nor a refresh token is spent by it.
func TestTokensAreForTheResourceThatWasAskedFor(t *testing.T) {
	const files, other = "https://files.example/a", "https://evil.example/"
	s := openSite(t)
	c := s.app(t)
	asked := asks(c, "openid offline_access")
	asked.Set("resource", files)
	form := codeForm(s.approve(t, asked).Get("code"))
	refusedThenTaken := func(form url.Values) answer {
		t.Helper()
		form.Set("resource", other)
		s.token(t, c, form).refused(t, "another resource", http.StatusBadRequest, "invalid_target")
		form.Set("resource", files)
		a := s.token(t, c, form)
		if a.StatusCode != http.StatusOK {
			t.Fatalf("the right resource is answered %d %s", a.StatusCode, a.text)
		}
		return a
	}
	first := refusedThenTaken(form)
	second := refusedThenTaken(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.str("refresh_token")}})
	told := s.send(t, "/api/v4/session/oauth/introspect", c.ID, appSecret, url.Values{"token": {second.str("access_token")}})
	if told.json["aud"] != files {
		t.Errorf("aud = %v, want %s", told.json["aud"], files)
	}
	bare := codeForm(s.approve(t, asks(c, "openid")).Get("code"))
	bare.Set("resource", files)
	s.token(t, c, bare).refused(t, "a resource that nobody was asked about", http.StatusBadRequest, "invalid_target")
}

// Contract "Endpoints": DELETE /session/token ends the login, also by an app's
// refresh token that another tab used a moment ago.
func TestSigningOutWithAUsedTokenOfAnApp(t *testing.T) {
	s := openSite(t)
	c := s.app(t)
	first := s.tokens(t, c, "openid offline_access")
	second := s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.str("refresh_token")}})
	if second.StatusCode != http.StatusOK {
		t.Fatalf("refresh: %d %s", second.StatusCode, second.text)
	}
	if out := s.Do(t, servertest.Request{
		Method: http.MethodDelete, Path: "/api/v4/session/token", Body: map[string]string{"refresh_token": first.str("refresh_token")},
	}); out.Status != http.StatusOK {
		t.Fatalf("sign-out: %d %s", out.Status, out.Text)
	}
	if u := s.get(t, "/api/v4/session/oauth/userinfo", second.str("access_token")); u.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo after signing out: %d %s", u.StatusCode, u.text)
	}
	s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.str("refresh_token")}}).
		refused(t, "refresh after signing out", http.StatusBadRequest, "invalid_grant")
}

// O-08: what the admin takes from an app is gone with its next refresh, and
// without offline_access there is none.
func TestAnAppThatIsNarrowedKeepsNothingMore(t *testing.T) {
	s := openSite(t)
	c := s.app(t)
	a := s.tokens(t, c, "openid offline_access me.read session.read")
	refresh := func(token string) answer {
		return s.token(t, c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
	}
	s.narrow(t, c, "offline_access", "me.read")
	b := refresh(a.str("refresh_token"))
	if b.StatusCode != http.StatusOK || b.str("scope") != "me.read offline_access" || b.str("id_token") != "" {
		t.Errorf("the next refresh is answered %d %s", b.StatusCode, b.text)
	}
	s.narrow(t, c, "me.read")
	refresh(b.str("refresh_token")).refused(t, "without offline_access", http.StatusBadRequest, "invalid_grant")
}

func (s *site) narrow(t *testing.T, c model.OAuthClient, scopes ...string) {
	t.Helper()
	if _, err := s.App.Apps.Update(t.Context(), c.ID, client.Edit{Scopes: &scopes}); err != nil {
		t.Fatal(err)
	}
}
