package alist_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/server/servertest"
)

const (
	roleFactorRoute = "/api/admin/role/require_2fa"
	mustEnrol       = "Your role requires 2FA: enable it first"
)

// require switches the rule for a role.
func (s *site) require(t testing.TB, role int, required bool) {
	t.Helper()
	wantDone(t, "require", s.act(t, roleFactorRoute, object{"id": role, "require": required}))
}

func (s *site) wantHeld(t testing.TB, what, token string) {
	t.Helper()
	wantRefused(t, what, s.get(t, token, "/api/me/sshkey/list"), http.StatusForbidden, mustEnrol)
	if got := s.get(t, token, "/api/me"); !strings.Contains(got.Text, `"must_enable_2fa":true`) {
		t.Errorf("%s: /api/me answers %s", what, got.Text)
	}
}

func (s *site) wantFree(t testing.TB, what, token string) {
	t.Helper()
	wantBody(t, what, s.get(t, token, "/api/me/sshkey/list"), succeeded(`{"content":[],"total":0}`))
	if got := s.get(t, token, "/api/me"); !strings.Contains(got.Text, `"must_enable_2fa":false`) {
		t.Errorf("%s: /api/me answers %s", what, got.Text)
	}
}

// The rule holds for living logins at once, and enrolling ends it at once.
func TestRoleThatRequiresTwoFactorHoldsAtOnce(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.AddUser(t, "bob")
	alice, bob := s.SignIn(t, "alice", password, "").Token, s.SignIn(t, "bob", password, "").Token
	s.enrol(t, bob)
	s.wantFree(t, "before", alice)
	s.require(t, 3, true)
	s.wantHeld(t, "a living login", alice)
	s.wantHeld(t, "a new login", s.SignIn(t, "alice", password, "new").Token)
	s.wantFree(t, "one with a factor", bob)
	s.wantFree(t, "another role", s.Admin(t, "").Token)
	s.require(t, 3, false)
	s.wantFree(t, "switched off", alice)
	s.require(t, 3, true)
	s.wantHeld(t, "switched on again", alice)
	s.enrol(t, alice)
	s.wantFree(t, "enrolled", alice)
	wantDone(t, "cancel", s.act(t, "/api/admin/user/cancel_2fa?id=3", nil))
	s.wantHeld(t, "with the factor taken off", s.SignIn(t, "alice", password, "").Token)
}

// Any role of several is enough, and given or taken it counts with the next request.
func TestTwoFactorIsRequiredByAnyRole(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	alice := s.SignIn(t, "alice", password, "").Token
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "require_2fa": true}))
	s.wantFree(t, "before", alice)
	wantDone(t, "give", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "role": []int{3, 7}}))
	s.wantHeld(t, "given", alice)
	wantDone(t, "take", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "role": []int{3}}))
	s.wantFree(t, "taken", alice)
}

// Admins are not locked out by it: they sign in, enrol, and go on. The static
// token is the operator's and goes on in any case.
func TestAdminsMayBeRequiredToEnrol(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "")
	wantDone(t, "by an admin", s.post(t, in.Token, roleFactorRoute, object{"id": 2, "require": true}))
	wantRefused(t, "the same admin", s.get(t, in.Token, roleListRoute), http.StatusForbidden, mustEnrol)
	wantRefused(t, "taking it back", s.post(t, in.Token, roleFactorRoute, object{"id": 2, "require": false}), http.StatusForbidden, mustEnrol)
	s.wantFree(t, "the static token", s.App.AdminToken())
	again := s.Admin(t, "again").Token
	s.wantHeld(t, "a new login", again)
	s.enrol(t, again)
	wantDone(t, "enrolled", s.post(t, again, roleFactorRoute, object{"id": 2, "require": false}))
}

// Guests cannot enrol, so a rule for their role holds nobody.
func TestGuestsAreNotRequiredToEnrol(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	s.require(t, 1, true)
	wantBody(t, "a guest", s.get(t, "", "/api/me"), guestBody)
	wantRefused(t, "a guest's keys", s.get(t, "", "/api/me/sshkey/list"), http.StatusUnauthorized, "user invalid")
}

// AList's form does not know the key, and must not erase it.
func TestRoleFormLeavesTheRuleAlone(t *testing.T) {
	s := open(t)
	const (
		bare     = `{"id":7,"name":"team","description":"","default":false,"permission_scopes":[],"require_2fa":`
		required = bare + `true}`
		optional = bare + `false}`
	)
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "require_2fa": true}))
	wantRole(t, s, "created", 7, required)
	for what, body := range map[string]object{
		"AList's form": {"id": 7, "name": "team", "description": "", "permission_scopes": []object{}, "default": false},
		"null":         {"id": 7, "name": "team", "require_2fa": nil},
	} {
		wantDone(t, what, s.act(t, roleUpdateRoute, body))
		wantRole(t, s, what, 7, required)
	}
	wantDone(t, "false", s.act(t, roleUpdateRoute, object{"id": 7, "name": "team", "require_2fa": false}))
	wantRole(t, s, "false", 7, optional)
	wantDone(t, "true", s.act(t, roleUpdateRoute, object{"id": 7, "name": "team", "require_2fa": true}))
	wantRole(t, s, "true", 7, required)
	if got := s.get(t, s.App.AdminToken(), roleListRoute); !strings.Contains(got.Text, required) {
		t.Errorf("the list is %s", got.Text)
	}
	wantRefused(t, "the admin's", s.act(t, roleUpdateRoute, object{"id": 2, "name": "admin", "require_2fa": true}), http.StatusForbidden, fixedRole)
}

func TestRequireTwoFactorRoute(t *testing.T) {
	s := open(t)
	for what, tt := range map[string]struct {
		body    any
		code    int
		message string
	}{
		"no role":         {object{"id": 77, "require": true}, 404, noRole},
		"no id":           {object{"require": true}, 404, noRole},
		"no answer":       {object{"id": 2}, 400, `field "require" is required`},
		"null":            {object{"id": 2, "require": nil}, 400, `field "require" is required`},
		"text":            {object{"id": 2, "require": "true"}, 400, `field "require" must be true or false`},
		"text for the id": {object{"id": "2", "require": true}, 400, `field "id" must be a whole number`},
		"nothing":         {"", 400, "request body is empty"},
	} {
		wantRefused(t, what, s.act(t, roleFactorRoute, tt.body), tt.code, tt.message)
	}
	wantRole(t, s, "the admin's", 2, adminRole)
	s.require(t, 2, true)
	wantRole(t, s, "the admin's", 2, strings.Replace(adminRole, `"require_2fa":false`, `"require_2fa":true`, 1))
	s.AddUser(t, "alice")
	got := s.Do(t, servertest.Request{Path: roleFactorRoute, Token: s.SignIn(t, "alice", password, "").Token, Body: object{"id": 3, "require": true}})
	wantRefused(t, "no admin", got, http.StatusForbidden, "You are not an admin")
}
