package middleware

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
)

// Recheck stands after Authenticate: it reads the whole body and authenticates
// once more. A caller chooses how long a body takes, up to the read timeout; a
// request must not act on what was true before an ending that was answered
// meanwhile. The first check stays, so that nobody unknown makes the
// server hold a body.
func Recheck(authenticate gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request
		if r.Method == http.MethodGet || r.Body == nil || r.Body == http.NoBody {
			return
		}
		if err := web.HoldBody(c); err != nil {
			web.Abort(c, err)
			return
		}
		authenticate(c)
	}
}
