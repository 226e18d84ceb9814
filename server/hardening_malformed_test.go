package server_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server/servertest"
)

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
		got[cmp.Or(r.route, r.path)] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("targets are %q, routes are %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// The honest request of each target works and changes a row, so that the
// malformed ones below are refused for what is wrong with them.
func TestHonestRequestsOfTheTargetsAreAccepted(t *testing.T) {
	for i, r := range encamp(t).targets {
		if strings.HasSuffix(r.path, "/2fa/verify") || strings.HasSuffix(r.path, "/token/2fa") || r.page || r.oauth { // needs the code of the moment, or a link
			continue
		}
		c := encamp(t)
		r = c.targets[i]
		before := c.rows(t)
		reply := c.send(c.honest(t, r).request(t))
		if reply.Status != http.StatusOK || r.v4 && reply.Code != 0 || !r.v4 && !r.idle && reply.Code != http.StatusOK && strings.HasPrefix(r.path, "/api/") && r.path != "/api/openapi.json" {
			t.Errorf("%s %s: HTTP %d %s", r.method, r.path, reply.Status, reply.Text)
		}
		writes := r.method == http.MethodPost || r.method == http.MethodPut || r.method == http.MethodDelete
		if changed := c.rows(t) != before; changed != (!r.idle && writes || r.path == "/api/auth/logout") {
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
			if m.harmless || r.idle && reply.Status == http.StatusOK {
				if reply.Status >= http.StatusInternalServerError || reply.Code >= http.StatusInternalServerError && !r.v4 && !strings.HasPrefix(r.path, "/api/fs/") {
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
	for line := range strings.SplitSeq(after, "\n") {
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
