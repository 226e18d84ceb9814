package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/login"
	"latchkey/service/profile"
	"latchkey/service/setting"
)

// keyed is a caller with a key of everything: what a route would have to be
// mistaken about to let through.
func (h *keyHouse) keyed(t testing.TB, name string, kind access.CredentialKind) access.Caller {
	t.Helper()
	by := h.owner(t, name)
	by.Kind, by.KeyID, by.Scopes = kind, 1, access.Scopes{access.All}
	return by // FreshAt stays: even a fresh one must not
}

// P-03: the services themselves refuse delegated callers what takes the owner,
// whatever the route table says.
func TestServicesRefuseDelegatedCallers(t *testing.T) {
	h := openKeyHouse(t)
	h.AddUser(t, "ann")
	key, id := h.key(t, "admin", apikey.Wanted{Scopes: []string{"me.read"}})
	p := h.App.Profile
	for _, kind := range []access.CredentialKind{access.APIKey, access.OAuthToken} {
		by := h.keyed(t, "admin", kind)
		ctx := access.With(t.Context(), by)
		newer := time.Now().Add(1000 * time.Hour)
		more := []string{"all"}
		for name, act := range map[string]func() error{
			"a password by /me/update": func() error { return p.Update(ctx, by, profile.Change{Username: "admin", Password: "another horse"}) },
			"the present password": func() error {
				return p.Update(ctx, by, profile.Change{Username: "admin", Password: servertest.AdminPassword})
			},
			"an SSO id": func() error { return p.Update(ctx, by, profile.Change{Username: "admin", SSOID: "x"}) },
			"a password by /me/password": func() error {
				_, err := p.ChangePassword(ctx, by, profile.PasswordChange{Old: servertest.AdminPassword, New: "another horse"})
				return err
			},
			"a factor: begin":         func() error { _, err := p.Factors.Generate(ctx, by, "x"); return err },
			"a factor: begin another": func() error { _, err := p.Factors.GenerateReplacement(ctx, by, "x"); return err },
			"a factor: enrol":         func() error { return p.EnableTwoFactor(ctx, by, "JBSWY3DPEHPK3PXP", "123456") },
			"a factor: confirm":       func() error { return p.Factors.Confirm(ctx, by, "JBSWY3DPEHPK3PXP", "123456") },
			"a factor: off":           func() error { return p.Factors.Disable(ctx, by) },
			"recovery codes":          func() error { _, err := p.Factors.RenewRecoveryCodes(ctx, by); return err },
			"a proof": func() error {
				_, err := p.Login.Reauthenticate(ctx, by, login.Proof{Password: servertest.AdminPassword})
				return err
			},
			"all other devices":     func() error { _, err := h.App.Sessions.EvictOthers(ctx, by); return err },
			"the limit on sign-ins": func() error { return p.LiftThrottle(ctx, by) },
			"a key": func() error {
				_, _, err := h.App.APIKeys().Create(ctx, by, apikey.Wanted{Name: "x", Scopes: more})
				return err
			},
			"a wider key":        func() error { return h.App.APIKeys().Update(ctx, by, id, apikey.Edit{Scopes: &more}) },
			"a longer key":       func() error { return h.App.APIKeys().Update(ctx, by, id, apikey.Edit{ExpiresAt: &newer}) },
			"a key's text":       func() error { _, err := h.App.APIKeys().Rotate(ctx, by, id, time.Hour); return err },
			"somebody's factor":  func() error { return h.App.Admins.CancelTwoFactor(ctx, by, 3) },
			"what roles require": func() error { return h.App.Accounts.RequireTwoFactor(ctx, 3, true) },
			"the static token":   func() error { _, err := h.App.Admins.NewToken(ctx, ""); return err },
			"an admin's limits":  func() error { return h.App.Admins.LiftAccount(ctx, "admin") },
		} {
			if err := act(); !errors.Is(err, access.ErrFirstParty) {
				t.Errorf("%s, kind %d: %v, want ErrFirstParty", name, kind, err)
			}
		}
	}
	if got := h.Do(t, withKey(key, servertest.Request{Path: "/api/me"})); got.Code != http.StatusOK {
		t.Errorf("the key afterwards: %s", got.Text)
	}
	if in := h.Admin(t, ""); in.Token == "" {
		t.Error("the password is another one")
	}
}

