package middleware

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// Headers sets what protects every answer in a browser (H-07): nosniff and no
// referrer everywhere; on /api, /.well-known, /account and /session also no storing and no embedding,
// where pages say more precisely what they need; HSTS when the request came by
// TLS.
func Headers() gin.HandlerFunc {
	// Set once and shared: nobody writes into a header's values, Set replaces
	// them and Add finds no room.
	var (
		nosniff    = []string{"nosniff"}
		noReferrer = []string{"no-referrer"}
		noStore    = []string{"no-store"}
		csp        = []string{"default-src 'none'; frame-ancestors 'none'"}
		hsts       = []string{"max-age=31536000"} // a year; the operator's other hosts are not ours to bind
	)
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferrer
		if path := c.Request.URL.Path; isShared(path) || isPage(path) {
			h["Cache-Control"] = noStore
			h["Content-Security-Policy"] = csp
		}
		if c.Request.TLS != nil {
			h["Strict-Transport-Security"] = hsts
		}
		c.Next()
	}
}

// isPage reports whether a path belongs to pages that are about one person.
func isPage(path string) bool {
	return strings.HasPrefix(path, "/account/") || strings.HasPrefix(path, "/session/")
}

// isAPI reports whether a path belongs to the API rather than to pages.
func isAPI(path string) bool {
	return path == "/api" || strings.HasPrefix(path, "/api/")
}
