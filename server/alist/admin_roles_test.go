package alist_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const (
	roleListRoute   = "/api/admin/role/list"
	roleGetRoute    = "/api/admin/role/get"
	roleCreateRoute = "/api/admin/role/create"
	roleUpdateRoute = "/api/admin/role/update"
	roleDeleteRoute = "/api/admin/role/delete"

	fixedRole   = "cannot modify admin role"
	badRoleName = "role name must be 1 to 64 printable characters without slashes or blanks at its ends"

	guestRole   = `{"id":1,"name":"guest","description":"Guest","default":false,"permission_scopes":[{"path":"/","permission":0}],"require_2fa":false}`
	adminRole   = `{"id":2,"name":"admin","description":"Administrator","default":false,"permission_scopes":[{"path":"/","permission":65535}],"require_2fa":false}`
	generalRole = `{"id":3,"name":"general","description":"General User","default":true,"permission_scopes":[{"path":"/","permission":0}],"require_2fa":false}`
)

func wantRole(t testing.TB, s *site, what string, id int64, row string) {
	t.Helper()
	wantBody(t, what, s.get(t, s.App.AdminToken(), fmt.Sprintf("%s?id=%d", roleGetRoute, id)), succeeded(row))
}

// value is a setting's value as the settings pages show it.
func (s *site) value(t testing.TB, key string) string {
	t.Helper()
	var row struct{ Value string }
	s.get(t, s.App.AdminToken(), settingGetRoute+"?key="+key).Into(t, &row)
	return row.Value
}

func TestRoleListAndGet(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	everything := succeeded(`{"content":[` + guestRole + `,` + adminRole + `,` + generalRole + `],"total":3}`)
	for query, want := range map[string]string{
		"":                    everything,
		"?page=-1&per_page=0": everything,
		"?page=2&per_page=2":  succeeded(`{"content":[` + generalRole + `],"total":3}`),
		"?page=3&per_page=2":  succeeded(`{"content":[],"total":3}`),
		"?per_page=x":         refusal(400, `query parameter "per_page" must be a whole number`),
	} {
		wantBody(t, "list"+query, s.get(t, token, roleListRoute+query), want)
	}
	wantRole(t, s, "get", 3, generalRole)
}

func TestRoleCreate(t *testing.T) {
	s := open(t)
	for i, tt := range []struct{ what, body, want string }{
		{"a name alone", `{"name":"r1"}`, `{"id":4,"name":"r1","description":"","default":false,"permission_scopes":[],"require_2fa":false}`},
		{"null for the rest", `{"name":"r2","description":null,"permission_scopes":null,"default":null}`, `{"id":5,"name":"r2","description":"","default":false,"permission_scopes":[],"require_2fa":false}`},
		{
			"paths that are not clean", `{"name":"r3","description":"d","permission_scopes":[{"path":"a/b/","permission":264},{"path":"/../c/./d//e","permission":0}]}`,
			`{"id":6,"name":"r3","description":"d","default":false,"permission_scopes":[{"path":"/a/b","permission":264},{"path":"/c/d/e","permission":0}],"require_2fa":false}`,
		},
		{"a wished id", `{"id":40,"name":"r4"}`, `{"id":40,"name":"r4","description":"","default":false,"permission_scopes":[],"require_2fa":false}`},
		{"the id after it", `{"name":"r5","id":0}`, `{"id":41,"name":"r5","description":"","default":false,"permission_scopes":[],"require_2fa":false}`},
	} {
		wantDone(t, tt.what, s.act(t, roleCreateRoute, tt.body))
		wantRole(t, s, tt.what, []int64{4, 5, 6, 40, 41}[i], tt.want)
	}
	const mask = `each of "permission_scopes" needs a path and a 32-bit mask`
	for what, tt := range map[string]struct{ body, message string }{
		"no name":               {`{}`, `field "name" is required`},
		"a taken name":          {`{"name":"r1"}`, "role name already exists"},
		"a taken name and id":   {`{"id":4,"name":"r1"}`, "role name already exists"},
		"a taken id":            {`{"id":4,"name":"new"}`, "id already exists"},
		"a name with a slash":   {`{"name":"a/b"}`, badRoleName},
		"a name with a blank":   {`{"name":"a "}`, badRoleName},
		"a scope without path":  {`{"name":"new","permission_scopes":[{"permission":1}]}`, mask},
		"a negative mask":       {`{"name":"new","permission_scopes":[{"path":"/","permission":-1}]}`, mask},
		"a mask of 33 bits":     {`{"name":"new","permission_scopes":[{"path":"/","permission":4294967296}]}`, mask},
		"text for a mask":       {`{"name":"new","permission_scopes":[{"path":"/","permission":"1"}]}`, `field "permission_scopes.permission" must be a whole number`},
		"text for a scope":      {`{"name":"new","permission_scopes":["/"]}`, `field "permission_scopes" must be an object`},
		"an object for scopes":  {`{"name":"new","permission_scopes":{}}`, `field "permission_scopes" must be a list`},
		"a number for default":  {`{"name":"new","default":1}`, `field "default" must be true or false`},
		"a negative id":         {`{"id":-4,"name":"new"}`, `field "id" must be from 0 to 2147483647`},
		"the greatest id":       {`{"id":9223372036854775807,"name":"new"}`, `field "id" must be from 0 to 2147483647`},
		"a list for the object": {`[]`, "request body must be a JSON object"},
	} {
		wantRefused(t, what, s.act(t, roleCreateRoute, tt.body), 400, tt.message)
	}
	got := s.get(t, s.App.AdminToken(), roleListRoute)
	if !strings.Contains(got.Text, `"total":8`) {
		t.Errorf("after the refusals: %s", got.Text)
	}
}

