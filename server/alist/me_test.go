package alist_test

import (
	"testing"
)

// Key order and the absence of null are part of the contract, §5.8.
const (
	adminBody = `{"code":200,"message":"success","data":{"id":2,"username":"admin","password":"","base_path":"/",` +
		`"role":[2],"disabled":false,"permission":65535,"sso_id":"","otp":false,` +
		`"role_names":["admin"],"permissions":[{"path":"/","permission":65535}],"must_enable_2fa":false,"email":"","email_verified":false}}`
	aliceBody = `{"code":200,"message":"success","data":{"id":3,"username":"alice","password":"","base_path":"/",` +
		`"role":[3],"disabled":false,"permission":0,"sso_id":"","otp":false,` +
		`"role_names":["general"],"permissions":[{"path":"/","permission":0}],"must_enable_2fa":false,"email":"","email_verified":false}}`
	guestBody = `{"code":200,"message":"success","data":{"id":1,"username":"guest","password":"","base_path":"/",` +
		`"role":[1],"disabled":false,"permission":0,"sso_id":"","otp":false,` +
		`"role_names":["guest"],"permissions":[{"path":"/","permission":0}],"must_enable_2fa":false,"email":"","email_verified":false}}`
)

func TestMeIsWrittenAsAListWritesIt(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.enableGuest(t)
	alice := s.SignIn(t, "alice", password, "").Token
	wantBody(t, "the admin", s.get(t, s.Admin(t, "").Token, "/api/me"), adminBody)
	wantBody(t, "the static token", s.get(t, s.App.AdminToken(), "/api/me"), adminBody)
	wantBody(t, "an ordinary user", s.get(t, alice, "/api/me"), aliceBody)
	wantBody(t, "a guest", s.get(t, "", "/api/me"), guestBody)
	s.enrol(t, alice)
	body := s.get(t, alice, "/api/me")
	var me struct {
		OTP bool `json:"otp"`
	}
	if body.Into(t, &me); !me.OTP {
		t.Errorf("with a second factor: %s, want otp true", body.Text)
	}
}

func TestAnonymousCallersAreRefusedWhileTheGuestIsDisabled(t *testing.T) {
	s := open(t)
	for _, token := range []string{"", " ", "Bearer", "Bearer "} {
		s.wantDead(t, "token "+token, token, noGuests)
	}
	s.enableGuest(t)
	s.wantAlive(t, "nobody, guest enabled", "", "guest")
	s.setDisabled(t, "guest", true)
	s.wantDead(t, "nobody, guest disabled again", "", noGuests)
}

// An empty token is nobody's, even if the setting were empty; the setting
// refuses to become so.
func TestEmptyStaticTokenMakesNobodyAnAdmin(t *testing.T) {
	s := open(t)
	if err := s.App.Settings.Save(t.Context(), map[string]string{"token": ""}); err == nil {
		t.Error("the static token can be set to nothing")
	}
	if s.App.AdminToken() == "" {
		t.Fatal("the static token is empty")
	}
	s.wantDead(t, "no token", "", noGuests)
	s.enableGuest(t)
	wantBody(t, "no token with the guest enabled", s.get(t, "", "/api/me"), guestBody)
}

func TestStaticTokenCannotBeLockedOut(t *testing.T) {
	s := open(t)
	static := s.App.AdminToken()
	for _, clientID := range []string{"", "laptop"} {
		in := s.Admin(t, clientID)
		wantDone(t, "evict", s.post(t, static, "/api/me/sessions/evict", object{"session_id": in.DeviceKey}))
		wantDone(t, "logout", s.get(t, static, logoutRoute))
		s.wantDead(t, "the device", in.Token, inactive)
		s.wantAlive(t, "the static token", static, "admin")
	}
	if ids := s.devices(t, static); len(ids) != 0 {
		t.Errorf("the static token made the devices %v", ids)
	}
}

func TestStaticTokenStopsWorkingWhenItIsReplaced(t *testing.T) {
	s := open(t)
	old := s.App.AdminToken()
	s.save(t, map[string]string{"token": "alist-a-new-one"})
	s.wantDead(t, "the old one", old, invalid)
	s.wantAlive(t, "the new one", "alist-a-new-one", "admin")
}
