package middleware

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// ErrCrossOrigin says that a page of another site sent the request.
var ErrCrossOrigin = fault.New(fault.Forbidden, "cross_origin", "Another site's page sent this, so nothing was done: open the page here and try again")

// SameOrigin refuses what browsers send for pages of other sites (O-10). Programs
// that are no browsers are let through.
func SameOrigin() gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if protection.Check(c.Request) != nil {
			web.Abort(c, ErrCrossOrigin)
		}
	}
}