// P-03: what the scopes of admins do open stops before passwords, admins and
// secrets, with `all` and with the scope itself.
func TestAdminsKeysDoNotBecomeAdmins(t *testing.T) {
	h := openKeyHouse(t)
	h.AddUser(t, "ann")
	if _, err := h.App.Admins.CreateAny(t.Context(), accountNamed("ops"), servertest.AdminPassword); err != nil {
		t.Fatal(err)
	}
	ann, ops := h.number(t, "ann"), h.number(t, "ops")
	user := func(id int64, fields string) servertest.Request {
		return servertest.Request{Path: "/api/admin/user/update", Body: fmt.Sprintf(`{"id":%d,%s}`, id, fields)}
	}
	role := func(path, body string) servertest.Request {
		return servertest.Request{Path: "/api/admin/role/" + path, Body: body}
	}
	save := func(key, value string) servertest.Request {
		return servertest.Request{Path: "/api/admin/setting/save", Body: []map[string]string{{"key": key, "value": value}}}
	}
	for name, tt := range map[string]struct {
		scope   access.Scope
		request servertest.Request
		code    int
		message string
	}{
		"another's password":       {access.AdminUserUpdate, user(ann, `"username":"ann","password":"another horse battery"`), 403, firstPartyOnly},
		"another's e-mail":         {access.AdminUserUpdate, user(ann, `"username":"ann","email":"m@example.org"`), 403, firstPartyOnly},
		"a confirmed e-mail":       {access.AdminUserUpdate, user(ann, `"username":"ann","email":"m@example.org","email_verified":true`), 403, firstPartyOnly},
		"another's SSO id":         {access.AdminUserUpdate, user(ann, `"username":"ann","sso_id":"x"`), 403, firstPartyOnly},
		"the admin role":           {access.AdminUserUpdate, user(ann, `"username":"ann","role":[2]`), 400, "cannot assign admin or guest role to user"},
		"an admin's name":          {access.AdminUserUpdate, user(ops, `"username":"oops"`), 403, firstPartyOnly},
		"disabling an admin":       {access.AdminUserUpdate, user(ops, `"username":"ops","disabled":true`), 403, firstPartyOnly},
		"an admin's roles":         {access.AdminUserUpdate, user(ops, `"username":"ops","role":[3]`), 403, firstPartyOnly},
		"the owner's account":      {access.AdminUserUpdate, user(2, `"username":"admin","base_path":"/x"`), 403, firstPartyOnly},
		"enabling the guest":       {access.AdminUserUpdate, user(1, `"username":"guest","disabled":false`), 403, firstPartyOnly},
		"making an admin":          {access.AdminUserCreate, servertest.Request{Path: "/api/admin/user/create", Body: `{"username":"mole","role":[2]}`}, 400, "admin or guest user can not be created"},
		"binding a new account":    {access.AdminUserCreate, servertest.Request{Path: "/api/admin/user/create", Body: `{"username":"mole","sso_id":"x"}`}, 403, firstPartyOnly},
		"deleting an admin":        {access.AdminUserDelete, servertest.Request{Method: post, Path: fmt.Sprintf("/api/admin/user/delete?id=%d", ops)}, 400, "cannot delete admin or guest"},
		"the admin role's rights":  {access.AdminRoleUpdate, role("update", `{"id":2,"name":"admin","permission_scopes":[]}`), 403, "cannot modify admin role"},
		"deleting the admin role":  {access.AdminRoleUpdate, servertest.Request{Method: post, Path: "/api/admin/role/delete?id=2"}, 403, "cannot modify admin role"},
		"requiring two factors":    {access.AdminRoleUpdate, role("update", `{"id":3,"name":"general","permission_scopes":[],"require_2fa":true}`), 403, firstPartyOnly},
		"reading the static token": {access.AdminSettingRead, servertest.Request{Path: "/api/admin/setting/get?key=token"}, 400, "record not found"},
		"writing the static token": {access.AdminSettingUpdate, save("token", "alist-"+strings.Repeat("x", 64)), 403, firstPartyOnly},
		"shorter passwords":        {access.AdminSettingUpdate, save("password_min_length", "9"), 403, firstPartyOnly},
		"SSH keys without a proof": {access.AdminSettingUpdate, save("sshkey_add_needs_proof", "true"), 403, firstPartyOnly},
		"an admin's limit":         {access.AdminThrottleUpdate, servertest.Request{Path: "/api/admin/throttle/lift", Body: `{"username":"ops"}`}, 403, firstPartyOnly},
	} {
		t.Run(name, func(t *testing.T) {
			for kind, key := range map[string]string{"the scope": h.keyOf(t, "admin", tt.scope), "all": h.keyOf(t, "admin", access.All)} {
				refused(t, kind, h.Do(t, withKey(key, tt.request)), tt.code, tt.message)
			}
		})
	}
	update := h.keyOf(t, "admin", access.AdminRoleUpdate)
	refused(t, "another default role", h.Do(t, withKey(update, role("create", `{"name":"x","default":true,"permission_scopes":[]}`))),
		http.StatusForbidden, "Missing required permission: admin.setting.update")
	refused(t, "another default role", h.Do(t, withKey(update, role("update", `{"id":1,"name":"guest","default":true,"permission_scopes":[]}`))),
		http.StatusBadRequest, "cannot set admin or guest as default role")
	list := h.Do(t, withKey(h.keyOf(t, "admin", access.All), servertest.Request{Path: "/api/admin/setting/list"}))
	if strings.Contains(list.Text, h.App.AdminToken()) || strings.Contains(list.Text, `"key":"token"`) || !strings.Contains(list.Text, `"key":"site_title"`) {
		t.Errorf("the settings are %s", list.Text)
	}
}

