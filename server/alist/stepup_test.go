package alist_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/racetest"
)

const othersRoute = "/api/me/sessions/evict_others"

// Every route that needs a fresh login, and everybody who may ask for it.
func TestWhatNeedsAFreshLogin(t *testing.T) {
	line, _ := sshKey(t)
	for name, route := range map[string]struct {
		path, done string
		body       any
		stale      string // the refusal
		guest      string // of guests, if it is another
	}{
		"a password without the old one": {passwordRoute, succeeded(`{"api_keys":0}`), object{"new_password": newPassword}, notFresh, ""},
		"throwing everybody else out":    {othersRoute, succeeded(`{"ended":0,"logins":0}`), nil, notFresh, ""},
		"adding an SSH key, if it is set so": {
			keyAddRoute, done, object{"title": "t", "key": line}, notFresh, refusal(http.StatusUnauthorized, "user invalid"),
		},
		"a password in the profile": {
			updateRoute, done,
			object{"username": "admin", "password": newPassword},
			"Sign in again to change your password",
			refusal(http.StatusForbidden, "Guest user can not update profile"),
		},
	} {
		for who, ask := range map[string]func(*site) (token, want string){
			"fresh": func(s *site) (string, string) { return s.Admin(t, "laptop").Token, route.done },
			"stale": func(s *site) (string, string) {
				in := s.Admin(t, "laptop")
				s.clock.Advance(10 * time.Minute)
				return in.Token, refusal(http.StatusForbidden, route.stale)
			},
			"reauthenticated": func(s *site) (string, string) {
				in := s.Admin(t, "laptop")
				s.clock.Advance(time.Hour)
				s.wantFresh(t, "reauth", s.reauth(t, in.Token, object{"password": password}))
				return in.Token, route.done
			},
			"a login beside one that reauthenticated": func(s *site) (string, string) {
				in, twin := s.Admin(t, "laptop"), s.Admin(t, "laptop")
				s.clock.Advance(time.Hour)
				s.wantFresh(t, "reauth", s.reauth(t, in.Token, object{"password": password}))
				return twin.Token, refusal(http.StatusForbidden, route.stale)
			},
			"one whose proof was refused": func(s *site) (string, string) {
				in := s.Admin(t, "laptop")
				s.clock.Advance(time.Hour)
				wantRefused(t, "reauth", s.reauth(t, in.Token, object{"password": "wrong horse battery"}), 400, badLogin)
				return in.Token, refusal(http.StatusForbidden, route.stale)
			},
			"the static token": func(s *site) (string, string) {
				return s.App.AdminToken(), refusal(http.StatusForbidden, route.stale)
			},
			"a guest": func(*site) (string, string) {
				if route.guest != "" {
					return "", route.guest
				}
				return "", refusal(http.StatusForbidden, route.stale)
			},
		} {
			t.Run(name+", "+who, func(t *testing.T) {
				s := open(t)
				s.enableGuest(t)
				s.save(t, map[string]string{"sshkey_add_needs_proof": "true"})
				token, want := ask(s)
				wantBody(t, who, s.post(t, token, route.path, route.body), want)
			})
		}
	}
}

// AList's clients cannot prove anything again: they are not asked unless an
// admin wants it so.
func TestSSHKeysNeedNoProofByDefault(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	s.clock.Advance(time.Hour)
	first, _ := sshKey(t)
	second, _ := sshKey(t)
	wantDone(t, "by default", s.post(t, in.Token, keyAddRoute, object{"title": "one", "key": first}))
	wantDone(t, "switch it on", s.act(t, "/api/admin/setting/save", []object{{"key": "sshkey_add_needs_proof", "value": "true"}}))
	body := object{"title": "two", "key": second}
	wantRefused(t, "when it is on", s.post(t, in.Token, keyAddRoute, body), http.StatusForbidden, notFresh)
	wantDone(t, "switch it off", s.act(t, "/api/admin/setting/save", []object{{"key": "sshkey_add_needs_proof", "value": "false"}}))
	wantDone(t, "when it is off again", s.post(t, in.Token, keyAddRoute, body))
}

