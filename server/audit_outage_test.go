package server_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// alter changes the database beside the server.
func (f *fortress) alter(t testing.TB, statement string) {
	t.Helper()
	writer, err := sql.Open(rawDriver, "file:"+f.file)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if _, err := writer.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// What must be stored and cannot be is no success; who signs in is let in. When
// the table is back, all of it is there.
func TestWhileEventsCannotBeStored(t *testing.T) {
	f := besiege(t)
	f.AddUser(t, "ann")
	desk := f.SignIn(t, "ann", servertest.AdminPassword, "desk")
	phone := f.SignIn(t, "ann", servertest.AdminPassword, "phone")
	var made struct{ Secret string }
	f.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: desk.Token}).Into(t, &made)
	old := map[string]string{"title": "old", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl old"}
	f.Do(t, servertest.Request{Path: "/api/me/sshkey/add", Token: desk.Token, Body: old})
	before := len(f.events(t, "")) // stores what was noted

	f.alter(t, "ALTER TABLE audit_events RENAME TO audit_away")
	for _, tt := range []struct {
		kind, token string
		r           servertest.Request
	}{
		{"device_evicted", desk.Token, servertest.Request{Path: "/api/me/sessions/evict", Body: object{"session_id": phone.DeviceKey}}},
		{"ssh_key_added", desk.Token, servertest.Request{Path: "/api/me/sshkey/add", Body: object{"title": "new", "key": goodKey}}},
		{"ssh_key_deleted", desk.Token, servertest.Request{Path: "/api/me/sshkey/delete", Body: object{"id": 1}}},
		{"two_factor_enabled", desk.Token, servertest.Request{Path: "/api/auth/2fa/verify", Body: object{"secret": made.Secret, "code": totptest.Code(made.Secret, f.clock.Now())}}},
		{"account_edited", f.App.AdminToken(), servertest.Request{Path: "/api/admin/user/update", Body: object{"id": 3, "username": "ann", "sso_id": "x"}}},
		{"two_factor_removed", f.App.AdminToken(), servertest.Request{Method: http.MethodPost, Path: "/api/admin/user/cancel_2fa?id=3"}},
		{"settings_changed", f.App.AdminToken(), servertest.Request{Path: "/api/admin/setting/save", Body: []object{{"key": "site_title", "value": "x"}}}},
		{"role_changed", f.App.AdminToken(), servertest.Request{Path: "/api/admin/role/create", Body: object{"name": "crew", "permission_scopes": []any{}}}},
	} {
		tt.r.Token = tt.token
		if got := f.Do(t, tt.r); got.Status != http.StatusServiceUnavailable || got.Code != http.StatusServiceUnavailable || strings.Contains(got.Text, "success") {
			t.Errorf("%s: HTTP %d %s", tt.kind, got.Status, got.Text)
		}
	}
	again := f.SignIn(t, "ann", servertest.AdminPassword, "tablet")
	change := object{"username": "ann", "password": "nine lives of a cat"}
	if got := f.Do(t, servertest.Request{Path: "/api/me/update", Token: again.Token, Body: change}); got.Status != http.StatusServiceUnavailable {
		t.Errorf("password_changed: HTTP %d %s", got.Status, got.Text)
	}
	f.tryPassword(t, "ann", "wrong horse battery", "198.51.100.9")
	if got := f.Do(t, servertest.Request{Path: "/api/me", Token: phone.Token}); got.Code != http.StatusUnauthorized {
		t.Errorf("what was evicted without success is answered %s", got.Text)
	}

	f.alter(t, "ALTER TABLE audit_away RENAME TO audit_events")
	after := f.events(t, "")
	var kinds []string
	for _, e := range after[:len(after)-before] {
		kinds = append(kinds, e.Event)
	}
	const want = "sign_in_refused password_changed signed_in device_added role_changed settings_changed two_factor_removed " +
		"account_edited two_factor_enabled ssh_key_deleted ssh_key_added device_evicted"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("stored afterwards, newest first:\n%s\nwant\n%s", got, want)
	}
}

// An ending that was answered has its event, whenever the server is killed.
func TestKillLosesNoAnsweredEvent(t *testing.T) {
	program, folder := build(t), t.TempDir()
	p := run(t, program, folder)
	password := strings.TrimSpace(p.out.String()[strings.Index(p.out.String(), "password  ")+10:])
	password, _, _ = strings.Cut(password, "\n")
	token, _, err := p.signIn(t.Context(), "admin", password, "desk")
	if err != nil {
		t.Fatal(err)
	}
	var ended []string
	for i := range 5 {
		_, device, err := p.signIn(t.Context(), "admin", password, fmt.Sprintf("device %d", i))
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"session_id":%q}`, device)
		if a, err := p.call(t.Context(), call{method: http.MethodPost, path: "/api/me/sessions/evict", token: token, clientID: "desk", body: body}); err != nil || a.Code != http.StatusOK {
			t.Fatalf("evict: %v %s", err, a.Text)
		}
		ended = append(ended, device)
	}
	p.kill()
	out := command(t, program, folder, "audit", "list", "--json", "--event", "device_evicted", "--since", time.Hour.String())
	if n := strings.Count(out, "\n"); n != len(ended) {
		t.Errorf("%d evictions are stored, want %d", n, len(ended))
	}
	for _, device := range ended {
		if !strings.Contains(out, `"device":"`+device+`"`) {
			t.Errorf("the eviction of %s is lost:\n%s", device, out)
		}
	}
}
