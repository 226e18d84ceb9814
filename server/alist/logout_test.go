package alist_test

import (
	"net/http"
	"slices"
	"testing"

	"latchkey/server/servertest"
)

const logoutRoute = "/api/auth/logout"

func TestLogoutEndsTheWholeDevice(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	first, second := s.Admin(t, "laptop"), s.Admin(t, "laptop")
	phone, nameless, alice := s.Admin(t, "phone"), s.Admin(t, ""), s.SignIn(t, "alice", password, "laptop")
	wantDone(t, "logout", s.get(t, first.Token, logoutRoute))
	s.wantDead(t, "the caller", first.Token, inactive)
	s.wantDead(t, "the device's other login", second.Token, inactive)
	s.wantAlive(t, "another device", phone.Token, "admin")
	s.wantAlive(t, "the device without a Client-Id", nameless.Token, "admin")
	s.wantAlive(t, "somebody else's device of that Client-Id", alice.Token, "alice")
	if ids := s.devices(t, phone.Token); slices.Contains(ids, first.DeviceKey) {
		t.Error("the device is still listed")
	}
	wantRefused(t, "logout again", s.get(t, first.Token, logoutRoute), http.StatusUnauthorized, inactive)
	s.wantAlive(t, "the device after a new sign-in", s.Admin(t, "laptop").Token, "admin")
	s.wantDead(t, "its old token after that", first.Token, inactive)
}

// Nearly all programs send no Client-Id; they must not throw each other out.
func TestLogoutWithoutClientIDEndsThatLoginOnly(t *testing.T) {
	s := open(t)
	first, second := s.Admin(t, ""), s.Admin(t, "")
	wantDone(t, "logout", s.get(t, first.Token, logoutRoute))
	s.wantDead(t, "the caller", first.Token, inactive)
	s.wantAlive(t, "the other login", second.Token, "admin")
	s.wantAlive(t, "the static token", s.App.AdminToken(), "admin")
	if ids := s.devices(t, second.Token); !slices.Equal(ids, []string{first.DeviceKey}) {
		t.Errorf("the list is %v, want the device %s with its other login", ids, first.DeviceKey)
	}
	wantDone(t, "logout of the last", s.get(t, second.Token, logoutRoute))
	if ids := s.devices(t, s.Admin(t, "laptop").Token); slices.Contains(ids, first.DeviceKey) {
		t.Error("the device outlives its last login in the list")
	}
}

func TestLogoutTakesTheTokenUnderEveryClientID(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	wantDone(t, "logout", s.Do(t, servertest.Request{Path: logoutRoute, Token: in.Token, ClientID: "phone"}))
	s.wantDead(t, "the token", in.Token, inactive)
	if ids := s.devices(t, s.App.AdminToken()); len(ids) != 0 {
		t.Errorf("logging out made the devices %v", ids)
	}
}

func TestLogoutOfGuestsAndTheStaticTokenChangesNothing(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	static := s.App.AdminToken()
	in := s.Admin(t, "laptop")
	for name, tt := range map[string]struct{ token, clientID, who string }{
		"a guest":                       {"", "", "guest"},
		"a guest with a Client-Id":      {"", "laptop", "guest"},
		"the static token":              {static, "", "admin"},
		"the static token on a device":  {static, "laptop", "admin"},
		"the static token after Bearer": {"Bearer " + static, "", "admin"},
	} {
		for range 2 {
			wantDone(t, name, s.Do(t, servertest.Request{Path: logoutRoute, Token: tt.token, ClientID: tt.clientID}))
			s.wantAlive(t, name+" afterwards", tt.token, tt.who)
		}
	}
	s.wantAlive(t, "the device of that Client-Id", in.Token, "admin")
}

func TestLogoutOfWhoIsNotSignedIn(t *testing.T) {
	s := open(t)
	wantRefused(t, "nobody", s.get(t, "", logoutRoute), http.StatusUnauthorized, noGuests)
	wantRefused(t, "garbage", s.get(t, "garbage", logoutRoute), http.StatusUnauthorized, invalid)
	wantAnswer(t, "POST", s.post(t, s.Admin(t, "").Token, logoutRoute, nil),
		http.StatusMethodNotAllowed, refusal(http.StatusMethodNotAllowed, "method not allowed"))
}
