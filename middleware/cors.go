package middleware

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
)

// CORS lets pages of other origins call /api and read /.well-known, never with cookies (H-06): all
// origins if the list has a "*", else those of the list, like
// https://app.example. It fails if one is no origin. A request from another
// origin is answered without CORS headers, so that browsers keep the answer
// from the page; it is not refused, because programs send an Origin too.
func CORS(origins []string) (gin.HandlerFunc, error) {
	all := slices.Contains(origins, "*")
	if len(origins) == 0 {
		return func(c *gin.Context) { c.Next() }, nil
	}
	config := cors.Config{
		AllowAllOrigins: all,
		AllowMethods:    []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"},
		// By name: a star does not cover Authorization (Fetch standard).
		AllowHeaders:  []string{"Authorization", "Client-Id", "Content-Type", "session", "X-Api-Key", "X-Request-Id"},
		ExposeHeaders: []string{"X-Request-Id", "Retry-After", "WWW-Authenticate"},
		MaxAge:        12 * time.Hour,
	}
	if !all {
		for _, origin := range origins {
			if !isOrigin(origin) {
				return nil, fmt.Errorf("%q is not an origin like https://app.example", origin)
			}
		}
		config.AllowOrigins = origins
	}
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("cors: %w", err)
	}
	apply := cors.New(config)
	return func(c *gin.Context) {
		origin := c.Request.Header.Get("Origin")
		if origin == "" || !isShared(c.Request.URL.Path) || !all && !slices.Contains(origins, origin) {
			c.Next()
			return
		}
		apply(c)
	}, nil
}

// isShared reports whether pages of other origins may read what the path answers:
// the API, and the documents by which apps find it.
func isShared(path string) bool { return isAPI(path) || strings.HasPrefix(path, "/.well-known/") }

// isOrigin reports whether text is an origin as browsers send it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		text == u.Scheme+"://"+u.Host && text == strings.ToLower(text) && !strings.Contains(text, "*")
}
