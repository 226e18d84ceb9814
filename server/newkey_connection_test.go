package server_test

import (
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
)

// Over plain HTTP the page that takes a password says that others can read it
// (ruling 36), behind a proxy too.
func TestTheKeyPageKnowsItsConnection(t *testing.T) {
	for scheme, warned := range map[string]bool{"http": true, "https": false} {
		b, _ := browse(t, func(c *config.Config, _ *server.Options) {
			c.TrustedProxies, c.SiteURL = append(c.TrustedProxies, loopbackPrefix()), ""
		})
		b.from, b.header["X-Forwarded-Proto"] = "127.0.0.1", scheme
		if got := strings.Contains(b.get(newKeyAt).Text, "This connection is not protected"); got != warned {
			t.Errorf("%s: warned is %t", scheme, got)
		}
	}
}
