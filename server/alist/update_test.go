package alist_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	updateRoute = "/api/me/update"
	newPassword = "another horse battery"
)

func TestNewPasswordEndsEveryLogin(t *testing.T) {
	s := open(t)
	caller, other := s.Admin(t, "laptop"), s.Admin(t, "")
	wantDone(t, "update", s.post(t, caller.Token, updateRoute, object{"username": "admin", "password": newPassword, "sso_id": ""}))
	s.wantDead(t, "the caller", caller.Token, changed)
	s.wantDead(t, "another device", other.Token, changed)
	s.wantDead(t, "the caller, again", caller.Token, changed)
	s.wantAlive(t, "the static token", s.App.AdminToken(), "admin")
	wantRefused(t, "the old password", s.signIn(t, object{"username": "admin", "password": password}), http.StatusBadRequest, badLogin)
	in := s.SignIn(t, "admin", newPassword, "laptop")
	if ids := s.devices(t, in.Token); len(ids) != 1 || ids[0] != in.DeviceKey {
		t.Errorf("devices after the change: %v, want only the new one", ids)
	}
	s.wantDead(t, "the caller after a new sign-in on the device", caller.Token, changed)
}

func TestNewPasswordNeedsAFreshLogin(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "")
	body := object{"username": "admin", "password": newPassword}
	s.clock.Advance(10 * time.Minute)
	wantRefused(t, "after ten minutes", s.post(t, in.Token, updateRoute, body), http.StatusForbidden, "Sign in again to change your password")
	s.wantAlive(t, "the login", in.Token, "admin")
	wantRefused(t, "with the static token", s.post(t, s.App.AdminToken(), updateRoute, body), http.StatusForbidden, "Sign in again to change your password")
	fresh := s.Admin(t, "")
	s.clock.Advance(10*time.Minute - time.Second)
	wantDone(t, "before ten minutes are over", s.post(t, fresh.Token, updateRoute, body))
}

func TestUnchangedOrEmptyPasswordNeedsNothingAndEndsNothing(t *testing.T) {
	s := open(t)
	in, other := s.Admin(t, "laptop"), s.Admin(t, "")
	s.clock.Advance(time.Hour)
	for name, body := range map[string]object{
		"the present password": {"username": "admin", "password": password, "sso_id": "x"},
		"an empty one":         {"username": "admin", "password": "", "sso_id": "x"},
		"none":                 {"username": "admin", "sso_id": "x"},
		"null":                 {"username": "admin", "password": nil, "sso_id": "x"},
	} {
		wantDone(t, name, s.post(t, in.Token, updateRoute, body))
	}
	s.wantAlive(t, "the caller", in.Token, "admin")
	s.wantAlive(t, "another device", other.Token, "admin")
}

func TestRenameKeepsTokens(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	s.AddUser(t, "bob")
	in := s.SignIn(t, "alice", password, "laptop")
	s.clock.Advance(time.Hour)
	wantDone(t, "rename", s.post(t, in.Token, updateRoute, object{"username": "carol"}))
	s.wantAlive(t, "the token", in.Token, "carol")
	if again := s.SignIn(t, "carol", password, "laptop"); again.DeviceKey != in.DeviceKey {
		t.Errorf("the device was %s and is %s under the new name", in.DeviceKey, again.DeviceKey)
	}
	wantRefused(t, "the old name", s.signIn(t, object{"username": "alice", "password": password}), http.StatusBadRequest, badLogin)
	for _, taken := range []string{"bob", "BOB", "ｂｏｂ", "admin", "guest"} {
		got := s.post(t, in.Token, updateRoute, object{"username": taken})
		wantRefused(t, "rename to "+taken, got, http.StatusBadRequest, "username already exists")
	}
	wantDone(t, "another case of the own name", s.post(t, in.Token, updateRoute, object{"username": "Carol"}))
	s.wantAlive(t, "the token", in.Token, "Carol")
}

// A token belongs to the account; whoever takes the name later is somebody
// else.
func TestTokenDoesNotFollowTheName(t *testing.T) {
	s := open(t)
	key := s.AddUser(t, "carl")
	old := s.SignIn(t, "carl", password, "laptop")
	if err := s.App.Accounts.Delete(t.Context(), key); err != nil {
		t.Fatalf("delete: %v", err)
	}
	s.wantDead(t, "the token of a deleted account", old.Token, invalid)
	s.AddUser(t, "carl")
	s.wantDead(t, "the same when the name is somebody else's", old.Token, invalid)
	if in := s.SignIn(t, "carl", password, "laptop"); in.DeviceKey == old.DeviceKey {
		t.Error("the new account inherits the old one's device")
	}
}

