package server_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/audit"
	"latchkey/service/secret"
	"latchkey/service/totp/totptest"
)

// event is what the tests look at of a row in the admins' list.
type event struct {
	Event        string `json:"event"`
	Username     string `json:"username"`
	Actor        string `json:"actor"`
	ActorName    string `json:"actor_name"`
	Device       string `json:"device"`
	CallerDevice string `json:"caller_device"`
	Address      string `json:"address"`
	Reason       string `json:"reason"`
	RequestID    string `json:"request_id"`
}

// events asks the server for its newest events.
func (f *fortress) events(t testing.TB, query string) []event {
	t.Helper()
	var page struct{ Content []event }
	reply := f.Do(t, servertest.Request{Path: "/api/admin/audit?" + query, Token: f.App.AdminToken()})
	if reply.Code != http.StatusOK {
		t.Fatalf("list events: %s", reply.Text)
	}
	reply.Into(t, &page)
	return page.Content
}

// witness does what is recorded, and knows whom the newest event must name.
type witness struct {
	*fortress
	*testing.T

	secrets secretsOf
	device  string // of ann's login
	token   string // ann's
	admin   servertest.SignedIn
	seen    map[string]bool
}

const here = "198.51.100.7"

// sees compares the newest event with what is wanted, as far as that goes.
func (w *witness) sees(r servertest.Request, want event) servertest.Reply {
	w.Helper()
	r.From = here
	reply := w.unchecked(w.T, r)
	want.Address = here
	w.newest(want)
	if got := w.events(w, "per_page=1")[0].RequestID; got == "" || got != reply.Header.Get("X-Request-Id") {
		w.Errorf("%s is said to be of request %q", want.Event, got)
	}
	return reply
}

func (w *witness) newest(want event) {
	w.Helper()
	got := w.events(w, "per_page=1")[0]
	w.seen[got.Event] = true
	want.RequestID = got.RequestID
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("the newest event (-want +got):\n%s", diff)
	}
}

// mine is an event that ann caused herself.
func (w *witness) mine(kind string) event {
	return event{Event: kind, Username: "ann", Actor: "session", ActorName: "ann", CallerDevice: w.device}
}

// byAdmin is an event that the admin's login caused to somebody.
func (w *witness) byAdmin(kind, to string) event {
	return event{Event: kind, Username: to, Actor: "session", ActorName: "admin", CallerDevice: w.admin.DeviceKey}
}

func (w *witness) signIn(password, code string) servertest.Request {
	return servertest.Request{Path: "/api/auth/login", ClientID: "desk", Body: object{"username": "ann", "password": password, "otp_code": code}}
}

// keep notes a token as a secret.
func (w *witness) keep(r servertest.Reply) servertest.SignedIn {
	w.Helper()
	var in servertest.SignedIn
	r.Into(w.T, &in)
	w.secrets[fmt.Sprintf("token %d", len(w.secrets))] = in.Token
	return in
}

// Everything that changes an account, a login or the server leaves an event
// with who, whom, from which device and where (H-13); and no row, line or file
// holds a secret.
func TestEveryChangeLeavesAnEvent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit.log")
	f := besiege(t, func(c *config.Config, _ *server.Options) { c.AuditLog = file })
	w := &witness{fortress: f, T: t, secrets: secretsOf{"static token": f.App.AdminToken()}, seen: map[string]bool{}}
	w.newest(event{Event: "founded", Username: "admin", Actor: "system"})
	f.AddUser(t, "ann")
	w.newest(event{Event: "account_created", Username: "ann", Actor: "system"})
	w.signsIn()
	w.changesHerself()
	w.isAdministered()
	w.registersApps()
	w.grantsApps()
	w.isMintedFor()
	w.serverChanges()
	w.isDeleted()
	w.throttles()

	elsewhere := []string{ // their doors come with other parts; accounts are imported by a command
		"email_changed", "email_verified", "sign_in_disowned", "accounts_imported", "master_key_changed",
		"api_key_created", "api_key_changed", "api_key_rotated", "api_key_deleted", "api_key_revoked", "api_key_expiring", "api_key_unused",
	}
	for _, kind := range audit.Kinds() {
		if !w.seen[string(kind)] && !slices.Contains(elsewhere, string(kind)) {
			t.Errorf("%s was not seen", kind)
		}
	}
	w.holdNoSecret(file)
}

