package middleware_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
)

func TestIsHTTPS(t *testing.T) {
	for name, tt := range map[string]struct {
		peer, site, host string
		proto            []string
		tls, want        bool
	}{
		"plain":                            {peer: "10.0.0.1:1"},
		"ours":                             {peer: "192.0.2.1:1", tls: true, want: true},
		"a trusted proxy's":                {peer: "10.0.0.1:1", proto: []string{"https"}, want: true},
		"in capitals":                      {peer: "10.0.0.1:1", proto: []string{" HTTPS "}, want: true},
		"two hops, both protected":         {peer: "10.0.0.1:1", proto: []string{"https, https"}, want: true},
		"two headers, one of them plain":   {peer: "10.0.0.1:1", proto: []string{"https", "http"}},
		"two hops, one of them plain":      {peer: "10.0.0.1:1", proto: []string{"http,https"}},
		"an empty word":                    {peer: "10.0.0.1:1", proto: []string{""}},
		"a stranger's word":                {peer: "192.0.2.1:1", proto: []string{"https"}},
		"no peer":                          {peer: "@", proto: []string{"https"}},
		"the site's":                       {peer: "192.0.2.1:1", site: "https://login.example.org", host: "LOGIN.example.org", want: true},
		"the site's, at another port":      {peer: "192.0.2.1:1", site: "https://login.example.org", host: "login.example.org:5244"},
		"a plain site's":                   {peer: "192.0.2.1:1", site: "http://login.example.org", host: "login.example.org"},
		"no site's, and no host's":         {peer: "192.0.2.1:1", host: ""},
		"another site's":                   {peer: "192.0.2.1:1", site: "https://login.example.org", host: "evil.example"},
		"a site's that cannot be read, no": {peer: "192.0.2.1:1", site: "https://%zz", host: ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, engine := gin.CreateTestContext(httptest.NewRecorder())
			got := false
			engine.Use(middleware.FindHTTPS([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, tt.site))
			engine.GET("/", func(c *gin.Context) { got = middleware.IsHTTPS(c) })
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.RemoteAddr, r.Host = tt.peer, tt.host
			r.Header["X-Forwarded-Proto"] = tt.proto
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			engine.ServeHTTP(httptest.NewRecorder(), r)
			if got != tt.want {
				t.Errorf("IsHTTPS = %t", got)
			}
		})
	}
}
