package alist_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"latchkey/server/servertest"
)

const (
	sessionsRoute   = "/api/me/sessions"
	evictRoute      = "/api/me/sessions/evict"
	adminListRoute  = "/api/admin/session/list"
	adminEvictRoute = "/api/admin/session/evict"
	cleanRoute      = "/api/admin/session/clean"
	firefox         = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
)

// from signs in from an address under a user agent.
func (s *site) from(t *testing.T, username, address, agent, clientID string) servertest.SignedIn {
	t.Helper()
	got := s.Do(t, servertest.Request{
		Path: plainRoute, From: address, ClientID: clientID, Header: map[string]string{"User-Agent": agent},
		Body: object{"username": username, "password": password},
	})
	var in servertest.SignedIn
	got.Into(t, &in)
	return in
}

// listed is a device as a list shows it.
type listed struct {
	id, agent, ip, kind string
	seenAt, createdAt   time.Time
	current, isNew      bool
}

// row is how a list writes it; owner is the two keys that the admin's has more.
func (d listed) row(owner string) string {
	return fmt.Sprintf(`{"session_id":"%s",%s"last_active":%d,"status":0,"ua":"%s","ip":"%s","current":%t,"new":%t,"kind":"%s","created_at":"%s","expires_at":"%s"}`,
		d.id, owner, d.seenAt.Unix(), d.agent, d.ip, d.current, d.isNew, d.kind,
		d.createdAt.Format(time.RFC3339), d.createdAt.Add(48*time.Hour).Format(time.RFC3339))
}

func TestListsTellWhoIsSignedInWhere(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	begun := s.clock.Now()
	browser := s.from(t, "admin", "198.51.100.7", firefox, "6f1d5f6c-0000-4000-8000-000000000001")
	s.clock.Advance(time.Minute)
	program := s.from(t, "admin", "2001:db8:85a3:1:2:8a2e:370:7334", "curl/8.5.0", "")
	s.clock.Advance(time.Minute)
	phone := s.from(t, "alice", "2001:db8:85a3:1:2:8a2e:370:7334", "okhttp/4.12.0", "phone")
	s.clock.Advance(time.Hour)
	s.Do(t, servertest.Request{Path: "/api/me", Token: program.Token, From: "203.0.113.9", Header: map[string]string{"User-Agent": "curl/8.6.0"}})
	one, two := begun.Add(time.Minute), begun.Add(2*time.Minute)
	first := listed{browser.DeviceKey, firefox, "198.*.*.7", "web", s.clock.Now(), begun, true, false}
	second := listed{program.DeviceKey, "curl/8.6.0", "203.*.*.9", "api", s.clock.Now(), one, false, true}
	third := listed{phone.DeviceKey, "okhttp/4.12.0", "2001:*:*:*:*:*:*:7334", "api", two, two, false, false}
	list := func(path string) servertest.Reply {
		return s.Do(t, servertest.Request{Path: path, Token: browser.Token, From: "198.51.100.7", Header: map[string]string{"User-Agent": firefox}})
	}
	const head, admin, alice = `{"code":200,"message":"success","data":[`, `"user_id":2,"username":"admin",`, `"user_id":3,"username":"alice",`
	wantBody(t, "the own devices", list(sessionsRoute), head+first.row("")+","+second.row("")+"]}")
	wantBody(t, "everybody's", list(adminListRoute), head+first.row(admin)+","+second.row(admin)+","+third.row(alice)+"]}")
}

func TestListOfWhoHasNoDeviceIsAnEmptyArray(t *testing.T) {
	s := open(t)
	const empty = `{"code":200,"message":"success","data":[]}`
	wantBody(t, "the static token's", s.get(t, s.App.AdminToken(), sessionsRoute), empty)
	wantBody(t, "everybody's", s.get(t, s.App.AdminToken(), adminListRoute), empty)
	s.enableGuest(t)
	wantBody(t, "a guest's", s.get(t, "", sessionsRoute), empty)
}

func TestListsHideNothingAndShowNothingOfOthers(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	mine := []string{s.Admin(t, "a").DeviceKey}
	s.SignIn(t, "alice", password, "a")
	for _, clientID := range []string{"", "b", "c"} {
		s.clock.Advance(time.Second)
		mine = append(mine, s.Admin(t, clientID).DeviceKey)
	}
	in := s.Admin(t, "a")
	if got := s.devices(t, in.Token); !slices.Equal(got, mine) {
		t.Errorf("devices %v, want %v, oldest first", got, mine)
	}
	wantDone(t, "evict", s.post(t, in.Token, evictRoute, object{"session_id": mine[2]}))
	if got := s.devices(t, in.Token); !slices.Equal(got, slices.Delete(slices.Clone(mine), 2, 3)) {
		t.Errorf("devices after an eviction %v, want %v without the third", got, mine)
	}
	s.clock.Advance(48 * time.Hour)
	if got := s.devices(t, s.App.AdminToken()); len(got) != 0 {
		t.Errorf("devices with expired logins only: %v, want none", got)
	}
}

// Whoever browses anonymously leaves no row, shares nobody's, and cannot be
// locked out.
func TestGuestsHaveNoDevices(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	s.save(t, map[string]string{"max_devices": "2"})
	in := s.Admin(t, "laptop")
	for i := range 20 {
		got := s.Do(t, servertest.Request{Path: "/api/me", ClientID: fmt.Sprintf("visitor-%d", i)})
		wantBody(t, "a visitor", got, guestBody)
	}
	if ids := s.devices(t, in.Token); len(ids) != 1 {
		t.Errorf("the admin's devices: %v", ids)
	}
	var all []struct{ Username string }
	if s.get(t, in.Token, adminListRoute).Into(t, &all); len(all) != 1 {
		t.Errorf("everybody's devices: %v, want the admin's one", all)
	}
	for _, id := range []string{in.DeviceKey, "0123456789abcdef0123456789abcdef", ""} {
		wantRefused(t, "a guest evicts "+id, s.post(t, "", evictRoute, object{"session_id": id}), http.StatusBadRequest, noSession)
	}
	s.wantAlive(t, "the admin", in.Token, "admin")
	wantDone(t, "a guest logs out", s.Do(t, servertest.Request{Path: logoutRoute, ClientID: "visitor-1"}))
	wantBody(t, "the visitor who logged out", s.Do(t, servertest.Request{Path: "/api/me", ClientID: "visitor-1"}), guestBody)
}
