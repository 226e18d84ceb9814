package alist_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// Several programs keep a token for two days and do not sign in again when it
// is refused.
func TestLoginsAndEndingsSurviveARestart(t *testing.T) {
	folder := t.TempDir()
	start := func() *site { return open(t, func(c *config.Config, _ *server.Options) { c.Data = folder }) }
	s := start()
	s.AddUser(t, "alice")
	live, nameless := s.Admin(t, "laptop"), s.Admin(t, "")
	evicted, left := s.Admin(t, "phone"), s.Admin(t, "tablet")
	alice := s.SignIn(t, "alice", password, "laptop")
	wantDone(t, "evict", s.post(t, live.Token, evictRoute, object{"session_id": evicted.DeviceKey}))
	wantDone(t, "logout", s.get(t, left.Token, logoutRoute))
	wantDone(t, "new password", s.post(t, alice.Token, updateRoute, object{"username": "alice", "password": newPassword}))
	static := s.App.AdminToken()
	if err := s.App.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}

	s = start()
	s.wantAlive(t, "a device", live.Token, "admin")
	s.wantAlive(t, "the device without a Client-Id", nameless.Token, "admin")
	s.wantAlive(t, "the static token", static, "admin")
	s.wantDead(t, "an evicted device", evicted.Token, inactive)
	s.wantDead(t, "one that logged out", left.Token, inactive)
	s.wantDead(t, "one whose password changed", alice.Token, changed)
	if again := s.Admin(t, "laptop"); again.DeviceKey != live.DeviceKey {
		t.Errorf("the device was %s and is %s after the restart", live.DeviceKey, again.DeviceKey)
	}
	wantBody(t, "me", s.get(t, live.Token, "/api/me"), adminBody)
}

// A fault of ours is neither the client's, nor told in a library's words.
func TestFaultsOfTheStorageAreNotExplained(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token // not in memory yet
	if err := s.App.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	for name, got := range map[string]servertest.Reply{
		"a sign-in": s.signIn(t, object{"username": "admin", "password": password}),
		"me":        s.get(t, token, "/api/me"),
		"eviction":  s.post(t, s.App.AdminToken(), evictRoute, object{"session_id": "0123456789abcdef0123456789abcdef"}),
	} {
		if got.Status < http.StatusInternalServerError || got.Code != got.Status || string(got.Data) != "null" {
			t.Errorf("%s: HTTP %d %s, want an envelope whose code is the status, 500 or more", name, got.Status, got.Text)
		}
		if words := strings.ToLower(got.Message); words == "" || strings.Contains(words, "sql") || strings.Contains(words, "database") {
			t.Errorf("%s: message %q, want our own words", name, got.Message)
		}
	}
}

// What AList pays with six statements, three of them writes.
func TestAuthenticatedRequestsCostNoWrite(t *testing.T) {
	var statements, writes atomic.Int64
	s := open(t, func(_ *config.Config, o *server.Options) {
		o.Trace = func(sql string) {
			statements.Add(1)
			verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(sql)), " ")
			if verb == "INSERT" || verb == "UPDATE" || verb == "DELETE" || verb == "REPLACE" {
				writes.Add(1)
			}
		}
	})
	in := s.Admin(t, "laptop")
	if writes.Load() == 0 {
		t.Fatal("the trace shows no writes at all")
	}
	for path, most := range map[string]int64{"/api/me": 0, sessionsRoute: 1} {
		s.get(t, in.Token, path) // the first may have to read who this is
		statements.Store(0)
		writes.Store(0)
		const times = 10
		for range times {
			if got := s.Do(t, servertest.Request{Path: path, Token: in.Token, ClientID: "laptop"}); got.Code != http.StatusOK {
				t.Fatalf("%s: %s", path, got.Text)
			}
		}
		if n := statements.Load(); n > most*times {
			t.Errorf("%s costs %d statements in %d requests, want at most %d each", path, n, times, most)
		}
		if n := writes.Load(); n != 0 {
			t.Errorf("%s costs %d writes in %d requests, want none", path, n, times)
		}
	}
}
