package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// newContext is a request as a handler sees it.
func newContext(r *http.Request) *gin.Context {
	gin.SetMode(gin.TestMode)
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = r
	return c
}

// post is a POST with that body; an empty media type sends no Content-Type.
func post(target, media, body string) *gin.Context {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	return newContext(r)
}

func get(target string) *gin.Context {
	return newContext(httptest.NewRequest(http.MethodGet, target, nil))
}

// withQuery has a query that no URL parser has looked at.
func withQuery(raw string) *gin.Context {
	c := get("/")
	c.Request.URL.RawQuery = raw
	return c
}

// wantFault checks the failure and its words.
func wantFault(t *testing.T, err error, want *fault.Error, text string) {
	t.Helper()
	if !errors.Is(err, want) || err.Error() != text || fault.Of(err).Kind != want.Kind {
		t.Fatalf("error = %v, want %s: %s", err, want.Code, text)
	}
}

func TestEveryKindHasItsOwnStatus(t *testing.T) {
	for kind, want := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.Unauthenticated: 401, fault.CodeRequired: 401,
		fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409, fault.TooMany: 429,
		fault.TooLarge: 413, fault.Unsupported: 415, fault.Unavailable: 503, fault.Unavailable + 100: 500,
	} {
		if got := web.Status(kind); got != want {
			t.Errorf("Status(%d) = %d, want %d", kind, got, want)
		}
	}
}

func TestHandleLeavesTheErrorAndEndsTheChain(t *testing.T) {
	gin.SetMode(gin.TestMode)
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		result  error
		reached bool
	}{
		"a failure ends the chain": {boom, false},
		"a success goes on":        {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got error
			reached := false
			engine := gin.New()
			engine.Use(func(c *gin.Context) {
				c.Next()
				if last := c.Errors.Last(); last != nil {
					got = last.Err
				}
			})
			engine.GET("/", web.Handle(func(*gin.Context) error { return tt.result }), func(*gin.Context) { reached = true })
			engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			if !errors.Is(got, tt.result) || reached != tt.reached {
				t.Errorf("error %v, reached %t; want %v, %t", got, reached, tt.result, tt.reached)
			}
		})
	}
}

func TestBodyCode(t *testing.T) {
	c := get("/")
	if got := web.BodyCode(c); got != 0 {
		t.Errorf("BodyCode = %d before it is set", got)
	}
	web.SetBodyCode(c, 402)
	if got := web.BodyCode(c); got != 402 {
		t.Errorf("BodyCode = %d, want 402", got)
	}
}