func (w *witness) signsIn() {
	right, wrong := w.secrets.add("password", servertest.AdminPassword), w.secrets.add("wrong password", "Tr0ub4dor&3-wrong")
	refused := w.sees(w.signIn(wrong, ""), event{Event: "sign_in_refused", Username: "ann", Actor: "none", Reason: "credentials_wrong", Device: w.desk("ann")})
	if refused.Code != http.StatusBadRequest {
		w.Fatal(refused.Text)
	}
	w.sees(servertest.Request{Path: "/api/auth/login", Body: object{"username": wrong, "password": wrong}}, event{Event: "sign_in_refused", Actor: "none", Reason: "credentials_wrong"})
	in := w.keep(w.sees(w.signIn(right, ""), event{Event: "signed_in", Username: "ann", Actor: "none", Device: w.desk("ann")}))
	w.device, w.token = in.DeviceKey, in.Token
	if got := w.events(w, "per_page=2")[1]; got.Event == "device_added" {
		w.Error("the first device is news")
	}
	w.sees(w.signIn(right, ""), event{Event: "signed_in", Username: "ann", Actor: "none", Device: in.DeviceKey})
	if got := w.events(w, "per_page=2")[1]; got.Event == "device_added" {
		w.Error("a device is new twice")
	}
	w.admin = w.keep(w.unchecked(w.T, servertest.Request{Path: "/api/auth/login", ClientID: "office", Body: object{"username": "admin", "password": right}}))
	w.token = w.keep(w.unchecked(w.T, w.signIn(right, ""))).Token
}

// desk is the device key of somebody's desk.
func (w *witness) desk(name string) string {
	return w.App.Sessions.DeviceKey(w.account(w, name), "desk")
}

func (w *witness) own(path string, body any) servertest.Request {
	return servertest.Request{Method: http.MethodPost, Path: path, Token: w.token, ClientID: "desk", Body: body}
}

func (w *witness) changesHerself() {
	phone := w.keep(w.unchecked(w.T, servertest.Request{Path: "/api/auth/login", From: here, ClientID: "phone", Body: object{"username": "ann", "password": servertest.AdminPassword}}))
	if got := w.events(w, "per_page=2")[1]; got.Event != "device_added" || got.Device != phone.DeviceKey || got.Address != here {
		w.Errorf("before the sign-in: %+v", got)
	}
	w.seen["device_added"] = true
	evicted := w.mine("device_evicted")
	evicted.Device = phone.DeviceKey
	w.sees(w.own("/api/me/sessions/evict", object{"session_id": phone.DeviceKey}), evicted)
	w.sees(w.own("/api/me/update", object{"username": "ann", "sso_id": "a"}), w.mine("profile_changed"))
	w.sees(w.own("/api/me/sshkey/add", object{"title": "k", "key": goodKey}), w.mine("ssh_key_added"))
	id := w.query(w, "SELECT max(id) FROM ssh_keys")[0][0].value
	w.sees(w.own("/api/me/sshkey/update", object{"id": atoi(id), "read_only": true}), w.mine("ssh_key_changed"))
	w.sees(w.own("/api/me/sshkey/lift?id="+id, nil), w.mine("ssh_key_lifted"))
	w.sees(w.own("/api/me/sshkey/delete?id="+id, nil), w.mine("ssh_key_deleted"))

	var made struct{ Secret string }
	w.unchecked(w.T, w.own("/api/auth/2fa/generate", nil)).Into(w.T, &made)
	w.secrets["TOTP secret"] = made.Secret
	w.sees(w.own("/api/auth/2fa/verify", object{"secret": made.Secret, "code": totptest.Code(made.Secret, w.clock.Now())}), w.mine("two_factor_enabled"))
	w.clock.Advance(30 * time.Second)
	refused := event{Event: "sign_in_refused", Username: "ann", Actor: "none", Device: w.device}
	refused.Reason = "code_needed"
	w.sees(w.signIn(servertest.AdminPassword, ""), refused)
	refused.Reason = "totp_code_wrong"
	w.sees(w.signIn(servertest.AdminPassword, "000000"), refused)

	next := w.secrets.add("next password", "nine lives of a cat")
	w.sees(w.own("/api/me/update", object{"username": "ann", "password": next}), w.mine("password_changed"))
	w.clock.Advance(30 * time.Second)
	w.token = w.keep(w.unchecked(w.T, w.signIn(next, totptest.Code(made.Secret, w.clock.Now())))).Token
	out := w.mine("signed_out")
	out.Device = w.device
	w.sees(servertest.Request{Path: "/api/auth/logout", Token: w.token, ClientID: "desk"}, out)
	w.clock.Advance(30 * time.Second)
	w.token = w.keep(w.unchecked(w.T, w.signIn(next, totptest.Code(made.Secret, w.clock.Now())))).Token
	w.clock.Advance(30 * time.Second)
	w.provesHerself(next, totptest.Code(made.Secret, w.clock.Now()))
}

