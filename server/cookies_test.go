package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// H-08: over HTTPS cookies that nobody else can plant; over plain HTTP plain
// ones, and a word of warning (ruling 36).
func TestCookies(t *testing.T) {
	proxied := func(c *config.Config, _ *server.Options) {
		c.TrustedProxies = append(c.TrustedProxies, loopbackPrefix())
	}
	site := func(c *config.Config, _ *server.Options) { c.SiteURL = "https://example.com" }
	for what, tt := range map[string]struct {
		change func(*config.Config, *server.Options)
		from   string
		proto  string
		secure bool
	}{
		"plain":                              {func(*config.Config, *server.Options) {}, "", "", false},
		"a stranger who says https":          {proxied, "192.0.2.7", "https", false},
		"a proxy that says https":            {proxied, "127.0.0.1", "https", true},
		"a proxy behind a plain one":         {proxied, "127.0.0.1", "http, https", false},
		"a proxy that says http":             {proxied, "127.0.0.1", "http", false},
		"the site's own address":             {site, "", "", true},
		"the site's address, nobody trusted": {site, "192.0.2.7", "http", true},
	} {
		t.Run(what, func(t *testing.T) {
			b, _ := browse(t, tt.change)
			b.from = tt.from
			if tt.proto != "" {
				b.header["X-Forwarded-Proto"] = tt.proto
			}
			if warned := strings.Contains(b.get(signInAt).Text, "This connection is not protected"); warned == tt.secure {
				t.Errorf("warned is %t", warned)
			}
			r := b.post(signInAt, "username", "alice", "password", servertest.AdminPassword)
			prefix := ""
			if tt.secure {
				prefix = "__Host-"
			}
			for _, name := range []string{"latchkey-session", "latchkey-device"} {
				i := slices.IndexFunc(r.Header["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, prefix+name+"=") })
				if i < 0 {
					t.Fatalf("no cookie %s in %q", prefix+name, r.Header["Set-Cookie"])
				}
				line := r.Header["Set-Cookie"][i]
				if !strings.Contains(line, "; HttpOnly") || !strings.Contains(line, "; SameSite=Lax") || !strings.Contains(line, "; Path=/;") ||
					strings.Contains(line, "; Secure") != tt.secure || strings.Contains(line, "Domain") || !strings.Contains(line, "; Max-Age=") {
					t.Errorf("%s", line)
				}
			}
			if !b.isIn() {
				t.Error("nobody is signed in")
			}
			plain, protected := b.jar["latchkey-session"], b.jar["__Host-latchkey-session"]
			b.jar["latchkey-session"], b.jar["__Host-latchkey-session"] = protected, plain
			b.jar["latchkey-device"], b.jar["__Host-latchkey-device"] = b.jar["__Host-latchkey-device"], b.jar["latchkey-device"]
			if b.isIn() {
				t.Error("a cookie of the other name counts")
			}
		})
	}
}

// H-08, K-11: cookies are for pages.
func TestCookieLetsNobodyIntoTheAPI(t *testing.T) {
	b, _ := browse(t)
	b.signIn("alice")
	for _, path := range []string{"/api/me", "/api/me/sessions"} {
		if r := b.get(path); r.Code != http.StatusUnauthorized {
			t.Errorf("%s: %s", path, r.Text)
		}
	}
	static := surf(t, b.Server)
	static.jar["latchkey-session"], static.jar["latchkey-device"] = b.App.AdminToken(), b.jar["latchkey-device"]
	if static.isIn() {
		t.Error("the static token works as a cookie")
	}
	stolen := surf(t, b.Server)
	for what, device := range map[string]string{"no device": "", "another device": strings.Repeat("a", 32), "no name of ours": "x"} {
		stolen.jar["latchkey-session"], stolen.jar["latchkey-device"] = b.jar["latchkey-session"], device
		if stolen.isIn() {
			t.Errorf("the token works with %s", what)
		}
	}
	api := b.SignIn(t, "alice", servertest.AdminPassword, b.jar["latchkey-device"])
	b.jar["latchkey-session"] = api.Token
	if !b.isIn() {
		t.Error("the browser's own device is none of it")
	}
}

// O-10: a form of another site does nothing, nor signs anybody in elsewhere.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	b, _ := browse(t)
	b.signIn("alice")
	for what, header := range map[string]map[string]string{
		"cross-site":              {"Sec-Fetch-Site": "cross-site", "Origin": "http://example.com"},
		"a neighbour's":           {"Sec-Fetch-Site": "same-site"},
		"another origin":          {"Origin": "http://evil.example"},
		"no origin":               {"Origin": "null"},
		"another port":            {"Origin": "http://example.com:8080"},
		"an unknown word":         {"Sec-Fetch-Site": "friendly", "Origin": "http://evil.example"},
		"cross-site, same origin": {"Sec-Fetch-Site": "cross-site"},
	} {
		for _, path := range []string{signInAt, signOutAt, confirmAs} {
			header["Content-Type"] = formMedia
			r := b.send(servertest.Request{Path: path, Header: header, Body: "username=carol&password=x&next=%2F"})
			if r.Status != http.StatusForbidden || !strings.Contains(r.Text, "Another site") || len(r.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s to %s: %d %s", what, path, r.Status, r.Text)
			}
		}
	}
	for what, header := range map[string]map[string]string{
		"a program's": {}, "its own": {"Sec-Fetch-Site": "same-origin"}, "over plain HTTP": {"Origin": "http://example.com"},
		"a bookmark's": {"Sec-Fetch-Site": "none"},
	} {
		header["Content-Type"] = formMedia
		if r := b.send(servertest.Request{Path: confirmAs, Header: header, Body: "password=x"}); r.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", what, r.Status, r.Text)
		}
	}
	if !b.isIn() {
		t.Error("signed out by another site")
	}
}
