package openid_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/grant"
	"latchkey/service/oauth"
)

const devicePath = "/api/v4/session/oauth/device_authorization"

// television is an app without a browser.
func television(n *client.Registration) {
	n.Confidential, n.Secret, n.RedirectURIs = false, "", nil
}

// startDevice has the app ask, and returns what it is told.
func (s *site) startDevice(t *testing.T, c model.OAuthClient, scope string) answer {
	t.Helper()
	a := s.send(t, devicePath, "", "", url.Values{"client_id": {c.ID}, "scope": {scope}})
	if a.StatusCode != http.StatusOK {
		t.Fatalf("device authorization: %d %s", a.StatusCode, a.text)
	}
	return a
}

func (s *site) poll(t *testing.T, c model.OAuthClient, started answer) answer {
	t.Helper()
	return s.token(t, c, url.Values{"grant_type": {oauth.DeviceGrant}, "device_code": {started.str("device_code")}})
}

// decide has the owner type the code.
func (s *site) decide(t *testing.T, userCode string, approve bool) {
	t.Helper()
	if err := s.App.OAuth.DeviceDecide(access.With(t.Context(), s.owner), s.owner, userCode, approve); err != nil {
		t.Fatalf("DeviceDecide = %v", err)
	}
}

func TestDeviceGrant(t *testing.T) { // RFC 8628
	s := openSite(t)
	c := s.app(t, television)
	started := s.startDevice(t, c, "openid offline_access")
	page := s.url + "/session/device"
	if started.str("verification_uri") != page || started.str("verification_uri_complete") != page+"?user_code="+started.str("user_code") ||
		started.json["interval"] != 5.0 || started.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the device is told %s", started.text)
	}
	s.poll(t, c, started).refused(t, "before anybody decided", http.StatusBadRequest, "authorization_pending")
	s.poll(t, c, started).refused(t, "at once again", http.StatusBadRequest, "slow_down")
	typed := strings.ToLower(strings.ReplaceAll(started.str("user_code"), "-", " "))
	q, err := s.App.OAuth.DeviceAsk(t.Context(), s.owner, typed)
	if err != nil || q.App.ID != c.ID || q.UserCode != started.str("user_code") || len(q.Texts) != 2 || q.Grants != 90*24*time.Hour {
		t.Errorf("the owner is asked %+v, %v", q, err)
	}
	s.decide(t, typed, true)
	s.clock.Advance(time.Minute)
	s.poll(t, s.app(t, television), started).refused(t, "another app", http.StatusBadRequest, "invalid_grant")
	a := s.poll(t, c, started)
	if a.StatusCode != http.StatusOK || a.str("refresh_token") == "" || a.str("id_token") == "" {
		t.Fatalf("after the yes: %d %s", a.StatusCode, a.text)
	}
	if u := s.get(t, userInfoPath, a.str("access_token")); u.str("sub") != s.owner.Account.Key {
		t.Errorf("userinfo: %d %s", u.StatusCode, u.text)
	}
	s.clock.Advance(time.Minute)
	s.poll(t, c, started).refused(t, "once more", http.StatusBadRequest, "invalid_grant")
	if err := s.App.OAuth.DeviceDecide(t.Context(), s.owner, typed, false); !errors.Is(err, grant.ErrUserCode) {
		t.Errorf("a second decision = %v, want %v", err, grant.ErrUserCode)
	}
}

func TestDeviceThatIsRefusedOrTooLate(t *testing.T) { // RFC 8628 §3.5
	s := openSite(t)
	c := s.app(t, television)
	no, late := s.startDevice(t, c, "openid"), s.startDevice(t, c, "openid")
	s.decide(t, no.str("user_code"), false)
	s.poll(t, c, no).refused(t, "after the no", http.StatusBadRequest, "access_denied")
	s.clock.Advance(time.Hour)
	s.poll(t, c, late).refused(t, "after its time", http.StatusBadRequest, "expired_token")
	if err := s.App.OAuth.DeviceDecide(t.Context(), s.owner, late.str("user_code"), true); !errors.Is(err, grant.ErrUserCode) {
		t.Errorf("a late decision = %v, want %v", err, grant.ErrUserCode)
	}
}

func TestDeviceRequestsThatAreRefused(t *testing.T) { // O-08, O-09
	s := openSite(t)
	c := s.app(t, television)
	for name, tt := range map[string]struct {
		form   url.Values
		status int
		want   string
	}{
		"no app":               {url.Values{"scope": {"openid"}}, 401, "invalid_client"},
		"an unknown app":       {url.Values{"client_id": {strings.Repeat("0", 32)}}, 401, "invalid_client"},
		"a scope too many":     {url.Values{"client_id": {c.ID}, "scope": {"openid admin.user.read"}}, 400, "invalid_scope"},
		"a malformed resource": {url.Values{"client_id": {c.ID}, "resource": {"x"}}, 400, "invalid_target"},
	} {
		t.Run(name, func(t *testing.T) {
			s.send(t, devicePath, "", "", tt.form).refused(t, "the request", tt.status, tt.want)
		})
	}
	s.token(t, c, url.Values{"grant_type": {oauth.DeviceGrant}}).refused(t, "no device code", http.StatusBadRequest, "invalid_request")
	admins := s.app(t, television, func(n *client.Registration) { n.Scopes = append(n.Scopes, "admin.user.read") })
	started := s.startDevice(t, admins, "admin.user.read")
	err := s.App.OAuth.DeviceDecide(t.Context(), s.owner, started.str("user_code"), true)
	if !errors.Is(err, access.ErrScope) {
		t.Errorf("somebody who is no admin gives an admin's scope: %v", err)
	}
}
