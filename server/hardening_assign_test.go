package server_test

import (
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// greedy are fields that a request has no business with, in the spellings of
// AList, of our columns and of Go.
func greedy(accountKey string) map[string]any {
	all := map[string]any{}
	for name, value := range map[string]any{
		"id": 999, "user_id": 2, "key": accountKey, "account_key": accountKey, "sub": accountKey, "role": []int{2}, "roles": []int{2}, "role_names": []string{"admin"}, "is_admin": true, "admin": true,
		"permission": 65535, "permissions": []map[string]any{{"path": "/", "permission": 65535}}, "base_path": "/etc", "disabled": false, "enabled": true, "otp": false, "otp_secret": "JBSWY3DPEHPK3PXP", "totp_secret": "JBSWY3DPEHPK3PXP",
		"two_factor": false, "password_hash": "$argon2id$x", "pwd_hash": "x", "salt": "x", "pwd_ts": 1, "password_at": 1, "password_ts": 1, "epoch": 99, "max_devices": 9999, "session_ttl": 99999999, "created_at": 1, "name_key": "admin", "name_folded": "admin",
		"device_key": strings.Repeat("0", 32), "login_id": strings.Repeat("0", 32), "fresh_at": 9999999999999, "expires_at": 9999999999999, "ended_at": 0, "seen_at": 1, "kind": "cli", "ip": "1.2.3.4", "ua": "x", "status": 1,
		"fingerprint": "SHA256:x", "added_time": "2000-01-01T00:00:00Z", "last_used_time": "2000-01-01T00:00:00Z", "comment": "x", "verified": true, "verified_at": 1, "suspended": true, "suspended_at": 1, "last_used_at": 1, "authn": "x", "scopes": []string{"*"},
	} {
		all[name] = value
		all["_"+name] = value
		all[strings.ReplaceAll(name, "_", "")+"_"] = value
	}
	return all
}

// table is every row of a table as text.
func (f *fortress) table(t testing.TB, name string) string {
	t.Helper()
	return tableOf(f.rows(t), name)
}

// Nothing but the fields of a request is taken from its body, whatever else it
// names (H-12).
func TestGreedyFieldsChangeNothing(t *testing.T) {
	f, _ := town(t)
	admin := f.account(t, "admin")
	user := f.SignIn(t, "plain", servertest.AdminPassword, "desk")
	plain := f.account(t, "plain")
	send := func(path, token string, body map[string]any) servertest.Reply {
		t.Helper()
		whole := greedy(admin)
		maps.Copy(whole, body)
		if path == "/api/me/sessions/evict" || path == "/api/admin/session/evict" {
			delete(whole, "device_key") // there it is a field
		}
		if path == "/api/me/sshkey/add" {
			delete(whole, "expires_at") // and here
		}
		reply := f.Do(t, servertest.Request{Path: path, Token: token, Body: whole})
		if reply.Code != http.StatusOK {
			t.Errorf("%s: %s", path, reply.Text)
		}
		return reply
	}
	same := func(what, before string, tables ...string) {
		t.Helper()
		for _, name := range tables {
			if was := tableOf(before, name); f.table(t, name) != was {
				t.Errorf("%s changes %s: %s", what, name, firstDifference(was, f.table(t, name)))
			}
		}
	}
	before := f.rows(t)
	for _, route := range []string{"/api/auth/login", "/api/auth/login/hash"} {
		body := map[string]any{"username": "plain", "password": servertest.AdminPassword}
		if route != "/api/auth/login" {
			body["password"] = staticHash(servertest.AdminPassword)
		}
		var in servertest.SignedIn
		send(route, "", body).Into(t, &in)
		if me := f.Do(t, servertest.Request{Path: "/api/me", Token: in.Token}); !strings.Contains(me.Text, `"username":"plain"`) || !strings.Contains(me.Text, `"role":[3]`) {
			t.Errorf("%s signs in as %s", route, me.Text)
		}
		wantCode(t, "an admin's route", f.Do(t, servertest.Request{Path: "/api/admin/session/list", Token: in.Token}), http.StatusForbidden)
	}
	same("a sign-in", before, "accounts", "roles", "totp", "ssh_keys", "settings", "keys")

	send("/api/me/update", user.Token, map[string]any{"username": "plain", "sso_id": "mine", "password": ""})
	changed := strings.Replace(f.table(t, "accounts"), `sso_id="mine"`, `sso_id=""`, 1)
	if was := tableOf(before, "accounts"); changed != was {
		t.Errorf("the profile form changes more than it has fields: %s", firstDifference(was, changed))
	}
	same("the profile form", before, "roles", "totp", "ssh_keys", "settings", "keys")

	before = f.rows(t)
	send("/api/me/sshkey/add", user.Token, map[string]any{"title": "laptop", "key": goodKey})
	keys := f.query(t, "SELECT * FROM ssh_keys")
	if len(keys) != 1 {
		t.Fatalf("%d keys, want 1", len(keys))
	}
	row := map[string]string{}
	for _, c := range keys[0] {
		row[c.column] = c.value
	}
	if row["id"] == "999" || row["account_key"] != plain || row["fingerprint"] == "SHA256:x" || row["comment"] != "laptop" || row["verified_at"]+row["suspended_at"]+row["last_used_at"] != "<nil><nil><nil>" || row["added_at"] != strconv.FormatInt(f.clock.Now().UnixMilli(), 10) {
		t.Errorf("the added key took foreign fields: %v", row)
	}
	same("adding a key", before, "accounts", "roles", "totp", "settings", "keys", "devices", "logins")

	middle := f.rows(t)
	var made struct{ Secret string }
	send("/api/auth/2fa/generate", user.Token, nil).Into(t, &made)
	send("/api/auth/2fa/verify", user.Token, map[string]any{"code": totptest.Code(made.Secret, f.clock.Now()), "secret": made.Secret})
	accounts := withoutEpochs(f.table(t, "accounts"))
	if was := withoutEpochs(tableOf(middle, "accounts")); accounts != was {
		t.Errorf("enrolling changes accounts: %s", firstDifference(was, accounts))
	}
	if strings.Contains(f.table(t, "totp"), admin) {
		t.Error("enrolling gave the admin a second factor")
	}

	send("/api/me/sshkey/delete?id="+row["id"], user.Token, nil)
	own, theirs := f.SignIn(t, "admin", servertest.AdminPassword, "own"), f.SignIn(t, "admin", servertest.AdminPassword, "theirs")
	wantCode(t, "somebody else's device", f.Do(t, servertest.Request{
		Path: "/api/me/sessions/evict", Token: user.Token, Body: map[string]any{"session_id": own.DeviceKey, "user_id": 2, "account_key": admin, "id": 2},
	}), http.StatusBadRequest)
	send("/api/me/sessions/evict", user.Token, map[string]any{"session_id": user.DeviceKey})
	send("/api/admin/session/evict", own.Token, map[string]any{"session_id": theirs.DeviceKey})
	send("/api/admin/session/clean", own.Token, map[string]any{"session_id": theirs.DeviceKey})
	if reply := f.Do(t, servertest.Request{Path: "/api/me", Token: own.Token}); reply.Code != http.StatusOK {
		t.Errorf("another device ended too: %s", reply.Text)
	}
	if accounts := withoutEpochs(f.table(t, "accounts")); accounts != withoutEpochs(tableOf(middle, "accounts")) {
		t.Errorf("accounts changed in the end: %s", accounts)
	}
}

// tableOf is a table's part of what rows answered.
func tableOf(rows, name string) string {
	var part strings.Builder
	for line := range strings.Lines(rows) {
		if strings.HasPrefix(line, name+" ") {
			part.WriteString(line)
		}
	}
	return part.String()
}

// withoutEpochs leaves out the counter that a new second factor raises.
func withoutEpochs(accounts string) string {
	return regexp.MustCompile(` epoch="\d+"`).ReplaceAllString(accounts, "")
}
