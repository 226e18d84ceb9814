package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/middleware"
)

func TestCORS(t *testing.T) {
	preflight := http.Header{
		"Access-Control-Allow-Methods": {"GET,POST,PUT,DELETE,OPTIONS,HEAD,PATCH"},
		"Access-Control-Allow-Headers": {"Authorization,Client-Id,Content-Type,Session,X-Api-Key,X-Request-Id"},
		"Access-Control-Max-Age":       {"43200"},
	}
	with := func(base http.Header, pairs ...string) http.Header {
		h := base.Clone()
		if h == nil {
			h = http.Header{}
		}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	everybody := []string{"*"}
	listed := []string{"https://app.example", "http://[::1]:5173"}
	const expose, origin = "Access-Control-Expose-Headers", "Access-Control-Allow-Origin"
	text := with(nil, "Content-Type", "text/plain; charset=utf-8")
	exposed := with(text, expose, "X-Request-Id,Retry-After,Www-Authenticate")
	for name, tt := range map[string]struct {
		origins      []string
		method, path string
		origin       string
		status       int
		body         string
		header       http.Header
	}{
		"everybody's preflight":        {everybody, "OPTIONS", "/api/me", "https://any.example", 204, "", with(preflight, origin, "*")},
		"where everything is":          {everybody, "GET", "/.well-known/openid-configuration", "https://any.example", 200, "fine", with(exposed, origin, "*")},
		"a page that asks its owner":   {everybody, "GET", "/session/authorize", "https://any.example", 200, "fine", text},
		"everybody's request":          {everybody, "GET", "/api/me", "https://any.example", 200, "fine", with(exposed, origin, "*")},
		"a null origin gets no more":   {everybody, "GET", "/api/me", "null", 200, "fine", with(exposed, origin, "*")},
		"a star in the list":           {[]string{"https://app.example", "*"}, "GET", "/api/me", "https://any.example", 200, "fine", with(exposed, origin, "*")},
		"no origin":                    {nil, "GET", "/api/me", "", 200, "fine", text},
		"a page of ours":               {listed, "GET", "/api/me", "http://example.com", 200, "fine", text},
		"outside the API":              {nil, "GET", "/console", "https://any.example", 200, "fine", text},
		"a preflight outside the API":  {nil, "OPTIONS", "/console", "https://any.example", 200, "fine", text},
		"a listed origin":              {listed, "GET", "/api/me", "https://app.example", 200, "fine", with(exposed, origin, "https://app.example", "Vary", "Origin")},
		"another listed origin":        {listed, "GET", "/api/me", "http://[::1]:5173", 200, "fine", with(exposed, origin, "http://[::1]:5173", "Vary", "Origin")},
		"a listed origin's preflight":  {listed, "OPTIONS", "/api/me", "https://app.example", 204, "", with(preflight, origin, "https://app.example", "Vary", "Origin", "Vary", "Access-Control-Request-Method", "Vary", "Access-Control-Request-Headers")},
		"an origin that is not listed": {listed, "GET", "/api/me", "https://app.example.evil", 200, "fine", text},
		"its preflight":                {listed, "OPTIONS", "/api/me", "https://evil.example", 200, "fine", text},
		"a null origin with a list":    {listed, "GET", "/api/me", "null", 200, "fine", text},
		"an empty list":                {nil, "GET", "/api/me", "https://any.example", 200, "fine", text},
	} {
		t.Run(name, func(t *testing.T) {
			cors, err := middleware.CORS(tt.origins)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(tt.method, tt.path, nil)
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			w := do(newEngine(fine, middleware.Errors(silent(), render), cors), r)
			wantAnswer(t, w, tt.status, tt.body)
			if diff := cmp.Diff(tt.header, w.Header()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCORSRefusesWhatIsNoOrigin(t *testing.T) {
	for _, origin := range []string{
		"", "app.example", "https://", "https://app.example/", "https://app.example/x", "https://APP.example", "https://*.example",
		"https://user@app.example", "ftp://app.example", "/^https:.*/", "null", "https://app.example?x", " https://app.example",
	} {
		if _, err := middleware.CORS([]string{"https://good.example", origin}); err == nil {
			t.Errorf("CORS takes %q", origin)
		}
	}
}

func TestTheWholeChain(t *testing.T) {
	var log journal
	engine := newEngine(fine, newChain(t, log.logger(), prefixes("192.0.2.0/24")...)...)
	r := httptest.NewRequest(http.MethodGet, "/api/me", nil)
	r.Header.Set("X-Forwarded-For", "203.0.113.7")
	w := do(engine, r)
	wantAnswer(t, w, 200, "fine")
	if line := log.only(t); line["ip"] != "203.0.113.7" || line["request_id"] != w.Header().Get("X-Request-Id") {
		t.Errorf("logged %v", line)
	}
}
