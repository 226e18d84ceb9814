package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/service/fault"
)

// Handler answers a request or says why not.
type Handler func(*gin.Context) error

// Renderer answers a failure in one dialect's words. It is called at most once
// per request, and only while nothing has been written.
type Renderer func(c *gin.Context, f *fault.Error, requestID string)

// Handle is h for Gin. Its error waits in the context for middleware.Errors,
// and nothing that follows in the chain runs.
func Handle(h Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			Abort(c, err)
		}
	}
}

// Abort ends the request with err, which must not be nil. It is for middleware;
// a handler returns its error.
func Abort(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
}

// Status is the HTTP status of a kind of failure. A dialect may answer another
// one; AList mostly answers 200.
func Status(k fault.Kind) int {
	switch k {
	case fault.Internal:
		return http.StatusInternalServerError
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthenticated, fault.CodeRequired: // HTTP has no status for half a sign-in
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Unsupported:
		return http.StatusUnsupportedMediaType
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

type bodyCodeKey struct{}

// SetBodyCode notes the code that a dialect wrote into its answer's body, for
// the access log.
func SetBodyCode(c *gin.Context, code int) { c.Set(bodyCodeKey{}, code) }

// BodyCode is what SetBodyCode noted, or 0.
func BodyCode(c *gin.Context) int {
	v, _ := c.Get(bodyCodeKey{})
	code, _ := v.(int)
	return code
}
