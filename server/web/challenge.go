package web

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// Challenge says how to do better: by a token as RFC 6750 §3 has it, with what
// was wrong, or by an API key. A scope is named if there is one.
func Challenge(c *gin.Context, code, text, scope string) {
	bearer := `Bearer realm="Latchkey", error="` + code + `", error_description="` + strings.Map(quotable, text) + `"`
	if scope != "" {
		bearer += `, scope="` + scope + `"`
	}
	c.Writer.Header()["Www-Authenticate"] = []string{bearer, `ApiKey realm="Latchkey", header="x-api-key"`}
}

// quotable drops what an error_description may not hold (RFC 6750 §3).
func quotable(r rune) rune {
	if r < ' ' || r > '~' || r == '"' || r == '\\' {
		return -1
	}
	return r
}