func TestThrowingEverybodyElseOut(t *testing.T) {
	s := open(t)
	s.AddUser(t, "bob")
	caller, twin, nameless := s.Admin(t, "laptop"), s.Admin(t, "laptop"), s.Admin(t, "")
	phone, again := s.Admin(t, "phone"), s.Admin(t, "phone")
	foreign := s.SignIn(t, "bob", password, "laptop")
	wantBody(t, "all others", s.post(t, caller.Token, othersRoute, nil), succeeded(`{"ended":2,"logins":4}`))
	for what, token := range map[string]string{
		"another login of the device": twin.Token, "the device without a Client-Id": nameless.Token, "a device": phone.Token, "its other login": again.Token,
	} {
		s.wantDead(t, what, token, inactive)
	}
	s.wantAlive(t, "the caller", caller.Token, "admin")
	s.wantAlive(t, "somebody else", foreign.Token, "bob")
	s.wantAlive(t, "the static token", s.App.AdminToken(), "admin")
	if ids := s.devices(t, caller.Token); len(ids) != 1 || ids[0] != caller.DeviceKey {
		t.Errorf("devices %v, want the caller's", ids)
	}
	wantBody(t, "once more, with an empty object", s.post(t, caller.Token, othersRoute, object{}), succeeded(`{"ended":0,"logins":0}`))
	wantRefused(t, "with a list", s.post(t, caller.Token, othersRoute, []int{1}), 400, "request body must be a JSON object")
	wantRefused(t, "by one who was thrown out", s.post(t, twin.Token, othersRoute, nil), http.StatusUnauthorized, inactive)
	wantRefused(t, "by nobody", s.post(t, "", othersRoute, nil), http.StatusUnauthorized, noGuests)
	s.wantAlive(t, "a device that signs in again", s.Admin(t, "phone").Token, "admin")
}

// Nothing that signed in before lives on, the caller always does, and the list
// names whoever can still get in.
func TestSignInsRacingTheEndOfAllOthers(t *testing.T) {
	s := open(t)
	for round := range 8 {
		name := fmt.Sprintf("user%d", round)
		s.AddUser(t, name)
		caller, before := s.SignIn(t, name, password, "laptop"), s.SignIn(t, name, password, "laptop")
		var (
			mu   sync.Mutex
			late []servertest.SignedIn
		)
		racetest.AtOnce(7, func(i int) {
			if i == 6 {
				if got := s.post(t, caller.Token, othersRoute, nil); got.Code != http.StatusOK {
					t.Errorf("all others: %s", got.Text)
				}
				s.wantDead(t, "a login from before", before.Token, inactive)
				return
			}
			in := s.SignIn(t, name, password, []string{"laptop", "phone"}[i%2])
			mu.Lock()
			defer mu.Unlock()
			late = append(late, in)
		})
		active := map[string]bool{caller.DeviceKey: true}
		for _, in := range late {
			if s.get(t, in.Token, "/api/me").Code == http.StatusOK {
				active[in.DeviceKey] = true
			}
		}
		s.wantAlive(t, "the caller", caller.Token, name)
		if ids := s.devices(t, caller.Token); len(ids) != len(active) {
			t.Errorf("devices %v, want those of the live tokens: %v", ids, active)
		}
	}
}

func TestFreshnessSurvivesARestart(t *testing.T) {
	folder := t.TempDir()
	reopen := func(after time.Duration) *site {
		s := open(t, func(c *config.Config, _ *server.Options) { c.Data = folder })
		s.clock.Advance(after)
		return s
	}
	s := reopen(0)
	in, other := s.Admin(t, "laptop"), s.Admin(t, "phone")
	s.clock.Advance(time.Hour)
	s.wantFresh(t, "reauth", s.reauth(t, in.Token, object{"password": password}))
	if err := s.App.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(time.Hour + 10*time.Minute - time.Millisecond)
	wantRefused(t, "one that did not prove itself", s.post(t, other.Token, othersRoute, nil), http.StatusForbidden, notFresh)
	wantBody(t, "one that did", s.post(t, in.Token, othersRoute, nil), succeeded(`{"ended":1,"logins":1}`))
	s.clock.Advance(time.Millisecond)
	wantRefused(t, "a millisecond later", s.post(t, in.Token, othersRoute, nil), http.StatusForbidden, notFresh)
	if err := s.App.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(time.Hour)
	s.wantAlive(t, "the login", in.Token, "admin")
	s.wantDead(t, "the one it ended", other.Token, inactive)
}