// What the scopes say they open is open.
func TestAdminsKeysDoTheirPart(t *testing.T) {
	h := openKeyHouse(t)
	h.AddUser(t, "ann")
	all := h.keyOf(t, "admin", access.All)
	ann := h.number(t, "ann")
	for name, r := range map[string]servertest.Request{
		"make an account":         {Path: "/api/admin/user/create", Body: `{"username":"bob","password":"correct horse battery"}`},
		"send a form back":        {Path: "/api/admin/user/update", Body: fmt.Sprintf(`{"id":%d,"username":"anna","password":"","email":"","email_verified":false,"sso_id":"","role":[3],"disabled":false}`, ann)},
		"make a role":             {Path: "/api/admin/role/create", Body: `{"name":"x","permission_scopes":[]}`},
		"send a role back":        {Path: "/api/admin/role/update", Body: `{"id":3,"name":"General User","permission_scopes":[],"require_2fa":false,"default":true}`},
		"save a setting":          {Path: "/api/admin/setting/save", Body: []map[string]string{{"key": "site_title", "value": "x"}, {"key": "password_min_length", "value": "8"}}},
		"lift somebody's limit":   {Path: "/api/admin/throttle/lift", Body: `{"username":"guest2"}`},
		"change the own name":     {Path: "/api/me/update", Body: `{"username":"admin"}`},
		"keep the own SSO id":     {Path: "/api/me/update", Body: `{"username":"admin","sso_id":""}`},
		"list the own devices":    {Path: "/api/me/sessions"},
		"read what happened":      {Path: "/api/admin/audit"},
		"lift an address's limit": {Path: "/api/admin/throttle/lift", Body: `{"address":"192.0.2.1"}`},
	} {
		want := http.StatusOK
		if strings.Contains(name, "somebody") {
			want = http.StatusNotFound
		}
		if got := h.Do(t, withKey(all, r)); got.Status != want || got.Code != want {
			t.Errorf("%s: %d %s", name, got.Status, got.Text)
		}
	}
	if got := h.App.Settings.Get(setting.KeySiteTitle); got != "x" {
		t.Errorf("the title is %q", got)
	}
}

// A name that a key changes leaves what other services know the account by.
func TestAKeyThatRenamesKeepsTheSSOID(t *testing.T) {
	h := openKeyHouse(t)
	h.AddUser(t, "ann")
	token := h.SignIn(t, "ann", servertest.AdminPassword, "").Token
	h.Do(t, servertest.Request{Path: "/api/me/update", Token: token, Body: `{"username":"ann","sso_id":"a-1"}`})
	key := h.keyOf(t, "ann", access.MeUpdate)
	h.Do(t, withKey(key, servertest.Request{Path: "/api/me/update", Body: `{"username":"anna"}`}))
	found, err := h.App.Accounts.ForSignIn(t.Context(), "anna")
	if err != nil || found.SSOID != "a-1" {
		t.Errorf("the account is %q with %q, %v", found.Username, found.SSOID, err)
	}
}

// A caller without a login is nobody's device: nothing of it is current, and
// what it does names no device.
func TestKeysHaveNoDevice(t *testing.T) {
	h := openKeyHouse(t)
	in := h.Admin(t, "desk")
	text, id := h.key(t, "admin", apikey.Wanted{Scopes: []string{"all"}})
	var devices []struct{ Current bool }
	h.Do(t, withKey(text, servertest.Request{Path: "/api/me/sessions"})).Into(t, &devices)
	if len(devices) != 1 || devices[0].Current {
		t.Errorf("the devices are %+v", devices)
	}
	got := h.Do(t, withKey(text, servertest.Request{Path: "/api/me/sessions/evict", Body: map[string]string{"session_id": in.DeviceKey}}))
	if got.Code != http.StatusOK {
		t.Fatalf("evict: %s", got.Text)
	}
	var page struct {
		Content []struct {
			Event, Actor string
			CallerDevice string `json:"caller_device"`
			ActorName    string `json:"actor_name"`
			Detail       struct {
				Key int64 `json:"caller_api_key"`
			}
		}
	}
	h.Do(t, servertest.Request{Path: "/api/admin/audit?event=device_evicted", Token: h.App.AdminToken()}).Into(t, &page)
	if e := page.Content[0]; e.Actor != string(model.ActorAPIKey) || e.ActorName != "admin" || e.CallerDevice != "" || e.Detail.Key != id {
		t.Errorf("the event is %+v, want it to name key %d", e, id)
	}
}

// number is an account's id.
func (h *keyHouse) number(t testing.TB, name string) int64 {
	t.Helper()
	a, err := h.App.Accounts.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}
