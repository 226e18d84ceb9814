package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/server/servertest"
)

// target is a route as an honest client uses it. Its body, were it accepted
// in any disguise, would change a row.
type target struct {
	method string
	path   string
	public bool           // no credential is looked at
	token  string         // whose request it is; empty: the admin's
	idle   bool           // changes nothing, or always refuses
	query  string         // an honest query
	ids    []string       // parameters that take one id
	paging bool           // takes page and per_page
	body   map[string]any // nil: the route reads none
	list   bool           // the body goes into a list
	fields []field
	form   bool // takes a form and a query too
	page   bool // a page for people: it takes a form, and its refusals are pages

	route  string   // as the engine has it, if that is another than the path
	others []string // methods that the path takes beside this one
	oauth  bool     // an endpoint of OAuth: its forms and refusals are tried in server/openid
	v4     bool     // it answers in Cloudreve's envelope, and other paths have a parameter where this one ends
}

// field is a field of a body.
type field struct {
	name     string
	optional bool // may be missing, or null where it is text
	nullable bool // may be null whatever it is
	kind     kind
}

type kind int

const (
	text kind = iota
	number
	boolean
	oneTimeCode // text or a number of up to six digits
	numbersList // of ids, or one
	textsList
)

const goodKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5yYqnCZmRCzhtTO8dwYIEEQBbgOWKwkyZTXp3RDtIt laptop"

// camp is a server with something to lose: a device to evict, one to clean, keys,
// an account with a second factor, a role.
type camp struct {
	*fortress

	token    string
	enrolled string // the token of the account with a second factor
	phone    string // a live device
	dead     string // one that was signed out
	keyID    string // the admin's key
	userID   string
	userKey  string // id of the user's key
	roleID   string
	targets  []target
}