func (w *witness) provesHerself(password, code string) {
	proven := w.mine("reauthenticated")
	proven.Device = w.device
	w.sees(w.own("/api/auth/reauth", object{"password": password, "otp_code": code}), proven)
	var made struct{ Codes []string }
	w.sees(w.own("/api/auth/2fa/recovery_codes", nil), w.mine("recovery_codes_renewed")).Into(w.T, &made)
	for i, recovery := range made.Codes {
		w.secrets[fmt.Sprintf("recovery code %d", i)] = recovery
	}
	again := w.signIn(password, made.Codes[0])
	again.From = here
	w.keep(w.unchecked(w.T, again))
	if got := w.events(w, "per_page=2")[1]; got.Event != "recovery_code_used" || got.Username != "ann" || got.Address != here {
		w.Errorf("before the sign-in: %+v", got)
	}
	w.seen["recovery_code_used"] = true
	w.sees(w.own("/api/me/sessions/evict_others", nil), w.mine("devices_evicted"))
	w.sees(w.own("/api/me/throttle/lift", nil), w.mine("throttle_lifted"))
}

func (w *witness) office(path string, body any) servertest.Request {
	return servertest.Request{Method: http.MethodPost, Path: path, Token: w.admin.Token, ClientID: "office", Body: body}
}

func (w *witness) isAdministered() {
	id := atoi(w.query(w, "SELECT id FROM accounts WHERE username = 'ann'")[0][0].value)
	ann := "?id=" + strconv.Itoa(id)
	evicted := w.byAdmin("device_evicted", "ann")
	evicted.Device = w.device
	w.sees(w.office("/api/admin/session/evict", object{"session_id": w.device}), evicted)
	w.sees(w.office("/api/admin/session/clean", object{"user_id": id}), w.byAdmin("devices_cleaned", "ann"))
	w.sees(w.office("/api/admin/session/clean", object{}), w.byAdmin("devices_cleaned", "admin"))
	w.sees(w.office("/api/admin/user/cancel_2fa"+ann, nil), w.byAdmin("two_factor_removed", "ann"))
	w.sees(w.office("/api/admin/user/update", object{"id": id, "username": "ann", "disabled": true}), w.byAdmin("account_edited", "ann"))
	w.setDisabled(w, "ann", true)
	w.newest(event{Event: "account_disabled", Username: "ann", Actor: "system"})
	w.setDisabled(w, "ann", false)
	w.newest(event{Event: "account_enabled", Username: "ann", Actor: "system"})
	w.sees(w.office("/api/admin/user/create", object{"username": "bob", "password": servertest.AdminPassword, "role": []int{3}}), w.byAdmin("account_created", "bob"))
	w.sees(w.office("/api/admin/role/create", object{"name": "crew", "permission_scopes": []any{}}), w.byAdmin("role_changed", "admin"))
	role := w.query(w, "SELECT max(id) FROM roles")[0][0].value
	w.sees(w.office("/api/admin/role/update", object{"id": atoi(role), "name": "crew", "default": true}), w.byAdmin("settings_changed", "admin"))
	w.sees(w.office("/api/admin/role/update", object{"id": 3, "name": "general", "default": true}), w.byAdmin("settings_changed", "admin"))
	w.sees(w.office("/api/admin/role/delete?id="+role, nil), w.byAdmin("role_changed", "admin"))
}

