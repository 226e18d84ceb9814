package middleware

import (
	"github.com/gin-gonic/gin"
)

// Optional makes a route's auth type "Optional": authenticate judges a
// credential that is there, and a bad one is refused; without one the caller is a
// stranger, whether or not guests may do anything else.
func Optional(authenticate gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if p, err := presented(c); err == nil && p.Text == "" {
			c.Request = c.Request.WithContext(Stranger(c))
			return
		}
		authenticate(c)
	}
}
