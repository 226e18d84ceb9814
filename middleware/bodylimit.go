package middleware

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
)

const (
	maxBody      = 1 << 20  // bytes (H-03)
	maxSmallBody = 64 << 10 // bytes, where anybody may post (H-03)
)

// BodyLimit bounds every body to 1 MiB, and to 64 KiB below the paths that begin
// with one of small. A longer Content-Length is refused unread; without one the
// bytes are counted.
func BodyLimit(small ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request
		if r.Body == nil || r.Body == http.NoBody {
			c.Next()
			return
		}
		limit := int64(maxBody)
		for _, prefix := range small {
			if strings.HasPrefix(r.URL.Path, prefix) {
				limit = maxSmallBody
				break
			}
		}
		if r.ContentLength > limit {
			c.Header("Connection", "close") // the rest of the body must not become a request
			web.Abort(c, web.ErrTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(unwrapped(c.Writer), r.Body, limit)
		c.Next()
	}
}

// unwrapped is net/http's own writer, which closes the connection once a limit
// was passed; Gin's hides that method.
func unwrapped(w http.ResponseWriter) http.ResponseWriter {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = u.Unwrap()
	}
}
