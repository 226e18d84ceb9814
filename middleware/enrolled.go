package middleware

import (
	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/totp"
)

// RequireEnrolled refuses callers who lack the second factor that their role
// requires. It stands after Authenticate and Recheck, before everything such a
// caller may not do.
func RequireEnrolled() gin.HandlerFunc {
	return func(c *gin.Context) {
		if access.From(c.Request.Context()).MustEnrol() {
			web.Abort(c, totp.ErrRequired)
		}
	}
}
