package middleware

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

type httpsKey struct{}

// FindHTTPS finds out whether the browser came by HTTPS: to us, to a trusted
// proxy that says so (X-Forwarded-Proto), or to the site's own https address.
// Whoever makes that up for themselves only makes their browser keep no cookie.
func FindHTTPS(trusted []netip.Prefix, siteURL string) gin.HandlerFunc {
	p := &proxies{trusted: trusted}
	site, err := url.Parse(siteURL)
	if err != nil || site.Scheme != "https" {
		site = &url.URL{}
	}
	return func(c *gin.Context) {
		r := c.Request
		if r.TLS != nil || p.forwardsHTTPS(r) || site.Host != "" && strings.EqualFold(site.Host, r.Host) {
			c.Set(httpsKey{}, true)
		}
	}
}

// IsHTTPS reports what FindHTTPS found.
func IsHTTPS(c *gin.Context) bool { return c.GetBool(httpsKey{}) }

// forwardsHTTPS reports whether a trusted proxy says that every hop before it
// was HTTPS.
func (p *proxies) forwardsHTTPS(r *http.Request) bool {
	peer, ok := parsePeer(r.RemoteAddr)
	values := r.Header["X-Forwarded-Proto"]
	if !ok || !p.trusts(peer) || len(values) == 0 {
		return false
	}
	for _, value := range values {
		for hop := range strings.SplitSeq(value, ",") {
			if !strings.EqualFold(strings.TrimSpace(hop), "https") {
				return false
			}
		}
	}
	return true
}
