package middleware

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"
)

// DefaultTimeout is how long a request may take.
const DefaultTimeout = 30 * time.Second

// Timeout gives every request's context a deadline. It cuts nothing itself: what
// blocks gives up, and Errors answers that.
func Timeout(after time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), after)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}