func TestRoleUpdate(t *testing.T) {
	s := open(t)
	scopes := []object{{"path": "/a", "permission": 1}}
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "description": "d", "permission_scopes": scopes}))
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 8, "name": "other"}))
	wantDone(t, "as it came", s.act(t, roleUpdateRoute, object{"id": 7, "name": "team", "description": "d", "permission_scopes": scopes, "default": false}))
	wantRole(t, s, "as it came", 7, `{"id":7,"name":"team","description":"d","default":false,"permission_scopes":[{"path":"/a","permission":1}],"require_2fa":false}`)
	wantDone(t, "all of it", s.act(t, roleUpdateRoute, object{"id": 7, "name": "crew", "description": "e", "permission_scopes": []object{{"path": "b/", "permission": 2}}}))
	wantRole(t, s, "all of it", 7, `{"id":7,"name":"crew","description":"e","default":false,"permission_scopes":[{"path":"/b","permission":2}],"require_2fa":false}`)
	wantDone(t, "the name alone", s.act(t, roleUpdateRoute, object{"id": 7, "name": "crew"}))
	wantRole(t, s, "the name alone", 7, `{"id":7,"name":"crew","description":"","default":false,"permission_scopes":[],"require_2fa":false}`)
	wantDone(t, "the guest's", s.act(t, roleUpdateRoute, object{"id": 1, "name": "visitor", "description": "v", "permission_scopes": scopes}))
	wantRole(t, s, "the guest's keeps its name", 1, `{"id":1,"name":"guest","description":"v","default":false,"permission_scopes":[{"path":"/a","permission":1}],"require_2fa":false}`)
	for what, tt := range map[string]struct {
		body    object
		code    int
		message string
	}{
		"no role":               {object{"id": 77, "name": "x"}, 404, noRole},
		"no id":                 {object{"name": "x"}, 404, noRole},
		"no name":               {object{"id": 7}, 400, `field "name" is required`},
		"a taken name":          {object{"id": 7, "name": "other"}, 400, "role name already exists"},
		"a name that is none":   {object{"id": 7, "name": "a/b"}, 400, badRoleName},
		"the admin's":           {object{"id": 2, "name": "admin"}, 403, fixedRole},
		"the admin's, default":  {object{"id": 2, "name": "admin", "default": true}, 403, fixedRole},
		"the guest's, default":  {object{"id": 1, "name": "guest", "default": true}, 400, "cannot set admin or guest as default role"},
		"no role, made default": {object{"id": 77, "name": "x", "default": true}, 404, noRole},
	} {
		wantRefused(t, what, s.act(t, roleUpdateRoute, tt.body), tt.code, tt.message)
	}
	wantRole(t, s, "the admin's", 2, adminRole)
	if got := s.value(t, "default_role"); got != "general" {
		t.Errorf("default_role is %q after refusals, want general", got)
	}
}

