package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server/servertest"
)

// target is a route as an honest client uses it. Its body, were it accepted
// in any disguise, would change a row.
type target struct {
	method string
	path   string
	public bool           // no credential is looked at
	query  string         // an honest query
	ids    []string       // parameters that take one id
	paging bool           // takes page and per_page
	body   map[string]any // nil: the route reads none
	fields []field
	form   bool // takes a form and a query too
}

// field is a field of a body. One that is optional may be missing, or null
// where it is text.
type field struct {
	name     string
	optional bool
	number   bool
	code     bool // text or a number of up to six digits
}

const goodKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5yYqnCZmRCzhtTO8dwYIEEQBbgOWKwkyZTXp3RDtIt laptop"

// targets is every route. Phone is a device to evict, dead one to clean.
func targets(phone, dead, keyID string) []target {
	right := map[string]any{"username": "admin", "password": servertest.AdminPassword}
	login := []field{{name: "username"}, {name: "password", optional: true}, {name: "otp_code", optional: true, code: true}}
	hash := map[string]any{"username": "admin", "password": staticHash(servertest.AdminPassword)}
	get, post := http.MethodGet, http.MethodPost
	all := []target{
		{method: post, path: "/api/auth/login", public: true, body: right, fields: login, form: true},
		{method: post, path: "/api/auth/login/hash", public: true, body: hash, fields: login, form: true},
		{method: get, path: "/api/auth/logout"},
		{method: post, path: "/api/auth/2fa/generate"},
		{
			method: post, path: "/api/auth/2fa/verify", body: map[string]any{"code": "123456", "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"},
			fields: []field{{name: "code", code: true}, {name: "secret"}},
		},
		{method: get, path: "/api/me"},
		{
			method: post, path: "/api/me/update", body: map[string]any{"username": "admin", "sso_id": "broken-in"},
			fields: []field{{name: "username"}, {name: "password", optional: true}, {name: "sso_id", optional: true}},
		},
		{method: get, path: "/api/me/sessions"},
		{
			method: post, path: "/api/me/sessions/evict", body: map[string]any{"session_id": phone},
			fields: []field{{name: "session_id"}},
		},
		{method: get, path: "/api/me/sshkey/list", paging: true},
		{
			method: post, path: "/api/me/sshkey/add", body: map[string]any{"title": "laptop", "key": goodKey},
			fields: []field{{name: "title"}, {name: "key"}},
		},
		{method: post, path: "/api/me/sshkey/delete", query: "id=" + keyID, ids: []string{"id"}},
		{method: get, path: "/api/admin/session/list"},
		{
			method: post, path: "/api/admin/session/evict", body: map[string]any{"session_id": phone},
			fields: []field{{name: "session_id"}},
		},
		{
			method: post, path: "/api/admin/session/clean", body: map[string]any{"session_id": dead, "user_id": 0},
			fields: []field{{name: "session_id", optional: true}, {name: "user_id", optional: true, number: true}},
		},
	}
	for _, path := range []string{"/ping", "/api/public/settings", "/api/public/archive_extensions", "/api/public/offline_download_tools"} {
		all = append(all, target{method: "*", path: path, public: true})
	}
	return append(all, target{method: get, path: "/api/openapi.json", public: true})
}

// camp is a server with a device to evict, one to clean, and a key to delete.
type camp struct {
	*fortress
	token   string
	targets []target
}

func encamp(t *testing.T) *camp {
	t.Helper()
	f := besiege(t)
	admin, phone, dead := f.Admin(t, "desk"), f.Admin(t, "phone"), f.Admin(t, "dead")
	f.Do(t, servertest.Request{Path: "/api/auth/logout", Token: dead.Token})
	added := f.Do(t, servertest.Request{
		Path: "/api/me/sshkey/add", Token: admin.Token,
		Body: map[string]string{"title": "old", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl old"},
	})
	if added.Code != http.StatusOK {
		t.Fatalf("add a key: %s", added.Text)
	}
	keyID := f.query(t, "SELECT id FROM ssh_keys")[0][0].value
	return &camp{fortress: f, token: admin.Token, targets: targets(phone.DeviceKey, dead.DeviceKey, keyID)}
}

// TestEveryRouteIsAttacked keeps the list of targets whole.
func TestEveryRouteIsAttacked(t *testing.T) {
	c := encamp(t)
	engine, ok := c.App.Handler().(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is a %T, want Gin's", c.App.Handler())
	}
	want := map[string]bool{}
	for _, r := range engine.Routes() {
		want[r.Path] = true
	}
	got := map[string]bool{}
	for _, r := range c.targets {
		got[r.path] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("targets are %q, routes are %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// The honest request of each target works and changes a row, so that the
// malformed ones below are refused for what is wrong with them.
func TestHonestRequestsOfTheTargetsAreAccepted(t *testing.T) {
	for i, r := range encamp(t).targets {
		if r.path == "/api/auth/2fa/verify" { // needs the code of the moment
			continue
		}
		c := encamp(t)
		r = c.targets[i]
		before := c.rows(t)
		reply := c.send(c.honest(t, r).request(t))
		if reply.Status != http.StatusOK || reply.Code != http.StatusOK && strings.HasPrefix(r.path, "/api/") && r.path != "/api/openapi.json" {
			t.Errorf("%s %s: HTTP %d %s", r.method, r.path, reply.Status, reply.Text)
		}
		if changed := c.rows(t) != before; changed != (r.method == http.MethodPost || r.path == "/api/auth/logout") {
			t.Errorf("%s %s: rows changed is %t", r.method, r.path, changed)
		}
	}
}

// Every malformed request is refused in clean words and leaves no trace (H-01,
// H-02, H-03, H-09, all of I).
func TestMalformedRequestsChangeNothing(t *testing.T) {
	c := encamp(t)
	before := c.rows(t)
	count := 0
	perKind := map[string]int{}
	for _, r := range c.targets {
		for _, m := range c.malformations(t, r) {
			count++
			kind, _, _ := strings.Cut(m.name, ":")
			perKind[kind]++
			reply := c.send(m.request(t))
			what := r.method + " " + r.path + ", " + m.name
			if m.harmless {
				if reply.Status >= http.StatusInternalServerError || reply.Code >= http.StatusInternalServerError {
					t.Errorf("%s: HTTP %d %.300s", what, reply.Status, reply.Text)
				}
			} else {
				wantRefusal(t, what, reply)
			}
			if m.status != 0 && reply.Status != m.status {
				t.Errorf("%s: HTTP %d, want %d: %.300s", what, reply.Status, m.status, reply.Text)
			}
			if after := c.rows(t); after != before {
				t.Errorf("%s: rows changed:\n%s", what, firstDifference(before, after))
				before = after
			}
		}
	}
	t.Logf("%d malformed requests over %d routes: %v", count, len(c.targets), perKind)
	if count < 200 {
		t.Errorf("%d malformed requests, want at least 200", count)
	}
	if reply := c.Do(t, servertest.Request{Path: "/api/me", Token: c.token}); reply.Code != http.StatusOK {
		t.Errorf("the caller's token after the siege: %s", reply.Text)
	}
}

func firstDifference(before, after string) string {
	old := strings.Split(before, "\n")
	for _, line := range strings.Split(after, "\n") {
		if !slices.Contains(old, line) {
			return "+ " + line
		}
	}
	return "a row is gone"
}

// encoded is v as JSON.
func encoded(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
