package middleware

import "github.com/gin-gonic/gin"

// Framing ends the connection after every request whose body came in chunks.
// net/http follows the chunks and forgets a Content-Length beside them, so nobody
// here can tell whether a proxy before us cut the message elsewhere and takes its
// rest for the next one (RFC 9112 §6.1, H-05).
func Framing() gin.HandlerFunc {
	return func(c *gin.Context) {
		if len(c.Request.TransferEncoding) > 0 {
			c.Header("Connection", "close")
		}
		c.Next()
	}
}
