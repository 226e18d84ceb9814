package middleware

import (
	"log/slog"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/secret"
)

const (
	maxLoggedPath   = 256 // bytes
	maxLoggedMethod = 16  // bytes
	maxLoggedKey    = 32  // bytes; longer ones are more likely secrets than names
	maxLoggedKeys   = 16
)

// AccessLog writes one line per request, with no header and no query value in it
// (H-13).
func AccessLog(log *slog.Logger, now func() time.Time) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx := c.Request.Context()
		if !log.Enabled(ctx, slog.LevelInfo) {
			c.Next()
			return
		}
		start := now()
		finished := false
		defer func() { logRequest(c, log, now().Sub(start), finished) }()
		c.Next()
		finished = true
	}
}

// logRequest logs what is known when the chain has ended; finished is false if a
// panic cut the connection.
func logRequest(c *gin.Context, log *slog.Logger, took time.Duration, finished bool) {
	attrs := make([]slog.Attr, 0, 11)
	attrs = append(attrs,
		slog.String("method", c.Request.Method[:min(len(c.Request.Method), maxLoggedMethod)]),
		slog.String("path", loggedPath(c)),
		slog.Int("status", c.Writer.Status()),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("ip", ClientIP(c)),
		slog.String("request_id", RequestIDOf(c)),
	)
	if code := web.BodyCode(c); code != 0 {
		attrs = append(attrs, slog.Int("code", code))
	}
	if account := access.From(c.Request.Context()).Account; account != nil {
		attrs = append(attrs, slog.Int64("account_id", account.ID))
	}
	if !finished {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request", attrs...)
}

// loggedPath is the escaped path, without keys that somebody put there, and the
// names of the query's parameters.
func loggedPath(c *gin.Context) string {
	path := secret.Hide(c.Request.URL.EscapedPath()) // ASCII: no line break, no terminal sequence
	path = path[:min(len(path), maxLoggedPath)]
	if c.Request.URL.RawQuery == "" {
		return path
	}
	var b strings.Builder
	b.WriteString(path)
	separator := byte('?')
	rest := c.Request.URL.RawQuery
	for range maxLoggedKeys {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		key, _, hasValue := strings.Cut(pair, "=")
		b.WriteByte(separator)
		if hasValue && isName(key) {
			b.WriteString(key)
			b.WriteByte('=')
		}
		b.WriteByte('*')
		separator = '&'
		if rest == "" {
			break
		}
	}
	return b.String()
}

// isName reports whether a query key looks like a parameter's name; a secret may
// stand in its place.
func isName(key string) bool {
	for i := range len(key) {
		b := key[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && b != '_' && b != '-' {
			return false
		}
	}
	return len(key) <= maxLoggedKey
}
