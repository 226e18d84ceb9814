package server_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// answers are one answer of each kind that the server has: a success and a
// refusal of each route, and what no route refuses.
func answers(t *testing.T, f *fortress, scheme string) map[string]servertest.Reply {
	t.Helper()
	token := f.Admin(t, "desk").Token
	engine, ok := f.App.Handler().(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is a %T", f.App.Handler())
	}
	all := map[string]servertest.Reply{}
	ask := func(what, method, path, token string, body any) {
		all[what] = f.unchecked(t, servertest.Request{Method: method, Path: scheme + "://latchkey.example" + path, Token: token, Body: body, From: f.peer()})
	}
	for _, r := range engine.Routes() {
		if r.Path == "/api/auth/logout" {
			continue // it comes last
		}
		ask(r.Method+" "+r.Path, r.Method, r.Path, token, nil)
		ask(r.Method+" "+r.Path+" without a token", r.Method, r.Path, "", nil)
		ask(r.Method+" "+r.Path+" with a wrong token", r.Method, r.Path, "x.y.z", nil)
		ask("PROPFIND "+r.Path, "PROPFIND", r.Path, token, nil)
		ask("a long body for "+r.Path, r.Method, r.Path, token, strings.Repeat("x", 1<<20+1))
	}
	ask("an unknown path", http.MethodGet, "/api/none", token, nil)
	ask("a path of nobody", http.MethodGet, "/index.html", "", nil)
	ask("the root", http.MethodGet, "/", "", nil)
	ask("a malformed body", http.MethodPost, "/api/me/update", token, "{")
	ask("a missing key", http.MethodPost, "/api/me/sshkey/delete?id=77", token, nil)
	ask("a right password", http.MethodPost, "/api/auth/login", "", map[string]string{"username": "admin", "password": servertest.AdminPassword})
	for range 20 {
		ask("a throttled sign-in", http.MethodPost, "/api/auth/login", "", map[string]string{"username": "nobody", "password": "x"})
	}
	ask("a logout", http.MethodGet, "/api/auth/logout", token, nil)
	return all
}

// Every answer, right or wrong, protects itself in a browser and does not say
// what made it (H-01, H-07).
func TestEveryAnswerIsProtected(t *testing.T) {
	banner := regexp.MustCompile(`(?i)\bgin\b|golang|\bgo/|go1\.|latchkey|alist/|net/http|sqlite|nginx`)
	for _, scheme := range []string{"http", "https"} {
		f := besiege(t)
		all := answers(t, f, scheme)
		statuses := map[int]bool{}
		for what, reply := range all {
			statuses[reply.Status] = true
			h := reply.Header
			want := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": ""}
			if scheme == "https" {
				want["Strict-Transport-Security"] = "max-age=31536000"
			}
			if strings.Contains(what, " /api") || reply.Code != 0 && !strings.Contains(what, "ping") && !strings.Contains(what, "nobody") && !strings.Contains(what, "root") {
				want["Cache-Control"], want["Content-Security-Policy"] = "no-store", "default-src 'none'; frame-ancestors 'none'"
			}
			if isFormPage(what) && strings.HasPrefix(h.Get("Content-Type"), "text/html") { // see page.WithOrigin
				want["Referrer-Policy"] = "same-origin"
			}
			if strings.Contains(what, "/oauth/jwks") && reply.Status == http.StatusOK { // which everybody may keep
				want["Cache-Control"] = "public, max-age=300"
			}
			for name, value := range want {
				if got := h.Get(name); got != value || len(h.Values(name)) > 1 {
					t.Errorf("%s by %s: %s is %q, want %q", what, scheme, name, h.Values(name), value)
				}
			}
			for name, values := range h {
				if name == "Www-Authenticate" { // names the realm
					continue
				}
				if name == "Server" || name == "Via" || strings.HasPrefix(name, "X-Powered") || name == "Set-Cookie" || banner.MatchString(strings.Join(values, " ")) {
					t.Errorf("%s by %s: %s: %q", what, scheme, name, values)
				}
			}
			if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(h.Get("X-Request-Id")) {
				t.Errorf("%s by %s: X-Request-Id is %q", what, scheme, h.Get("X-Request-Id"))
			}
			switch {
			case strings.HasPrefix(h.Get("Content-Type"), "text/html"): // see TestPagesAreProtected
				wantPage(t, what, reply, reply.Status)
				if !strings.Contains(what, "/account/") && !isFormPage(what) || h.Get("Cache-Control") != "no-store" {
					t.Errorf("%s by %s: a page, Cache-Control %q", what, scheme, h.Get("Cache-Control"))
				}
			case reply.Status == http.StatusSeeOther:
				if reply.Text != "" || !isFormPage(what) || h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Location"), "/account/sign-in") {
					t.Errorf("%s by %s: sent to %q, Cache-Control %q, %q", what, scheme, h.Get("Location"), h.Get("Cache-Control"), reply.Text)
				}
			case reply.Status != http.StatusOK:
				wantRefusal(t, what, reply)
			}
		}
		for _, status := range []int{200, 404, 405, 413} {
			if !statuses[status] {
				t.Errorf("no answer with HTTP %d among %d", status, len(all))
			}
		}
		if all["a throttled sign-in"].Code != http.StatusTooManyRequests {
			t.Errorf("the throttled sign-in: %s", all["a throttled sign-in"].Text)
		}
		t.Logf("%d answers by %s", len(all), scheme)
	}
}

