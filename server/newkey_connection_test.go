package server_test

import (
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// Over plain HTTP the page that takes a password says that others can read it
// (ruling 36), and its example leads where the browser came from, by a proxy too.
func TestTheKeyPageKnowsItsConnection(t *testing.T) {
	for scheme, warned := range map[string]bool{"http": true, "https": false} {
		b, _ := browse(t, func(c *config.Config, _ *server.Options) {
			c.TrustedProxies, c.SiteURL = append(c.TrustedProxies, loopbackPrefix()), ""
		})
		b.from, b.header["X-Forwarded-Proto"] = "127.0.0.1", scheme
		if got := strings.Contains(b.get(newKeyAt).Text, "This connection is not protected"); got != warned {
			t.Errorf("%s: warned is %t", scheme, got)
		}
		page := b.post(newKeyAt, "name", "photo backup", "offer", "me.read", "scope", "me.read", "username", "alice", "password", servertest.AdminPassword)
		if !strings.Contains(page.Text, scheme+"://example.com/api/me") {
			t.Errorf("%s: the example leads elsewhere:\n%s", scheme, page.Text)
		}
	}
}
