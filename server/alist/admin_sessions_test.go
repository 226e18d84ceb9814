package alist_test

import (
	"net/http"
	"testing"

	"latchkey/server/servertest"
)

func TestAdminRoutesAreForAdmins(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.enableGuest(t)
	alice := s.SignIn(t, "alice", password, "").Token
	admin := s.Admin(t, "laptop")
	for path, body := range map[string]any{
		adminListRoute:  nil,
		adminEvictRoute: object{"session_id": admin.DeviceKey},
		cleanRoute:      object{"session_id": admin.DeviceKey},
	} {
		method := http.MethodPost
		if body == nil {
			method = http.MethodGet
		}
		for who, tt := range map[string]struct {
			token   string
			code    int
			message string
		}{
			"an ordinary user": {alice, http.StatusForbidden, "You are not an admin"},
			"a guest":          {"", http.StatusForbidden, "You are not an admin"},
			"nobody":           {"garbage", http.StatusUnauthorized, invalid},
		} {
			got := s.Do(t, servertest.Request{Method: method, Path: path, Token: tt.token, Body: body})
			wantRefused(t, who+" at "+path, got, tt.code, tt.message)
		}
	}
	s.wantAlive(t, "the admin's device", admin.Token, "admin")
	s.setDisabled(t, "guest", true)
	wantRefused(t, "nobody, guest disabled", s.get(t, "", adminListRoute), http.StatusUnauthorized, noGuests)
}

func TestAdminEvictsAnybody(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	admin := s.Admin(t, "laptop").Token
	for _, key := range []string{"session_id", "device_key"} {
		alice := s.SignIn(t, "alice", password, "phone")
		wantDone(t, key, s.post(t, admin, adminEvictRoute, object{key: alice.DeviceKey}))
		s.wantDead(t, key, alice.Token, inactive)
		wantDone(t, key+" again", s.post(t, admin, adminEvictRoute, object{key: alice.DeviceKey}))
	}
	own := s.Admin(t, "phone")
	wantDone(t, "an own device", s.post(t, s.App.AdminToken(), adminEvictRoute, object{"session_id": own.DeviceKey}))
	s.wantDead(t, "an own device", own.Token, inactive)
	for name, body := range map[string]object{
		"an unknown id": {"session_id": "0123456789abcdef0123456789abcdef"},
		"an empty id":   {"session_id": ""},
		"no id":         {},
		"a null id":     {"session_id": nil},
		"no id at all":  {"session_id": "all"},
	} {
		wantRefused(t, name, s.post(t, admin, adminEvictRoute, body), http.StatusBadRequest, noSession)
	}
	wantRefused(t, "no body", s.post(t, admin, adminEvictRoute, nil), http.StatusBadRequest, "request body is empty")
}

// hasRow reports whether there is such a device, active or not: only what is
// there can be evicted.
func (s *site) hasRow(t *testing.T, id string) bool {
	t.Helper()
	got := s.post(t, s.App.AdminToken(), adminEvictRoute, object{"session_id": id})
	return got.Code == http.StatusOK
}

func TestCleaningByEachFormOfItsBody(t *testing.T) {
	// alice (3) and bob (4) have an inactive device and an active one each.
	for name, tt := range map[string]struct {
		body               any
		aliceGone, bobGone bool
	}{
		"nothing means all inactive ones":     {body: object{}, aliceGone: true, bobGone: true},
		"zero and an empty text mean nothing": {body: object{"user_id": 0, "session_id": ""}, aliceGone: true, bobGone: true},
		"a null session means nothing":        {body: `{"session_id":null}`, aliceGone: true, bobGone: true},
		"one account's inactive ones":         {body: object{"user_id": 3}, aliceGone: true},
		"an account nobody has":               {body: object{"user_id": 99}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.AddUser(t, "alice")
			s.AddUser(t, "bob")
			old := map[string]servertest.SignedIn{}
			live := map[string]servertest.SignedIn{}
			for _, who := range []string{"alice", "bob"} {
				old[who], live[who] = s.SignIn(t, who, password, "old"), s.SignIn(t, who, password, "live")
				wantDone(t, "logout", s.get(t, old[who].Token, logoutRoute))
			}
			wantDone(t, "clean", s.post(t, s.App.AdminToken(), cleanRoute, tt.body))
			for who, gone := range map[string]bool{"alice": tt.aliceGone, "bob": tt.bobGone} {
				if there := s.hasRow(t, old[who].DeviceKey); there == gone {
					t.Errorf("%s's inactive device is there: %t, want %t", who, there, !gone)
				}
				s.wantAlive(t, who, live[who].Token, who)
				s.wantDead(t, who+"'s ended login", old[who].Token, inactive)
			}
		})
	}
}

func TestCleaningOneDeviceEndsAndForgetsIt(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in, other := s.SignIn(t, "alice", password, "laptop"), s.SignIn(t, "alice", password, "phone")
	wantDone(t, "clean", s.post(t, s.App.AdminToken(), cleanRoute, object{"session_id": in.DeviceKey, "user_id": 2}))
	s.wantDead(t, "the device", in.Token, inactive)
	if s.hasRow(t, in.DeviceKey) {
		t.Error("the device is still there")
	}
	s.wantAlive(t, "another device", other.Token, "alice")
}

func TestAdminListShowsUserNames(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.SignIn(t, "alice", password, "phone")
	s.Admin(t, "laptop")
	var rows []struct {
		UserID   int64 `json:"user_id"`
		Username string
	}
	s.get(t, s.App.AdminToken(), adminListRoute).Into(t, &rows)
	names := map[int64]string{}
	for _, r := range rows {
		names[r.UserID] = r.Username
	}
	if len(rows) != 2 || names[2] != "admin" || names[3] != "alice" {
		t.Errorf("the list shows %v, want admin as 2 and alice as 3", names)
	}
}

func TestCleaningRefusals(t *testing.T) {
	s := open(t)
	for name, tt := range map[string]struct{ body, message string }{
		"an unknown device":      {`{"session_id":"0123456789abcdef0123456789abcdef"}`, noSession},
		"no device id":           {`{"session_id":"x"}`, noSession},
		"a negative account":     {`{"user_id":-1}`, `field "user_id" must not be negative`},
		"a text for an account":  {`{"user_id":"3"}`, `field "user_id" must be a whole number`},
		"a null account":         {`{"user_id":null}`, `field "user_id" must be a whole number`},
		"a number for a session": {`{"session_id":3}`, `field "session_id" must be a string`},
		"no body":                {``, "request body is empty"},
		"a list":                 {`[]`, "request body must be a JSON object"},
	} {
		wantRefused(t, name, s.post(t, s.App.AdminToken(), cleanRoute, tt.body), http.StatusBadRequest, tt.message)
	}
}