func TestSSOIDIsAlwaysOverwritten(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "")
	for _, step := range []struct {
		body object
		want string
	}{
		{object{"username": "admin", "sso_id": "me@idp"}, `"sso_id":"me@idp"`},
		{object{"username": "admin"}, `"sso_id":""`},
		{object{"username": "admin", "sso_id": "again"}, `"sso_id":"again"`},
		{object{"username": "admin", "sso_id": nil}, `"sso_id":""`},
	} {
		wantDone(t, "update", s.post(t, in.Token, updateRoute, step.body))
		if got := s.get(t, in.Token, "/api/me"); !strings.Contains(got.Text, step.want) {
			t.Errorf("after %v: %s, want %s", step.body, got.Text, step.want)
		}
	}
}

// H-12: nobody gives themselves rights.
func TestForeignFieldsOfAProfileAreIgnored(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "")
	wantDone(t, "update", s.post(t, in.Token, updateRoute, object{
		"username": "alice", "id": 2, "role": []int{2}, "permission": 65535, "disabled": true, "base_path": "/etc",
		"otp": true, "otp_secret": "GEZDGNBV", "role_names": []string{"admin"}, "max_devices": 1, "session_ttl": 1,
		"permissions": []object{{"path": "/", "permission": 65535}}, "epoch": 9, "key": "x", "password_hash": "x",
	}))
	wantBody(t, "me", s.get(t, in.Token, "/api/me"), aliceBody)
	wantRefused(t, "an admin route", s.get(t, in.Token, "/api/admin/session/list"), http.StatusForbidden, "You are not an admin")
}

func TestProfileUpdateRefusals(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	token := s.Admin(t, "").Token
	const name = "username must be 1 to 64 characters without slashes, control characters or blanks at its ends"
	for what, tt := range map[string]struct {
		token   string
		body    any
		code    int
		message string
	}{
		"no name":                  {token, object{"password": newPassword}, 400, `field "username" is required`},
		"an empty name":            {token, object{"username": ""}, 400, `field "username" is required`},
		"a name with a slash":      {token, object{"username": "a/b"}, 400, name},
		"a name with a blank":      {token, object{"username": " a"}, 400, name},
		"a name of 65 characters":  {token, object{"username": strings.Repeat("ä", 65)}, 400, name},
		"a name with a newline":    {token, object{"username": "a\nb"}, 400, name},
		"a number for a name":      {token, object{"username": 1}, 400, `field "username" must be a string`},
		"no body":                  {token, nil, 400, "request body is empty"},
		"a short password":         {token, object{"username": "admin", "password": "short"}, 400, "Password too weak: use at least 8 characters"},
		"a well-known password":    {token, object{"username": "admin", "password": "password1"}, 400, "Password too weak: it is among the best-known passwords"},
		"a blank password":         {token, object{"username": "admin", "password": "          "}, 400, "Password too weak: it is blank"},
		"a password of 1025 bytes": {token, object{"username": "admin", "password": strings.Repeat("x", 1025)}, 400, "Password is longer than 1024 bytes"},
		"a guest":                  {"", object{"username": "me"}, 403, "Guest user can not update profile"},
		"a guest without a name":   {"", object{}, 400, `field "username" is required`},
		"garbage for a token":      {"garbage", object{"username": "me"}, 401, invalid},
	} {
		wantRefused(t, what, s.post(t, tt.token, updateRoute, tt.body), tt.code, tt.message)
	}
	wantBody(t, "me afterwards", s.get(t, token, "/api/me"), adminBody)
}

// A refused change changes nothing, not even the parts that were right.
func TestProfileUpdateIsAllOrNothing(t *testing.T) {
	s := open(t)
	s.AddUser(t, "bob")
	in := s.Admin(t, "")
	wantRefused(t, "taken name and new password",
		s.post(t, in.Token, updateRoute, object{"username": "bob", "password": newPassword, "sso_id": "x"}), 400, "username already exists")
	wantRefused(t, "new name and weak password",
		s.post(t, in.Token, updateRoute, object{"username": "root", "password": "short", "sso_id": "x"}), 400, "Password too weak: use at least 8 characters")
	wantBody(t, "me", s.get(t, in.Token, "/api/me"), adminBody)
	s.Admin(t, "")
}

func TestPasswordsAreStoredSlow(t *testing.T) {
	s := open(t)
	a, err := s.App.Accounts.ForSignIn(t.Context(), "admin")
	if err != nil {
		t.Fatalf("find admin: %v", err)
	}
	if !strings.HasPrefix(a.PasswordHash, "$argon2id$") || strings.Contains(a.PasswordHash, hashed(password)) {
		t.Errorf("the stored password begins with %.12q, want Argon2id", a.PasswordHash)
	}
}

func TestDisablingEndsEveryLoginForGood(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "laptop")
	s.setDisabled(t, "alice", true)
	s.wantDead(t, "while disabled", in.Token, disabled)
	s.setDisabled(t, "alice", false)
	s.wantDead(t, "when enabled again", in.Token, inactive)
	fresh := s.SignIn(t, "alice", password, "phone")
	if ids := s.devices(t, fresh.Token); len(ids) != 1 {
		t.Errorf("devices %v, want only the new one", ids)
	}
}
