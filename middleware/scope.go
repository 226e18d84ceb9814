package middleware

import (
	"errors"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
)

// RequireScope refuses delegated credentials that lack what the route takes. It
// stands last before the handler, so that it judges who the caller is by then.
// Learn is told of every API key's request, and whether it was granted.
func RequireScope(s access.Scope, learn func(keyID int64, s access.Scope, granted bool)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if s == access.Open {
			return
		}
		by := access.From(c.Request.Context())
		err := by.CheckScope(s)
		if by.Kind == access.APIKey && s != access.FirstParty {
			learn(by.KeyID, s, err == nil)
		}
		if errors.Is(err, access.ErrScope) {
			web.Challenge(c, "insufficient_scope", err.Error(), string(s))
		}
		if err != nil {
			web.Abort(c, err)
		}
	}
}
