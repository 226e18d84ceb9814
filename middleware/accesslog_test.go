package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/access"
)

func TestAccessLogLine(t *testing.T) {
	var log journal
	engine := newEngine(func(c *gin.Context) {
		ctx := access.With(c.Request.Context(), access.Caller{Account: &access.Account{ID: 7}})
		c.Request = c.Request.WithContext(ctx)
		web.SetBodyCode(c, 402)
		c.String(http.StatusOK, "fine")
	}, middleware.RequestID(), middleware.FindClientIP(nil, silent()), middleware.AccessLog(log.logger(), newClock()))
	r := httptest.NewRequest(http.MethodPost, "/api/auth/login?Username=admin&Password=hunter2&token=eyJhbGciOiJIUzI1NiJ9", strings.NewReader("body-secret"))
	r.Header.Set("Authorization", "Bearer lka_secret")
	r.Header.Set("Cookie", "session=cookie-secret")
	w := do(engine, r)
	want := map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "path": "/api/auth/login?Username=*&Password=*&token=*",
		"status": 200.0, "code": 402.0, "bytes": 4.0, "duration_ms": 1.5, "ip": "192.0.2.1",
		"request_id": w.Header().Get("X-Request-Id"), "account_id": 7.0,
	}
	if diff := cmp.Diff(want, log.only(t)); diff != "" {
		t.Error(diff)
	}
}

func TestAccessLogPath(t *testing.T) {
	long := strings.Repeat("a", 300)
	for target, want := range map[string]string{
		"/":                                "/",
		"/a%0d%0Ab%1b[2J":                  "/a%0d%0Ab%1b[2J",
		"/a%2fb":                           "/a%2fb",
		"/Zo%C3%AB":                        "/Zo%C3%AB",
		"/" + long:                         "/" + long[:255],
		"/?":                               "/",
		"/?lka_0123456789":                 "/?*",
		"/?abcdef&page=1":                  "/?*&page=*",
		"/?id=1&lka_0123456789":            "/?id=*&*",
		"/?eyJhbGciOiJIUzI1NiJ9.e30=":      "/?*",
		"/?" + long + "=1":                 "/?*",
		"/?a%0ab=1&=secret&client-id=x":    "/?*&=*&client-id=*",
		"/?api_key=x=y":                    "/?api_key=*",
		"/?apiKey=x&token=y":               "/?apiKey=*&token=*",
		"/?access_token=lka_0123456789":    "/?access_token=*",
		"/lka_0123456789abcdef0123/x":      "/lka_0123***/x",
		"/?" + strings.Repeat("a=1&", 100): "/?a=*" + strings.Repeat("&a=*", 15),
	} {
		var log journal
		do(newEngine(fine, middleware.AccessLog(log.logger(), newClock())), newGet(target))
		if got := log.only(t)["path"]; got != want {
			t.Errorf("path of %s = %s, want %s", target, got, want)
		}
	}
}

func TestAccessLogCutsTheMethod(t *testing.T) {
	var log journal
	r := newGet("/")
	r.Method = strings.Repeat("M", 100)
	do(newEngine(fine, middleware.AccessLog(log.logger(), newClock())), r)
	if got := log.only(t)["method"]; got != strings.Repeat("M", 16) {
		t.Errorf("method = %s", got)
	}
}

func TestAccessLogSeesAPanic(t *testing.T) {
	var log journal
	chain := []gin.HandlerFunc{middleware.AccessLog(log.logger(), newClock()), middleware.Recovery(silent(), render)}
	do(newEngine(func(*gin.Context) { panic("boom") }, chain...), newGet("/"))
	if line := log.only(t); line["status"] != 500.0 || line["code"] != 999.0 || line["aborted"] != nil {
		t.Errorf("logged %v", line)
	}
	log.Reset()
	func() {
		defer func() { _ = recover() }()
		do(newEngine(func(*gin.Context) { panic(http.ErrAbortHandler) }, chain...), newGet("/"))
	}()
	if line := log.only(t); line["aborted"] != true {
		t.Errorf("logged %v", line)
	}
}
