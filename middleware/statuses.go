package middleware

import (
	"github.com/gin-gonic/gin"

	"latchkey/server/web"
)

// Statuses notes who presents an API key or an OAuth token, right or wrong, and
// on whichever route: they are answered by HTTP status (contract "API keys").
func Statuses() gin.HandlerFunc {
	return func(c *gin.Context) {
		if sent, _ := web.Credential(c); sent.Delegated { // what is wrong with it is said where it is asked for
			web.AnswerByStatus(c)
		}
	}
}
