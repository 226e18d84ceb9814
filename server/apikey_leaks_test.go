package server_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/secret"
)

// shownOfKey is how many of a key's characters people may see again.
const shownOfKey = 8

// partsOf are the pieces of a key that nothing may hold: every run of eight
// characters of which at least four are not shown, for what follows the shown ones
// in a row may be alike by chance; and what Basic makes of it.
func partsOf(key string) []string {
	var parts []string
	for i := shownOfKey / 2; i+shownOfKey <= len(key); i++ {
		parts = append(parts, key[i:i+shownOfKey])
	}
	return append(parts, base64.StdEncoding.EncodeToString([]byte("me:" + key))[:30])
}

// everywhere is the key in every place it may and may not stand, at the path.
func everywhere(method, path, key string) []servertest.Request {
	var all []servertest.Request
	header := func(pairs ...string) {
		r := servertest.Request{Method: method, Path: path, Header: map[string]string{}}
		for i := 0; i < len(pairs); i += 2 {
			r.Header[pairs[i]] = pairs[i+1]
		}
		all = append(all, r)
	}
	header("X-Api-Key", key)
	header("X-Api-Key", key+"x")
	header("X-Api-Key", "Bearer "+key)
	header("X-Api-Key", key, "Authorization", "lka_other")
	for _, scheme := range []string{"", "Bearer ", "Token ", "ApiKey ", "Basic ", "hunter2 "} {
		header("Authorization", scheme+key)
	}
	for _, pair := range []string{"me:" + key, ":" + key, key + ":", key, key + ":x"} {
		header("Authorization", basicAuth(pair))
	}
	for _, name := range []string{"X-Auth-Token", "Cookie", "Proxy-Authorization", "Client-Id"} {
		header(name, key)
	}
	for _, query := range []string{"api_key=", "apiKey=", "token=", "access_token=", "key=", "", "a=b&", "api_key=x&api_key=", "api_key=%zz"} {
		all = append(all, servertest.Request{Method: method, Path: path + "?" + query + key})
	}
	return append(all,
		servertest.Request{Method: method, Path: path + "/" + key},
		servertest.Request{Method: method, Path: "/" + key + path},
		servertest.Request{Path: path, Body: map[string]string{"api_key": key, "x-api-key": key, "username": key, "session_id": key}},
		servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": key, "password": key}},
		servertest.Request{Path: "/api/auth/login", Body: map[string]string{"username": "admin", "password": key}},
		servertest.Request{Method: http.MethodPost, Path: "/api/auth/login?Username=admin&Password=" + key},
	)
}

// P-02, H-13: nothing that the server keeps, writes or answers holds a key, or
// more of one than lists show. The log has everything, in both forms.
func TestKeysLeakNowhere(t *testing.T) {
	for name, handler := range loggers() {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			f := besiege(t, logTo(handler), func(c *config.Config, _ *server.Options) {
				c.AccessLog, c.AuditLog = true, filepath.Join(folder, "audit.log")
			})
			h := &keyHouse{Server: f.Server, clock: f.clock}
			keys := leakable(t, h)
			var answers strings.Builder
			for _, key := range keys {
				for _, route := range []string{"GET /api/me", "POST /api/me/sessions/evict", "GET /api/admin/user/list", "POST /api/auth/logout", "GET /api/none"} {
					method, path, _ := strings.Cut(route, " ")
					for _, r := range everywhere(method, path, key) {
						got := h.unchecked(t, f, r)
						answers.WriteString(got.Text)
						for name, values := range got.Header {
							answers.WriteString(name + strings.Join(values, ","))
						}
					}
				}
			}
			f.clock.Advance(time.Minute)
			if err := f.App.Close(); err != nil {
				t.Fatal(err)
			}
			sought := map[string]string{"an answer": answers.String(), "the log": f.log.String()}
			for _, where := range []string{filepath.Dir(f.file), folder} {
				files(t, where, sought)
			}
			held := 0
			for where, text := range sought {
				for _, key := range keys {
					if strings.Contains(text, key[:shownOfKey]) {
						held++
					}
					for _, part := range partsOf(key) {
						if at := strings.Index(text, part); at >= 0 {
							t.Fatalf("%s holds %q of a key: %q", where, part, text[max(at-100, 0):min(at+100, len(text))])
						}
					}
				}
			}
			if held == 0 { // the database shows prefixes: else nothing was looked at
				t.Error("not even the prefix of a key was found anywhere")
			}
			t.Logf("%d keys sought in %d texts of %d bytes of log", len(keys), len(sought), len(f.log.String()))
		})
	}
}

// leakable are keys in every state.
func leakable(t *testing.T, h *keyHouse) []string {
	t.Helper()
	all := []string{string(access.All)}
	good, _ := h.key(t, "admin", apikey.Wanted{Scopes: all, AllowQuery: true})
	narrow := h.keyOf(t, "admin", access.MeRead)
	expired, _ := h.key(t, "admin", apikey.Wanted{Scopes: all, ExpiresAt: h.clock.Now().Add(time.Second)})
	local, _ := h.key(t, "admin", apikey.Wanted{Scopes: all, AllowedIPs: []string{"203.0.113.7"}})
	revoked := h.keyOf(t, "admin", access.All)
	old, id := h.key(t, "admin", apikey.Wanted{Scopes: all})
	ctx := t.Context()
	if err := h.App.APIKeys().Leaked(ctx, revoked); err != nil {
		t.Fatal(err)
	}
	rotated, err := h.App.APIKeys().Rotate(ctx, h.owner(t, "admin"), id, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(time.Second)
	return []string{good, narrow, expired, local, revoked, old, rotated, secret.NewBearer(secret.APIKey)}
}

// unchecked sends a request from an address of its own, so that no throttle
// hides what would be said.
func (*keyHouse) unchecked(t *testing.T, f *fortress, r servertest.Request) servertest.Reply {
	t.Helper()
	r.From = f.peer()
	return f.unchecked(t, r)
}

// files adds what the folder's files hold.
func files(t *testing.T, folder string, to map[string]string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		to[filepath.Base(path)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(to) < 4 {
		t.Errorf("only %d texts are looked at", len(to))
	}
}
