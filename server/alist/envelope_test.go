package alist_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

func TestUnknownRoutesAnswerInTheEnvelope(t *testing.T) {
	s := open(t)
	for _, path := range []string{"/api/nothing", "/api", "/api/", "/api/me/", "/api/auth/login/", "/api//me", "/nothing", "/nothing/at/all"} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "OPTIONS"} {
			got := s.Do(t, servertest.Request{Method: method, Path: path, Token: "garbage"})
			wantAnswer(t, method+" "+path, got, http.StatusNotFound, refusal(http.StatusNotFound, "not found"))
		}
	}
}

func TestWrongMethodsAnswerInTheEnvelope(t *testing.T) {
	s := open(t)
	for path, methods := range map[string][]string{
		plainRoute:      {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"},
		hashRoute:       {"GET"},
		logoutRoute:     {"POST", "DELETE"},
		generateRoute:   {"GET"},
		verifyRoute:     {"GET"},
		"/api/me":       {"POST", "PUT", "OPTIONS"},
		updateRoute:     {"GET", "PUT"},
		sessionsRoute:   {"POST", "DELETE"},
		evictRoute:      {"GET", "DELETE"},
		keyListRoute:    {"POST"},
		keyAddRoute:     {"GET"},
		keyDeleteRoute:  {"GET", "DELETE"},
		adminListRoute:  {"POST"},
		adminEvictRoute: {"GET"},
		cleanRoute:      {"GET", "PUT"},
	} {
		for _, method := range methods {
			got := s.Do(t, servertest.Request{Method: method, Path: path, Token: s.App.AdminToken()})
			wantAnswer(t, method+" "+path, got, http.StatusMethodNotAllowed, refusal(http.StatusMethodNotAllowed, "method not allowed"))
		}
	}
}

// bodies is the routes that read one, with the limit of each in bytes.
func bodies() map[string]int {
	const small, large = 64 << 10, 1 << 20
	return map[string]int{
		plainRoute: small, hashRoute: small, verifyRoute: small,
		updateRoute: large, evictRoute: large, keyAddRoute: large, keyDeleteRoute: large, adminEvictRoute: large, cleanRoute: large,
	}
}

func TestBodiesBeyondTheLimitAreTooLarge(t *testing.T) {
	s := open(t)
	for path, limit := range bodies() {
		long := `{"username":"` + strings.Repeat("x", limit) + `"}`
		got := s.Do(t, servertest.Request{Path: path, Token: s.App.AdminToken(), Body: long})
		wantAnswer(t, path, got, http.StatusRequestEntityTooLarge, refusal(http.StatusRequestEntityTooLarge, "request body is too large"))
		fits := `{"username":"admin","password":"x"` + strings.Repeat(" ", limit-40) + `}`
		if got := s.Do(t, servertest.Request{Path: path, Token: s.App.AdminToken(), Body: fits}); got.Status != http.StatusOK {
			t.Errorf("%s with %d bytes: HTTP %d %s", path, len(fits), got.Status, got.Text)
		}
	}
}

func TestOtherFormatsThanJSONAreRefused(t *testing.T) {
	s := open(t)
	const words = "request body must be application/json"
	for path := range bodies() {
		types := map[string]string{
			"text/plain": words, "application/xml": words, "application/x-yaml": words, "application/toml": words,
			"multipart/form-data; boundary=x": words, "application/json-patch+json": words, formType: words,
		}
		if path == plainRoute || path == hashRoute {
			delete(types, formType)
			for media := range types {
				types[media] = words + " or " + formType
			}
		}
		for media, message := range types {
			got := s.Do(t, servertest.Request{
				Path: path, Token: s.App.AdminToken(), Body: `{"username":"admin","password":"x"}`, Header: map[string]string{"Content-Type": media},
			})
			wantAnswer(t, path+" as "+media, got, http.StatusUnsupportedMediaType, refusal(http.StatusUnsupportedMediaType, message))
		}
		got := s.Do(t, servertest.Request{
			Path: path, Token: s.App.AdminToken(), Body: `{}`, Header: map[string]string{"Content-Encoding": "gzip"},
		})
		wantAnswer(t, path+" compressed", got, http.StatusUnsupportedMediaType, refusal(http.StatusUnsupportedMediaType, "request body must not be encoded"))
	}
}

func TestAnswersOfTheAPIAreNotStored(t *testing.T) {
	s := open(t)
	for _, r := range []servertest.Request{
		{Path: "/api/me"},
		{Path: "/api/me", Token: s.App.AdminToken()},
		{Path: "/api/public/settings"},
		{Path: plainRoute, Body: object{"username": "admin", "password": password}},
		{Path: plainRoute, Body: object{"username": "admin", "password": "x"}},
		{Path: "/api/nothing"},
		{Path: "/api/openapi.json"},
	} {
		got := s.Do(t, r)
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if have := got.Header.Get(name); have != want {
				t.Errorf("%s: %s is %q, want %q", r.Path, name, have, want)
			}
		}
	}
}

func TestPagesOfOtherSitesMayCallTheAPI(t *testing.T) {
	s := open(t)
	const origin = "https://app.example"
	got := s.Do(t, servertest.Request{Method: http.MethodOptions, Path: "/api/me", Header: map[string]string{
		"Origin": origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,client-id",
	}})
	if got.Status != http.StatusNoContent || got.Text != "" {
		t.Errorf("preflight: %d %q, want 204 and nothing", got.Status, got.Text)
	}
	allowed := strings.ToLower(got.Header.Get("Access-Control-Allow-Headers"))
	for _, name := range []string{"authorization", "client-id", "content-type", "session"} {
		if !strings.Contains(allowed, name) {
			t.Errorf("preflight allows the headers %q, want %s among them: a star does not cover it", allowed, name)
		}
	}
	if got.Header.Get("Access-Control-Max-Age") != "43200" || !strings.Contains(got.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight: %v", got.Header)
	}
	for name, r := range map[string]servertest.Request{
		"the preflight": {Method: http.MethodOptions, Path: plainRoute},
		"a success":     {Path: "/api/public/settings"},
		"a failure":     {Path: "/api/me"},
		"a sign-in":     {Path: plainRoute, Body: object{"username": "admin", "password": password}},
	} {
		r.Header = map[string]string{"Origin": origin}
		got := s.Do(t, r)
		if have := got.Header.Get("Access-Control-Allow-Origin"); have != "*" {
			t.Errorf("%s: Access-Control-Allow-Origin is %q, want *", name, have)
		}
		if have := got.Header.Get("Access-Control-Allow-Credentials"); have != "" {
			t.Errorf("%s: Access-Control-Allow-Credentials is %q, want none", name, have)
		}
	}
}

// Programs send an Origin too, so the answer is the same; only a browser keeps
// it from the page.
func TestPagesOfUnlistedSitesMayNotReadAnswers(t *testing.T) {
	const ours = "https://app.example"
	s := open(t, func(c *config.Config, _ *server.Options) { c.CORSOrigins = []string{ours} })
	for origin, want := range map[string]string{ours: ours, "https://evil.example": "", "http://app.example": "", "null": ""} {
		got := s.Do(t, servertest.Request{Path: "/api/public/settings", Header: map[string]string{"Origin": origin}})
		if have := got.Header.Get("Access-Control-Allow-Origin"); got.Code != http.StatusOK || have != want {
			t.Errorf("%s: code %d, Access-Control-Allow-Origin %q, want 200 and %q", origin, got.Code, have, want)
		}
	}
}
