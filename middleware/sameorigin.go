package middleware

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// ErrCrossSite says that another site sent the form.
var ErrCrossSite = fault.New(fault.Forbidden, "cross_site", "This form was sent by another site, so nothing was done. Open the page here and try again.")

// SameOrigin refuses what changes something and was sent by another site's page
// (H-08, O-10), by Sec-Fetch-Site, or by Origin where a browser sends only that:
// over plain HTTP. Programs that are no browsers send neither and have no cookie
// that could be abused.
func SameOrigin() gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if protection.Check(c.Request) != nil {
			web.Abort(c, ErrCrossSite)
		}
	}
}
