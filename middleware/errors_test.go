package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/fault"
)

var errTaken = fault.New(fault.Conflict, "taken", "It is taken.")

func TestErrorsAnswersAndLogs(t *testing.T) {
	late := fault.New(fault.TooMany, "too_many", "Slow down.").After(1500 * time.Millisecond)
	gone := fault.New(fault.Unavailable, "gone", "The storage is gone.")
	for name, tt := range map[string]struct {
		err        error
		status     int
		body       string
		level      string
		retryAfter string
	}{
		"a refusal":                {errTaken, 409, `{"code":"taken","named":true,"text":"It is taken."}`, "DEBUG", ""},
		"a wrapped refusal":        {fmt.Errorf("create: %w", errTaken), 409, `{"code":"taken","named":true,"text":"It is taken."}`, "DEBUG", ""},
		"a failure of ours":        {errors.New("SELECT * FROM accounts: disk"), 500, `{"code":"internal","named":true,"text":"internal error"}`, "ERROR", ""},
		"a throttle":               {late, 429, `{"code":"too_many","named":true,"text":"Slow down."}`, "DEBUG", "2"},
		"a lost storage":           {fmt.Errorf("open: %w", gone), 503, `{"code":"gone","named":true,"text":"The storage is gone."}`, "WARN", ""},
		"somebody else's deadline": {fmt.Errorf("dial: %w", context.DeadlineExceeded), 500, `{"code":"internal","named":true,"text":"internal error"}`, "ERROR", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log journal
			engine := newEngine(web.Handle(func(*gin.Context) error { return tt.err }), middleware.RequestID(), middleware.Errors(log.logger(), render))
			w := do(engine, newGet("/"))
			wantAnswer(t, w, tt.status, tt.body)
			line := log.only(t)
			if line["level"] != tt.level || line["error"] != tt.err.Error() || line["request_id"] != w.Header().Get("X-Request-Id") {
				t.Errorf("logged %v", line)
			}
			if got := w.Header().Get("Retry-After"); got != tt.retryAfter {
				t.Errorf("Retry-After = %q, want %q", got, tt.retryAfter)
			}
		})
	}
}

func TestErrorsNeverAnswersTwice(t *testing.T) {
	var log journal
	engine := newEngine(web.Handle(func(c *gin.Context) error {
		c.String(http.StatusOK, "fine")
		return errors.New("too late")
	}), middleware.Errors(log.logger(), render))
	wantAnswer(t, do(engine, newGet("/")), 200, "fine")
	if line := log.only(t); line["error"] != "too late" {
		t.Errorf("logged %v", line)
	}

	log.Reset()
	engine = newEngine(web.Handle(func(*gin.Context) error { return errTaken }),
		middleware.Errors(log.logger(), func(*gin.Context, *fault.Error, string) { t.Error("the outer one answers too") }),
		middleware.Errors(log.logger(), render))
	wantAnswer(t, do(engine, newGet("/")), 409, `{"code":"taken","named":false,"text":"It is taken."}`)
	log.only(t)
}

func TestErrorsLetsSuccessPass(t *testing.T) {
	var log journal
	wantAnswer(t, do(newEngine(fine, middleware.Errors(log.logger(), render)), newGet("/")), 200, "fine")
	if log.Len() > 0 {
		t.Error(log.String())
	}
}

func TestAClientThatLeftIsNoError(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		level string
	}{
		"giving up is expected":     {fmt.Errorf("query: %w", context.Canceled), "DEBUG"},
		"a failure remains failure": {errors.New("disk"), "ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			var log journal
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			engine := newEngine(web.Handle(func(*gin.Context) error { return tt.err }), middleware.Errors(log.logger(), render))
			do(engine, newGet("/").WithContext(ctx))
			if line := log.only(t); line["level"] != tt.level {
				t.Errorf("logged %v", line)
			}
		})
	}
}

func TestRecoveryAnswersWithoutAStack(t *testing.T) {
	var log journal
	engine := newEngine(func(*gin.Context) { panic("secret detail") }, middleware.RequestID(), middleware.Recovery(log.logger(), render))
	w := do(engine, newGet("/"))
	wantAnswer(t, w, 500, `{"code":"internal","named":true,"text":"internal error"}`)
	line := log.only(t)
	if line["level"] != "ERROR" || line["msg"] != "panic" || line["panic"] != "secret detail" || line["request_id"] != w.Header().Get("X-Request-Id") {
		t.Errorf("logged %v", line)
	}
	if stack, _ := line["stack"].(string); !strings.Contains(stack, "errors_test.go") {
		t.Errorf("stack does not lead here: %s", stack)
	}
}

func TestRecoveryCutsHalfAnAnswer(t *testing.T) {
	for name, h := range map[string]gin.HandlerFunc{
		"after a part":             func(c *gin.Context) { c.String(200, "half"); panic("boom") },
		"when the handler asks so": func(*gin.Context) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				v := recover()
				if err, _ := v.(error); !errors.Is(err, http.ErrAbortHandler) {
					t.Errorf("recovered %v, want http.ErrAbortHandler", v)
				}
			}()
			do(newEngine(h, middleware.Recovery(silent(), render)), newGet("/"))
			t.Error("the panic was swallowed")
		})
	}
}

func TestRecoveryEndsTheChain(t *testing.T) {
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	engine.Use(middleware.Errors(silent(), render), middleware.Recovery(silent(), render))
	engine.GET("/", func(*gin.Context) { panic("boom") }, func(*gin.Context) { t.Error("reached") })
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, newGet("/"))
	wantAnswer(t, w, 500, `{"code":"internal","named":false,"text":"internal error"}`)
}
