package alist_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey/server/servertest"
	"latchkey/service/access"
)

func TestScopesSayWhoMayGiveThem(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	token := s.SignIn(t, "ann", password, "").Token
	key := s.makeKey(t, token, object{"name": "reader", "scopes": []string{"apikey.read"}})
	for who, tt := range map[string]struct {
		reply         servertest.Reply
		common, admin bool
	}{
		"an admin":         {s.get(t, s.Admin(t, "").Token, "/api/me/apikey/scopes"), true, true},
		"a user":           {s.get(t, token, "/api/me/apikey/scopes"), true, false},
		"a key":            {s.byKey(t, key.Key, "/api/me/apikey/scopes"), false, false},
		"the static token": {s.get(t, s.App.AdminToken(), "/api/me/apikey/scopes"), false, false},
	} {
		var rows []struct {
			Scope, Text string
			CanGive     bool `json:"can_give"`
		}
		tt.reply.Into(t, &rows)
		if len(rows) != len(access.Vocabulary()) {
			t.Errorf("%s: %d scopes, want %d", who, len(rows), len(access.Vocabulary()))
		}
		for i, row := range rows {
			want := tt.common
			if strings.HasPrefix(row.Scope, "admin.") {
				want = tt.admin
			}
			if row.CanGive != want || row.Text != access.Vocabulary()[i].Text {
				t.Errorf("%s may give %s: %t, want %t", who, row.Scope, row.CanGive, want)
			}
		}
	}
}

// A key that learns says which scopes its requests needed, and leads to a page
// that makes a smaller one.
func TestAKeyLearnsWhatItNeeds(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	token := s.SignIn(t, "ann", password, "").Token
	made := s.makeKey(t, token, object{"name": "photo & backup", "scopes": []string{"me.read"}, "learn_for": 3600})
	learned := func() servertest.Reply { return s.get(t, token, fmt.Sprintf("%s?id=%d", namedLearnt, made.ID)) }
	until := s.clock.Now().Add(3600e9).Format("2006-01-02T15:04:05Z")
	wantBody(t, "before", learned(), `{"code":200,"message":"success","data":{"needed":[],"refused":[],"proposed":[],"until":"`+until+`","link":""}}`)
	s.byKey(t, made.Key, "/api/me")
	s.byKey(t, made.Key, "/api/me/sessions")
	s.byKey(t, made.Key, "/api/me/sessions")
	wantBody(t, "after", learned(), `{"code":200,"message":"success","data":{"needed":["me.read","session.read"],"refused":["session.read"],`+
		`"proposed":["me.read","session.read"],"until":"`+until+`","link":"/account/api-key?name=photo+%26+backup\u0026scope=me.read\u0026scope=session.read"}}`)
	never := s.makeKey(t, token, object{"name": "dull", "scopes": []string{"me.read"}})
	s.byKey(t, never.Key, "/api/me")
	wantBody(t, "a key that does not learn", s.get(t, token, fmt.Sprintf("%s?id=%d", namedLearnt, never.ID)),
		`{"code":200,"message":"success","data":{"needed":[],"refused":[],"proposed":[],"until":null,"link":""}}`)
}

func TestAdminsSeeAndDeleteAPIKeys(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	ann, admin := s.SignIn(t, "ann", password, "").Token, s.Admin(t, "").Token
	made := s.makeKey(t, ann, object{"name": "backup", "scopes": []string{"me.read"}})
	a, err := s.App.Accounts.ForSignIn(t.Context(), "ann")
	if err != nil {
		t.Fatal(err)
	}
	const list, remove = "/api/admin/user/apikey/list", "/api/admin/user/apikey/delete"
	if own, all := s.get(t, ann, namedList), s.get(t, admin, fmt.Sprintf("%s?uid=%d", list, a.ID)); own.Text != all.Text {
		t.Errorf("the admin sees %s, the owner %s", all.Text, own.Text)
	}
	wantRefused(t, "no uid", s.get(t, admin, list), 400, "user id format invalid")
	wantRefused(t, "an unknown uid", s.get(t, admin, list+"?uid=99"), 404, "user invalid")
	wantRefused(t, "a user", s.get(t, ann, list+"?uid=1"), 403, "You are not an admin")
	wantRefused(t, "a user deletes", s.post(t, ann, fmt.Sprintf("%s?id=%d", remove, made.ID), nil), 403, "You are not an admin")
	wantRefused(t, "an unknown id", s.post(t, admin, remove+"?id=99", nil), 404, noNamedKey)
	if got := s.byKey(t, made.Key, "/api/me"); got.Status != http.StatusOK {
		t.Fatalf("the key: %d %s", got.Status, got.Text)
	}
	wantDone(t, "delete", s.post(t, admin, fmt.Sprintf("%s?id=%d", remove, made.ID), nil))
	if got := s.byKey(t, made.Key, "/api/me"); got.Status != http.StatusUnauthorized {
		t.Errorf("the key: %d %s", got.Status, got.Text)
	}
}

