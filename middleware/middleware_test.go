package middleware_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/fault"
)

// render is the smallest dialect: it notes a code for the log and answers with
// all it was given.
func render(c *gin.Context, f *fault.Error, requestID string) {
	web.SetBodyCode(c, 999)
	c.JSON(web.Status(f.Kind), gin.H{"code": f.Code, "text": f.Text, "named": requestID != ""})
}

// newEngine runs h at every path behind the middleware.
func newEngine(h gin.HandlerFunc, chain ...gin.HandlerFunc) *gin.Engine {
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	engine.Use(chain...)
	engine.NoRoute(h)
	return engine
}

// newChain is the whole chain in the documented order.
func newChain(tb testing.TB, log *slog.Logger, trusted ...netip.Prefix) []gin.HandlerFunc {
	tb.Helper()
	cors, err := middleware.CORS(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return []gin.HandlerFunc{
		middleware.RequestID(),
		middleware.FindClientIP(trusted, log),
		middleware.AccessLog(log, newClock()),
		middleware.Headers(),
		middleware.Recovery(log, render),
		middleware.Errors(log, render),
		cors,
		middleware.BodyLimit("/api/auth/"),
	}
}

// newClock moves 1.5 ms with every look.
func newClock() func() time.Time {
	at := time.Unix(1_700_000_000, 0)
	return func() time.Time {
		at = at.Add(1500 * time.Microsecond)
		return at
	}
}

func do(engine *gin.Engine, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, r)
	return w
}

func newGet(target string) *http.Request { return httptest.NewRequest(http.MethodGet, target, nil) }

func fine(c *gin.Context) { c.String(http.StatusOK, "fine") }

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// journal is a log that can be read.
type journal struct{ bytes.Buffer }

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(&j.Buffer, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines are the log's lines without their times.
func (j *journal) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	decoder := json.NewDecoder(bytes.NewReader(j.Bytes()))
	for {
		var line map[string]any
		err := decoder.Decode(&line)
		if err == io.EOF {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		delete(line, "time")
		lines = append(lines, line)
	}
}

// only is the log's only line.
func (j *journal) only(t *testing.T) map[string]any {
	t.Helper()
	lines := j.lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1:\n%s", len(lines), j.String())
	}
	return lines[0]
}

func wantAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("answer = %d %s, want %d %s", w.Code, w.Body, status, body)
	}
}

func TestRequestIDIsOurs(t *testing.T) {
	var inside string
	engine := newEngine(func(c *gin.Context) { inside = middleware.RequestIDOf(c) }, middleware.RequestID())
	seen := map[string]bool{}
	for range 10 {
		r := newGet("/")
		r.Header.Set("X-Request-Id", "theirs")
		w := do(engine, r)
		id := w.Header().Get("X-Request-Id")
		if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || id != inside || seen[id] {
			t.Errorf("request id %q, inside %q, seen before: %t", id, inside, seen[id])
		}
		seen[id] = true
	}
}

func TestHeaders(t *testing.T) {
	engine := newEngine(fine, middleware.Headers())
	for target, api := range map[string]bool{"/api/me": true, "/api": true, "/apis": false, "/": false, "/docs": false} {
		h := do(engine, newGet(target)).Header()
		want := map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Server": "", "Strict-Transport-Security": "", "Cache-Control": "", "Content-Security-Policy": ""}
		if api {
			want["Cache-Control"] = "no-store"
			want["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
		}
		for name, value := range want {
			if got := h.Get(name); got != value {
				t.Errorf("%s: %s = %q, want %q", target, name, got, value)
			}
		}
	}
	if got := do(engine, newGet("https://example.com/")).Header().Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("over TLS: Strict-Transport-Security = %q", got)
	}
}

func TestOneAnswersHeadersDoNotReachTheNext(t *testing.T) {
	engine := newEngine(func(c *gin.Context) {
		c.Writer.Header().Add("Cache-Control", "private")
		c.Header("X-Content-Type-Options", "other")
	}, middleware.Headers())
	for range 2 {
		h := do(engine, newGet("/api/me")).Header()
		if got := strings.Join(h.Values("Cache-Control"), "|"); got != "no-store|private" {
			t.Errorf("Cache-Control = %q", got)
		}
	}
}

func BenchmarkChain(b *testing.B) { // every request pays this before its handler
	var logged bytes.Buffer
	for name, log := range map[string]*slog.Logger{
		"logging":    slog.New(slog.NewJSONHandler(&logged, nil)),
		"no logging": silent(),
	} {
		b.Run(name, func(b *testing.B) {
			gin.SetMode(gin.TestMode)
			engine := gin.New()
			engine.Use(newChain(b, log)...)
			engine.GET("/api/me", func(c *gin.Context) { c.Status(http.StatusOK) })
			r := newGet("/api/me")
			w := &nobody{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				logged.Reset()
				clear(w.header)
				engine.ServeHTTP(w, r)
			}
		})
	}
}

// nobody receives answers.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n *nobody) WriteHeader(int)             {}
