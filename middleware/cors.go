package middleware

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// ErrOrigin refuses pages of origins that the operator did not list.
var ErrOrigin = fault.New(fault.Forbidden, "origin_refused", "This origin is not allowed.")

// CORS lets pages of other origins call /api, never with cookies (H-06): all
// origins, or those of the list, like https://app.example. It fails if one is no
// origin.
func CORS(origins []string) (gin.HandlerFunc, error) {
	all := len(origins) == 0 || slices.Contains(origins, "*")
	config := cors.Config{
		AllowAllOrigins: all,
		AllowMethods:    []string{"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"},
		// By name: a star does not cover Authorization (Fetch standard).
		AllowHeaders:  []string{"Authorization", "Client-Id", "Content-Type", "session", "X-Api-Key", "X-Request-Id"},
		ExposeHeaders: []string{"X-Request-Id", "Retry-After"},
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
		if origin == "" || !isAPI(c.Request.URL.Path) {
			c.Next()
			return
		}
		if !all && !slices.Contains(origins, origin) && !isSameOrigin(origin, c.Request) {
			web.Abort(c, ErrOrigin) // cors would refuse without a body
			return
		}
		apply(c)
	}, nil
}

// isOrigin reports whether text is an origin as browsers send it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		text == u.Scheme+"://"+u.Host && text == strings.ToLower(text) && !strings.Contains(text, "*")
}

// isSameOrigin is true for our own pages, whose browser sends an Origin too.
func isSameOrigin(origin string, r *http.Request) bool {
	return origin == "http://"+r.Host || origin == "https://"+r.Host
}