// Those who have a role feel its change with their next request.
func TestRoleChangeIsFeltAtOnce(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	in := s.SignIn(t, "alice", password, "")
	rights := func() string {
		t.Helper()
		var me struct {
			RoleNames   json.RawMessage `json:"role_names"`
			Permissions json.RawMessage `json:"permissions"`
		}
		s.get(t, in.Token, "/api/me").Into(t, &me)
		return string(me.RoleNames) + string(me.Permissions)
	}
	want := func(what, text string) {
		t.Helper()
		if got := rights(); got != text {
			t.Errorf("%s: %s, want %s", what, got, text)
		}
	}
	want("at first", `["general"][{"path":"/","permission":0}]`)
	wantDone(t, "scopes", s.act(t, roleUpdateRoute, object{"id": 3, "name": "general", "permission_scopes": []object{{"path": "/a", "permission": 7}}}))
	want("scopes", `["general"][{"path":"/a","permission":7}]`)
	wantDone(t, "name", s.act(t, roleUpdateRoute, object{"id": 3, "name": "people"}))
	want("name", `["people"][]`)
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "permission_scopes": []object{{"path": "/b", "permission": 1}}}))
	wantDone(t, "roles", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "role": []int{7, 3}}))
	want("roles", `["team","people"][{"path":"/b","permission":1}]`)
}

// The default role is the setting, wherever it is changed.
func TestDefaultRole(t *testing.T) {
	s := open(t)
	want := func(what string, id int64, name string) {
		t.Helper()
		if got := s.value(t, "default_role"); got != name {
			t.Errorf("%s: the setting is %q, want %q", what, got, name)
		}
		var list struct {
			Content []struct {
				ID      int64
				Default bool
			}
		}
		s.get(t, s.App.AdminToken(), roleListRoute).Into(t, &list)
		for _, r := range list.Content {
			if r.Default != (r.ID == id) {
				t.Errorf("%s: default of role %d is %t", what, r.ID, r.Default)
			}
		}
		var public map[string]string
		s.get(t, "", "/api/public/settings").Into(t, &public)
		if got := public["default_role"]; got != strconv.FormatInt(id, 10) {
			t.Errorf("%s: in public it is %q, want %d", what, got, id)
		}
	}
	want("at first", 3, "general")
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team", "default": true, "permission_scopes": []object{{"path": "/t", "permission": 1}}}))
	want("created as it", 7, "team")
	wantDone(t, "create", s.act(t, userCreateRoute, object{"username": "u"}))
	if a := s.stored(t, "u"); len(a.Roles) != 1 || a.Roles[0] != 7 || a.BasePath != "/t" {
		t.Errorf("a new account has roles %v and base path %s, want 7 and /t", a.Roles, a.BasePath)
	}
	wantDone(t, "update", s.act(t, roleUpdateRoute, object{"id": 7, "name": "crew", "default": false}))
	want("another name, and default false", 7, "crew")
	wantRefused(t, "delete the default role", s.act(t, roleDeleteRoute+"?id=7", nil), 400, "cannot delete the default role")
	wantDone(t, "update", s.act(t, roleUpdateRoute, object{"id": 3, "name": "general", "default": true}))
	want("updated to be it", 3, "general")
	wantDone(t, "save", s.act(t, settingSaveRoute, []object{{"key": "default_role", "value": "crew"}}))
	want("by the setting", 7, "crew")
	wantDone(t, "save", s.act(t, settingSaveRoute, []object{{"key": "default_role", "value": "3"}}))
	want("by the setting, as a number", 3, "general")
}

func TestRoleDelete(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 7, "name": "team"}))
	wantDone(t, "create", s.act(t, roleCreateRoute, object{"id": 70, "name": "another"}))
	wantDone(t, "give", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "role": []int{3, 70}}))
	wantRefused(t, "one that is held", s.act(t, roleDeleteRoute+"?id=70", nil), 400, "cannot delete a role that users still have")
	wantDone(t, "one that looks like it", s.act(t, roleDeleteRoute+"?id=7", nil))
	wantRefused(t, "again", s.act(t, roleDeleteRoute+"?id=7", nil), 404, noRole)
	for _, id := range []string{"1", "2"} {
		wantRefused(t, "role "+id, s.act(t, roleDeleteRoute+"?id="+id, nil), 403, fixedRole)
	}
	wantDone(t, "take", s.act(t, userUpdateRoute, object{"id": 3, "username": "alice", "role": []int{3}}))
	wantDone(t, "one that was held", s.act(t, roleDeleteRoute+"?id=70", nil))
	wantDone(t, "the next", s.act(t, roleCreateRoute, object{"name": "next"}))
	wantRole(t, s, "an id is never used again", 71, `{"id":71,"name":"next","description":"","default":false,"permission_scopes":[],"require_2fa":false}`)
	s.Admin(t, "")
	s.SignIn(t, "alice", password, "")
}