// isFormPage reports whether an answer is one of the pages that know who is
// there by a cookie.
func isFormPage(what string) bool {
	return regexp.MustCompile(` (/account/(sign-in|sign-out|confirm)|/session/(authorize|device))( |$)`).MatchString(what)
}

// The name of a request is ours, whatever the client calls it.
func TestClientsCannotNameRequests(t *testing.T) {
	f := besiege(t)
	const theirs = "0123456789abcdef0123456789abcdef"
	reply := f.Do(t, servertest.Request{Path: "/api/me", Header: map[string]string{"X-Request-Id": theirs}})
	if reply.Header.Get("X-Request-Id") == theirs || strings.Contains(f.log.String(), theirs) {
		t.Error("a client named its request")
	}
}

// Pages of other origins never get credentials with them, and a list of origins
// is a list (H-06).
func TestOtherOriginsAreKeptOut(t *testing.T) {
	listed := besiege(t, func(c *config.Config, _ *server.Options) { c.CORSOrigins = []string{"https://app.example"} })
	open := besiege(t)
	for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil.example", "http://app.example", "https://APP.example", "https://app.example:8443", "file://", "https://a,https://app.example", "*"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			r := servertest.Request{Method: method, Path: "/api/public/settings", Header: map[string]string{
				"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, client-id",
			}}
			reply := listed.unchecked(t, r)
			if reply.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %s is let in: %v", method, origin, reply.Header)
			}
			if reply.Header.Get("Access-Control-Allow-Headers") != "" || reply.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %s may send headers: %v", method, origin, reply.Header)
			}
			reply = open.unchecked(t, r)
			if got := reply.Header.Get("Access-Control-Allow-Origin"); got != "*" && got != "" {
				t.Errorf("%s from %s is reflected: %q", method, origin, got)
			}
			if reply.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %s: credentials are allowed", method, origin)
			}
		}
	}
	reply := listed.unchecked(t, servertest.Request{Path: "/api/public/settings", Header: map[string]string{"Origin": "https://app.example"}})
	if reply.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || reply.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("the listed origin: %v", reply.Header)
	}
}

// There is nothing to find beside the routes, for guests and admins alike, and
// no page instead of an answer (H-01, H-11).
func TestNothingElseIsServed(t *testing.T) {
	f := besiege(t)
	token := f.Admin(t, "desk").Token
	for _, path := range []string{
		"/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "/metrics", "/api/metrics", "/.git/config", "/.git/HEAD", "/.env", "/.htaccess", "/.well-known/security.txt",
		"/latchkey.db", "/latchkey.db-wal", "/data/latchkey.db", "/master.key", "/data/master.key", "/control.json", "/config.yaml", "/config.json", "/swagger", "/swagger/index.html", "/swagger.json", "/openapi.json",
		"/api", "/api/", "/api/none", "/api/admin", "/api/admin/", "/api/admin/users", "/server-status", "/actuator", "/actuator/env", "/phpinfo.php", "/wp-login.php", "/admin", "/index.html", "/", "/dav/", "/p/x", "/d/x",
		"/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../latchkey.db", "/api/public/../../latchkey.db", "/ping/../master.key", "//etc/passwd",
	} {
		for _, credential := range []string{"", token} {
			r := attack{name: path, method: http.MethodGet, target: path, header: http.Header{}, from: "192.0.2.1"}
			if credential != "" {
				r.header.Set("Authorization", credential)
			}
			reply := f.send(r.request(t))
			wantCode(t, path, reply, http.StatusNotFound)
			if reply.Status != http.StatusNotFound {
				t.Errorf("%s: HTTP %d", path, reply.Status)
			}
		}
	}
}

// What the client says the server is called goes nowhere (H-11).
func TestHostIsNeverReflected(t *testing.T) {
	f := besiege(t)
	token := f.Admin(t, "desk").Token
	const evil = "evil.example"
	engine, ok := f.App.Handler().(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is a %T", f.App.Handler())
	}
	for _, route := range append(engine.Routes(), gin.RouteInfo{Method: "GET", Path: "/none"}, gin.RouteInfo{Method: "PUT", Path: "/api/me/"}) {
		r := attack{name: route.Path, method: route.Method, target: route.Path, from: "192.0.2.1", header: http.Header{
			"Authorization": {token}, "X-Forwarded-Host": {evil}, "X-Forwarded-Server": {evil}, "X-Host": {evil}, "X-Original-Url": {"/" + evil}, "X-Rewrite-Url": {"/" + evil},
			"Forwarded": {"host=" + evil}, "X-Forwarded-Proto": {evil}, "X-Forwarded-Prefix": {"/" + evil}, "Referer": {"https://" + evil},
		}}.request(t)
		r.Host = evil
		reply := f.send(r)
		if strings.Contains(reply.Text, evil) || !isFormPage(" "+route.Path) && (reply.Header.Get("Location") != "" || reply.Status >= 300 && reply.Status < 400) {
			t.Errorf("%s %s: %v %.200s", route.Method, route.Path, reply.Header, reply.Text)
		}
		for name, values := range reply.Header {
			if strings.Contains(strings.Join(values, " "), evil) {
				t.Errorf("%s %s: %s: %s", route.Method, route.Path, name, values)
			}
		}
		if route.Path == "/api/auth/logout" {
			token = f.Admin(t, "desk").Token
		}
	}
	if strings.Contains(f.log.String(), evil) {
		t.Error("the log repeats it")
	}
}
