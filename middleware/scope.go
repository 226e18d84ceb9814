package middleware

import (
	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
)

// RequireScope refuses delegated credentials that lack what the route takes. It
// stands last before the handler, so that it judges who the caller is by then.
func RequireScope(s access.Scope) gin.HandlerFunc {
	return func(c *gin.Context) {
		if s == access.Open {
			return
		}
		if err := access.From(c.Request.Context()).CheckScope(s); err != nil {
			web.Abort(c, err)
		}
	}
}
