package middleware

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/gin-gonic/gin"
)

type requestIDKey struct{}

// RequestID gives every request a name of 128 random bits in hex and returns it
// as X-Request-Id. A name the client sends is ignored: it would let a client
// write another request's name into the log.
func RequestID() gin.HandlerFunc {
	return func(c *gin.Context) {
		var bits [16]byte
		_, _ = rand.Read(bits[:]) // never fails
		id := hex.EncodeToString(bits[:])
		c.Set(requestIDKey{}, id)
		c.Writer.Header()["X-Request-Id"] = []string{id}
		c.Next()
	}
}

// RequestIDOf is the name of the request, "" without RequestID.
func RequestIDOf(c *gin.Context) string { return text(c, requestIDKey{}) }

// text is a string kept in the context, "" if there is none.
func text(c *gin.Context, key any) string {
	v, _ := c.Get(key)
	s, _ := v.(string)
	return s
}