func encamp(t *testing.T) *camp {
	t.Helper()
	f := besiege(t)
	admin, phone, dead := f.Admin(t, "desk"), f.Admin(t, "phone"), f.Admin(t, "dead")
	f.AddUser(t, "victim")
	victim := f.SignIn(t, "victim", servertest.AdminPassword, "desk").Token
	f.enrol(t, victim)
	done := func(path, token string, body any) {
		t.Helper()
		if reply := f.unchecked(t, servertest.Request{Path: path, Token: token, Body: body}); reply.Code != http.StatusOK {
			t.Fatalf("%s: %s", path, reply.Text)
		}
	}
	f.Do(t, servertest.Request{Path: "/api/auth/logout", Token: dead.Token})
	key := map[string]string{"title": "old", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl old"}
	done("/api/me/sshkey/add", admin.Token, key)
	done("/api/me/sshkey/add", victim, key)
	done("/api/admin/role/create", admin.Token, map[string]any{"name": "spare", "permission_scopes": []any{}})
	done("/api/admin/setting/save", admin.Token, []map[string]string{{"key": "allow_register", "value": "true"}})
	c := &camp{fortress: f, token: admin.Token, enrolled: victim, phone: phone.DeviceKey, dead: dead.DeviceKey}
	c.keyID = f.query(t, "SELECT min(id) FROM ssh_keys")[0][0].value
	c.userKey = f.query(t, "SELECT max(id) FROM ssh_keys")[0][0].value
	c.userID = f.query(t, "SELECT id FROM accounts WHERE username = 'victim'")[0][0].value
	c.roleID = f.query(t, "SELECT id FROM roles WHERE name = 'spare'")[0][0].value
	c.targets = slices.Concat(c.ownTargets(), c.adminTargets(), c.stubTargets(), c.appTargets(t), c.oauthTargets(t))
	return c
}

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// ownTargets are the routes of everybody.
func (c *camp) ownTargets() []target {
	login := []field{{name: "username"}, {name: "password", optional: true}, {name: "otp_code", optional: true, kind: oneTimeCode}}
	plain := map[string]any{"username": "admin", "password": servertest.AdminPassword}
	hashed := map[string]any{"username": "admin", "password": staticHash(servertest.AdminPassword)}
	return []target{
		{method: post, path: "/api/auth/login", public: true, body: plain, fields: login, form: true},
		{method: post, path: "/api/auth/login/hash", public: true, body: hashed, fields: login, form: true},
		{
			method: post, path: "/api/auth/register", public: true, body: map[string]any{"username": "mole", "password": servertest.AdminPassword},
			fields: []field{{name: "username"}, {name: "password"}},
		},
		{method: get, path: "/api/auth/logout"},
		{
			method: post, path: "/api/auth/reauth", body: map[string]any{"password": servertest.AdminPassword},
			fields: []field{{name: "password"}, {name: "hashed", optional: true, nullable: true, kind: boolean}, {name: "otp_code", optional: true, kind: oneTimeCode}},
		},
		{method: post, path: "/api/auth/2fa/generate"},
		{
			method: post, path: "/api/auth/2fa/verify", body: map[string]any{"code": "123456", "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
			fields: []field{{name: "code", kind: oneTimeCode}, {name: "secret"}},
		},
		{
			method: post, path: "/api/auth/2fa/generate", token: c.enrolled, body: map[string]any{"replace": true},
			fields: []field{{name: "replace", nullable: true, kind: boolean}},
		},
		{method: post, path: "/api/auth/2fa/disable", token: c.enrolled},
		{method: post, path: "/api/auth/2fa/recovery_codes", token: c.enrolled},
		{method: get, path: "/api/auth/2fa/status", token: c.enrolled},
		{method: get, path: "/api/me"},
		{
			method: post, path: "/api/me/update", body: map[string]any{"username": "admin", "sso_id": "broken-in"},
			fields: []field{{name: "username"}, {name: "password", optional: true}, {name: "sso_id", optional: true}},
		},
		{
			method: post, path: "/api/me/password",
			body: map[string]any{"old_password": servertest.AdminPassword, "new_password": "another horse battery"},
			fields: []field{
				{name: "old_password", optional: true},
				{name: "new_password"},
				{name: "otp_code", optional: true, kind: oneTimeCode},
				{name: "keep_current", optional: true, nullable: true, kind: boolean},
			},
		},
		{
			method: post, path: "/api/me/email", body: map[string]any{"email": "mole@example.org"},
			fields: []field{{name: "email", optional: true}}, // empty is an address, too: none
		},
		{method: get, path: "/api/me/sessions"},
		{method: post, path: "/api/me/sessions/evict_others"},
		{method: post, path: "/api/me/sessions/evict", body: map[string]any{"session_id": c.phone}, fields: []field{{name: "session_id"}}},
		{method: post, path: "/api/me/throttle/lift"},
		{method: get, path: "/api/me/activity", paging: true},
		{method: get, path: "/api/me/connections"},
		{method: get, path: "/api/me/sshkey/list", paging: true},
		{
			method: post, path: "/api/me/sshkey/add", body: map[string]any{"title": "laptop", "key": goodKey},
			fields: []field{{name: "title"}, {name: "key"}},
		},
		{
			method: post, path: "/api/me/sshkey/update", body: map[string]any{"id": atoi(c.keyID), "title": "other", "path": "/x"},
			fields: []field{{name: "id", kind: number}, {name: "title", optional: true}, {name: "path", optional: true}},
		},
		{method: post, path: "/api/me/sshkey/lift", query: "id=" + c.keyID, ids: []string{"id"}},
		{method: post, path: "/api/me/sshkey/delete", query: "id=" + c.keyID, ids: []string{"id"}},
	}
}

// adminTargets are the routes of admins.
func (c *camp) adminTargets() []target {
	user := []field{
		{name: "username"},
		{name: "password", optional: true},
		{name: "base_path", optional: true},
		{name: "sso_id", optional: true},
		{name: "role", optional: true, nullable: true, kind: numbersList},
		{name: "permission", optional: true, nullable: true, kind: number},
		{name: "disabled", optional: true, nullable: true, kind: boolean},
		{name: "max_devices", optional: true, nullable: true, kind: number},
		{name: "session_ttl", optional: true, nullable: true, kind: number},
		{name: "email", optional: true},
		{name: "email_verified", optional: true, nullable: true, kind: boolean},
	}
	role := []field{
		{name: "name"},
		{name: "description", optional: true},
		{name: "default", optional: true, nullable: true, kind: boolean},
		{name: "require_2fa", optional: true, nullable: true, kind: boolean},
	}
	id := []string{"id"}
	return []target{
		{method: get, path: "/api/admin/connections"},
		{method: get, path: "/api/admin/session/list"},
		{method: post, path: "/api/admin/session/evict", body: map[string]any{"session_id": c.phone}, fields: []field{{name: "session_id"}}},
		{
			method: post, path: "/api/admin/session/clean", body: map[string]any{"session_id": c.dead, "user_id": 0},
			fields: []field{{name: "session_id", optional: true}, {name: "user_id", optional: true, kind: number}},
		},
		{method: get, path: "/api/admin/throttle/list"},
		{
			method: post, path: "/api/admin/throttle/lift", body: map[string]any{"username": "victim"},
			fields: []field{{name: "username"}, {name: "address", optional: true}},
		},
		{method: get, path: "/api/admin/user/list", paging: true},
		{method: get, path: "/api/admin/user/get", query: "id=" + c.userID, ids: id},
		{method: post, path: "/api/admin/user/create", body: map[string]any{"username": "mole", "password": servertest.AdminPassword, "role": []int{3}}, fields: user},
		{
			method: post, path: "/api/admin/user/update", body: map[string]any{"id": atoi(c.userID), "username": "victim", "sso_id": "broken-in", "role": []int{3}},
			fields: append(user, field{name: "id", kind: number}),
		},
		{method: post, path: "/api/admin/user/delete", query: "id=" + c.userID, ids: id},
		{method: post, path: "/api/admin/user/cancel_2fa", query: "id=" + c.userID, ids: id},
		{method: post, path: "/api/admin/user/del_cache", query: "username=victim", idle: true},
		{method: get, path: "/api/admin/user/sshkey/list", query: "uid=" + c.userID, ids: []string{"uid"}, paging: true},
		{method: post, path: "/api/admin/user/sshkey/delete", query: "id=" + c.userKey, ids: id},
		{method: get, path: "/api/admin/role/list", paging: true},
		{method: get, path: "/api/admin/role/get", query: "id=" + c.roleID, ids: id},
		{method: post, path: "/api/admin/role/create", body: map[string]any{"name": "mole", "permission_scopes": []any{}}, fields: role},
		{
			method: post, path: "/api/admin/role/update", body: map[string]any{"id": atoi(c.roleID), "name": "spare", "description": "broken-in", "permission_scopes": []any{}},
			fields: append(role, field{name: "id", kind: number}),
		},
		{
			method: post, path: "/api/admin/role/require_2fa", body: map[string]any{"id": atoi(c.roleID), "require": true},
			fields: []field{{name: "id", kind: number}, {name: "require", kind: boolean}},
		},
		{method: post, path: "/api/admin/role/delete", query: "id=" + c.roleID, ids: id},
		{method: get, path: "/api/admin/audit", query: "event=signed_in&username=victim&address=192.0.2.1&since=1&until=2", paging: true},
		{method: get, path: "/api/admin/setting/list"},
		{method: get, path: "/api/admin/setting/get", query: "key=site_title"},
		{
			method: post, path: "/api/admin/setting/save", list: true, body: map[string]any{"key": "site_title", "value": "broken-in"},
			fields: []field{{name: "key"}, {name: "value", optional: true}},
		},
		{method: post, path: "/api/admin/setting/delete", query: "key=site_title", idle: true},
		{method: post, path: "/api/admin/setting/reset_token"},
		{method: post, path: "/api/admin/setting/set_token", body: map[string]any{"token": "alist-" + strings.Repeat("x", 64)}, fields: []field{{name: "token"}}},
	}
}

// stubTargets answer the same to everybody.
func (*camp) stubTargets() []target {
	var all []target
	for _, path := range []string{"/ping", "/api/public/settings", "/api/public/archive_extensions", "/api/public/offline_download_tools"} {
		all = append(all, target{method: "*", path: path, public: true})
	}
	all = append(all, target{method: get, path: "/api/openapi.json", public: true})
	for _, path := range []string{"/account/confirm-email", "/account/not-me", "/account/set-password", "/account/sign-in", "/account/sign-out", "/account/confirm", "/session/authorize", "/session/device"} {
		all = append(all, target{method: get, path: path, public: true, idle: true, page: true})
	}
	for _, path := range []string{
		"/api/label/list", "/api/auth/sso", "/api/auth/sso_callback", "/api/auth/get_sso_id", "/api/auth/sso_get_token", "/api/authn/webauthn_begin_login",
	} {
		all = append(all, target{method: get, path: path, public: true, idle: true})
	}
	for _, path := range []string{"/api/auth/login/ldap", "/api/authn/webauthn_finish_login"} {
		all = append(all, target{method: post, path: path, public: true, idle: true})
	}
	for _, path := range []string{"/api/fs/list", "/api/fs/get", "/api/fs/dirs", "/api/authn/webauthn_finish_registration", "/api/authn/delete_authn"} {
		all = append(all, target{method: post, path: path, idle: true})
	}
	for _, path := range []string{"/api/authn/webauthn_begin_registration", "/api/authn/getcredentials"} {
		all = append(all, target{method: get, path: path, idle: true})
	}
	return all
}
