package middleware

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"github.com/gin-gonic/gin"
)

type requestIDKey struct{}

// RequestID gives every request a name of 128 random bits in hex and returns it
// as X-Request-Id. A name the client sends is ignored: it would let a client
// write another request's name into the log.
func RequestID() gin.HandlerFunc {
	return func(c *gin.Context) {
		var bits [16]byte
		binary.NativeEndian.PutUint64(bits[:8], rand.Uint64()) //nolint:gosec // G404: a name, not a secret, and a system call cheaper
		binary.NativeEndian.PutUint64(bits[8:], rand.Uint64()) //nolint:gosec // G404
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
