package alist_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

const (
	registerRoute = "/api/auth/register"
	closed        = "registration is disabled"
)

// Whether registration is open is looked at before anything else.
func TestRegistrationIsClosedAtFirst(t *testing.T) {
	s := open(t)
	for what, body := range map[string]any{
		"a good body": object{"username": "alice", "password": password}, "nothing": nil, "an empty object": object{}, "garbage": "{",
	} {
		wantRefused(t, what, s.post(t, "", registerRoute, body), http.StatusForbidden, closed)
	}
	s.save(t, map[string]string{"allow_register": "1"})
	wantDone(t, "open", s.post(t, "", registerRoute, object{"username": "alice", "password": password}))
	s.save(t, map[string]string{"allow_register": "false"})
	wantRefused(t, "closed again", s.post(t, "", registerRoute, object{"username": "bob", "password": password}), http.StatusForbidden, closed)
}

func TestRegister(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"allow_register": "true"})
	wantDone(t, "register", s.post(t, "stale token", registerRoute, object{
		"username": "alice", "password": password, "id": 1, "role": []int{2}, "permission": 65535, "base_path": "/x", "disabled": true,
	}))
	wantUser(t, s, "alice", 3, aliceUser)
	s.SignIn(t, "alice", password, "")
	for what, tt := range map[string]struct {
		body    any
		message string
	}{
		"a taken name":             {object{"username": "alice", "password": password}, nameTaken},
		"a taken name, other case": {object{"username": "ALICE", "password": password}, nameTaken},
		"the admin's name":         {object{"username": "Admin", "password": password}, nameTaken},
		"no name":                  {object{"password": password}, `field "username" is required`},
		"no password":              {object{"username": "bob"}, `field "password" is required`},
		"an empty password":        {object{"username": "bob", "password": ""}, `field "password" is required`},
		"a weak password":          {object{"username": "bob", "password": "password1"}, "Password too weak: it is among the best-known passwords"},
		"a short password":         {object{"username": "bob", "password": "short"}, "Password too weak: use at least 8 characters"},
		"a name that is none":      {object{"username": "b/ob", "password": password}, badName},
		"nothing":                  {"", "request body is empty"},
	} {
		wantRefused(t, what, s.post(t, "", registerRoute, tt.body), http.StatusBadRequest, tt.message)
	}
	got := s.Do(t, servertest.Request{Path: registerRoute, Body: "Username=bob&Password=orchard+lantern", Header: map[string]string{"Content-Type": formType}})
	wantAnswer(t, "a form", got, http.StatusUnsupportedMediaType, refusal(http.StatusUnsupportedMediaType, "request body must be application/json"))
	if got := s.get(t, s.App.AdminToken(), userListRoute); !strings.Contains(got.Text, `"total":3`) {
		t.Errorf("afterwards: %s", got.Text)
	}
}

func TestRegisteredPeopleHaveTheDefaultRole(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"allow_register": "true"})
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "default": true, "permission_scopes": []object{{"path": "team", "permission": 3}}}))
	wantDone(t, "register", s.post(t, "", registerRoute, object{"username": "bob", "password": password}))
	wantUser(t, s, "bob", 3, strings.NewReplacer("alice", "bob", `"base_path":"/"`, `"base_path":"/team"`, "[3]", "[7]").Replace(aliceUser))
}

// Every well-formed try counts against its address, also one that succeeds.
func TestRegistrationIsThrottledPerAddress(t *testing.T) {
	s := open(t)
	s.save(t, map[string]string{"allow_register": "true"})
	register := func(name, from string) servertest.Reply {
		t.Helper()
		return s.Do(t, servertest.Request{Path: registerRoute, From: from, Body: object{"username": name, "password": password}})
	}
	made := 0
	for n := range 40 {
		got := register(fmt.Sprint("user", n), "198.51.100.1")
		if got.Code == http.StatusTooManyRequests {
			if got.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			break
		}
		made++
	}
	if made != 15 {
		t.Errorf("%d accounts were made from one address, want 15", made)
	}
	wantDone(t, "another address", register("other", "203.0.113.1"))
	s.clock.Advance(time.Hour)
	wantDone(t, "an hour later", register("later", "198.51.100.1"))
}