func (w *witness) serverChanges() {
	const title = "a-title-of-no-secrecy-1"
	w.secrets["a setting's value"] = title
	w.sees(w.office("/api/admin/setting/save", []object{{"key": "site_title", "value": title}}), w.byAdmin("settings_changed", "admin"))
	w.sees(w.office("/api/admin/setting/save", []object{{"key": "allow_register", "value": "true"}}), w.byAdmin("settings_changed", "admin"))
	w.sees(servertest.Request{Path: "/api/auth/register", Body: object{"username": "eve", "password": servertest.AdminPassword}},
		event{Event: "account_created", Username: "eve", Actor: "none"})
	by := event{Event: "settings_changed", Actor: "token", ActorName: "admin"}
	w.secrets["new static token"] = "alist-" + strings.Repeat("x", 64)
	set := servertest.Request{Path: "/api/admin/setting/set_token", Token: w.App.AdminToken(), Body: object{"token": w.secrets["new static token"]}}
	w.sees(set, by)
	old := w.App.Ring.Tokens()[0].ID
	if _, err := w.App.RotateKeys(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.newest(event{Event: "key_rotated", Actor: "system"})
	if err := w.App.RemoveKey(w.Context(), old); err != nil {
		w.Fatal(err)
	}
	w.newest(event{Event: "key_removed", Actor: "system"})
}

// isDeleted: an event says who it was that is gone.
func (w *witness) isDeleted() {
	id := w.query(w, "SELECT id FROM accounts WHERE username = 'ann'")[0][0].value
	w.sees(servertest.Request{Method: http.MethodPost, Path: "/api/admin/user/delete?id=" + id, Token: w.App.AdminToken()},
		event{Event: "account_deleted", Username: "ann", Actor: "token", ActorName: "admin"})
	for _, e := range w.events(w, "event=device_evicted") {
		if e.Username != "ann" {
			w.Errorf("ann is called %q now that she is gone", e.Username)
		}
	}
}

func (w *witness) throttles() {
	for range 40 {
		w.tryPassword(w, "bob", "wrong horse battery", here)
	}
	w.newest(event{Event: "sign_in_throttled", Username: "bob", Actor: "none", Address: here, Reason: "sign_in_throttled", Device: w.App.Sessions.DeviceKey(w.account(w, "bob"), "")})
	if n := len(w.events(w, "event=sign_in_throttled")); n != 1 {
		w.Errorf("%d throttled sign-ins of one minute are stored, want 1", n)
	}
	w.secrets["a wrong API key"] = secret.NewBearer(secret.APIKey)
	w.sees(withKey(w.secrets["a wrong API key"], servertest.Request{Path: "/api/me"}), event{Event: "api_key_refused", Actor: "none", Reason: "api_key_invalid"})
}

// holdNoSecret looks for every secret of the story in the rows, the log and the
// file.
func (w *witness) holdNoSecret(file string) {
	w.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		w.Fatal(err)
	}
	var rows strings.Builder
	for _, row := range w.query(w, "SELECT * FROM audit_events") {
		fmt.Fprintln(&rows, row)
	}
	hashes := w.query(w, "SELECT password_hash FROM accounts WHERE password_hash <> ''")
	for i, row := range hashes {
		w.secrets[fmt.Sprintf("stored password %d", i)] = row[0].value
	}
	for where, held := range map[string]string{"the rows": rows.String(), "the log": w.log.String(), "the file": string(text)} {
		if strings.Count(held, "sign_in_refused") < 4 {
			w.Errorf("%s lack what happened", where)
		}
		for what, kept := range w.secrets {
			if strings.Contains(held, kept) {
				w.Errorf("%s hold the %s", where, what)
			}
		}
	}
	stored, lines := strings.Count(rows.String(), "\n"), strings.Count(string(text), "\n")
	if lines < stored || lines != len(regexp.MustCompile(`(?m)^\{"time":"[^"]+","event":"[a-z_0-9]+","address":"[^"]*","reason":"[a-z_]*",`).FindAllString(string(text), -1)) {
		w.Errorf("%d lines in the file, %d rows", lines, stored)
	}
	w.Logf("%d secrets sought in %d rows, %d lines of the file and the log", len(w.secrets), stored, lines)
}