// A device that is thrown out with its keys takes those along that were made on
// it, and no others.
func TestEvictingWithKeys(t *testing.T) { // P-03, R-01
	for who, route := range map[string]string{"the owner": "/api/me/sessions/evict", "an admin": "/api/admin/session/evict"} {
		for _, with := range []any{true, false, nil} {
			t.Run(fmt.Sprint(who, ", with_keys ", with), func(t *testing.T) {
				s := open(t)
				s.AddUser(t, "ann")
				lost, kept := s.SignIn(t, "ann", password, "lost"), s.SignIn(t, "ann", password, "kept")
				first := s.makeKey(t, lost.Token, object{"name": "1", "scopes": []string{"me.read"}})
				second := s.makeKey(t, kept.Token, object{"name": "2", "scopes": []string{"me.read"}})
				s.byKey(t, first.Key, "/api/me") // is remembered
				by := kept.Token
				if who == "an admin" {
					by = s.Admin(t, "").Token
				}
				body := object{"session_id": lost.DeviceKey, "with_keys": with}
				wantDone(t, "evict", s.post(t, by, route, body))
				dead := s.byKey(t, first.Key, "/api/me").Status == http.StatusUnauthorized
				if dead != (with == true) || s.byKey(t, second.Key, "/api/me").Status != http.StatusOK {
					t.Errorf("the key of the lost device is dead: %t", dead)
				}
				wantDone(t, "evict again", s.post(t, by, route, body))
				rows := s.get(t, kept.Token, namedList).Text
				if strings.Contains(rows, `"revoked_because":"device"`) != (with == true) {
					t.Errorf("the list says %s", rows)
				}
			})
		}
	}
}

// A key may sign devices out, and may not revoke keys with them.
func TestAKeyDoesNotEvictWithKeys(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "desk")
	key := s.makeKey(t, in.Token, object{"name": "all", "scopes": []string{"all"}})
	for _, route := range []string{"/api/me/sessions/evict", "/api/admin/session/evict"} {
		got := s.Do(t, servertest.Request{
			Path: route, Header: map[string]string{"X-Api-Key": key.Key}, Body: object{"session_id": in.DeviceKey, "with_keys": true},
		})
		if got.Status != http.StatusForbidden || got.Message != access.ErrFirstParty.Text {
			t.Errorf("%s: %d %s", route, got.Status, got.Text)
		}
	}
	s.wantAlive(t, "the device", in.Token, "admin")
}

// Keys outlive a password, and whoever changes it is told so.
func TestAChangedPasswordSaysHowManyKeysLiveOn(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	token := s.SignIn(t, "ann", password, "").Token
	key := s.makeKey(t, token, object{"name": "1", "scopes": []string{"me.read"}})
	s.makeKey(t, token, object{"name": "2", "scopes": []string{"me.read"}})
	s.makeKey(t, token, object{"name": "3", "scopes": []string{"me.read"}, "expires_at": s.clock.Now().Add(1e9).Format("2006-01-02T15:04:05Z")})
	s.clock.Advance(2e9)
	wantBody(t, "by its own route", s.post(t, token, "/api/me/password", object{"old_password": password, "new_password": "another horse battery"}),
		`{"code":200,"message":"success","data":{"api_keys":2}}`)
	wantDone(t, "as AList has it", s.post(t, token, "/api/me/update", object{"username": "ann", "password": password}))
	if got := s.byKey(t, key.Key, "/api/me"); got.Status != http.StatusOK {
		t.Errorf("the key: %d %s", got.Status, got.Text)
	}
}
