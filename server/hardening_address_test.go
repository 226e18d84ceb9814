package server_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// spoofs are the headers in which somebody else's address is claimed.
func spoofs() []string {
	return []string{
		"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "True-Client-Ip", "X-Client-Ip", "X-Cluster-Client-Ip",
		"Fastly-Client-Ip", "X-Forwarded", "X-Original-Forwarded-For", "X-Appengine-Remote-Addr", "Cf-Pseudo-Ipv4", "Client-Ip", "Via",
	}
}

// claim is a header's value for an address.
func claim(header, address string) string {
	if header == "Forwarded" {
		return "for=" + address
	}
	return address
}

// guessAs makes a wrong guess from a peer that claims to be somebody else.
func (f *fortress) guessAs(t testing.TB, name, peer string, headers map[string]string) servertest.Reply {
	t.Helper()
	return f.Do(t, servertest.Request{
		Path: "/api/auth/login", From: peer, Header: headers,
		Body: map[string]string{"username": name, "password": "wrong"},
	})
}

// Where no proxy is trusted, the peer is throttled, listed and logged, whatever
// it claims; and so is this machine.
func TestClaimedAddressesCountForNothing(t *testing.T) {
	for _, peer := range []string{"192.0.2.66", "127.0.0.1"} {
		for _, header := range spoofs() {
			t.Run(header+" from "+peer, func(t *testing.T) {
				f := besiege(t)
				refused := 0
				for i := range 20 {
					claimed := claim(header, fmt.Sprintf("203.0.113.%d", i+1))
					reply := f.guessAs(t, fmt.Sprintf("nobody%d", i), peer, map[string]string{header: claimed})
					if wantRefusal(t, "a guess", reply); reply.Code == http.StatusTooManyRequests {
						refused++
					}
				}
				if refused == 0 {
					t.Error("twenty guesses pass under twenty claimed addresses")
				}
				if f.guessAs(t, "somebody", "203.0.113.1", nil).Code == http.StatusTooManyRequests {
					t.Error("the claimed address pays for it")
				}
				in := f.Do(t, servertest.Request{
					Path: "/api/auth/login", From: "198.51.100.7", Header: map[string]string{header: claim(header, "203.0.113.99")},
					Body: map[string]string{"username": "admin", "password": servertest.AdminPassword},
				})
				wantOnly(t, "the list", f.listOf(t, in), "198.*.*.7", "203.")
				wantOnly(t, "the rows", f.rows(t), "198.*.*.7", "203.")
				wantOnly(t, "the log", f.log.String(), "198.51.100.7", "203.0.113.99")
			})
		}
	}
}

// listOf is the device list of who has just signed in.
func (f *fortress) listOf(t testing.TB, signedIn servertest.Reply) string {
	t.Helper()
	var in servertest.SignedIn
	signedIn.Into(t, &in)
	return f.Do(t, servertest.Request{Path: "/api/me/sessions", Token: in.Token, From: "198.51.100.7"}).Text
}

func wantOnly(t testing.TB, what, text, want, never string) {
	t.Helper()
	if !strings.Contains(text, want) || strings.Contains(text, never) {
		t.Errorf("%s: want %s in it and not %s:\n%.2000s", what, want, never, text)
	}
}

func trusting(proxies ...string) func(*config.Config, *server.Options) {
	return func(c *config.Config, _ *server.Options) {
		for _, p := range proxies {
			c.TrustedProxies = append(c.TrustedProxies, netip.MustParsePrefix(p))
		}
	}
}

// Behind a trusted proxy the right-most hop that is not ours counts, and what
// the client wrote left of it does not.
func TestTrustedProxySpeaksForItsClients(t *testing.T) {
	const proxy, attacker, neighbour = "10.0.0.1", "203.0.113.66", "203.0.113.67"
	f := besiege(t, trusting("10.0.0.0/8", "fd00::/8"))
	refused := 0
	for i := range 20 {
		hops := fmt.Sprintf("198.51.100.%d, %s, 10.9.9.9, fd00::1", i, attacker)
		if f.guessAs(t, fmt.Sprintf("nobody%d", i), proxy, map[string]string{"X-Forwarded-For": hops}).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("an invented hop hides the client")
	}
	if f.guessAs(t, "somebody", proxy, map[string]string{"X-Forwarded-For": neighbour}).Code == http.StatusTooManyRequests {
		t.Error("one client of the proxy stops the others")
	}
	in := f.Do(t, servertest.Request{
		Path: "/api/auth/login", From: proxy, Header: map[string]string{"X-Forwarded-For": "198.51.100.200, " + neighbour, "X-Real-Ip": "198.51.100.201", "Cf-Connecting-Ip": "198.51.100.202"},
		Body: map[string]string{"username": "admin", "password": servertest.AdminPassword},
	})
	if in.Code != http.StatusOK {
		t.Fatalf("sign in: %s", in.Text)
	}
	wantOnly(t, "the rows", f.rows(t), "203.*.*.67", "198.")
	wantOnly(t, "the log", f.log.String(), neighbour, "198.51.100.20")
}

// Who speaks for others without being trusted is named in the log once, however
// often and from wherever it happens (rulings 37).
func TestUnknownProxyIsReportedOnce(t *testing.T) {
	f := besiege(t)
	for i := range 50 {
		f.Do(t, servertest.Request{Path: "/api/me", From: fmt.Sprintf("192.0.2.%d", i), Header: map[string]string{"X-Forwarded-For": "203.0.113.1\x1b[2J"}})
	}
	if n := strings.Count(f.log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings, want 1:\n%s", n, f.log)
	}
	if text := f.log.String(); !strings.Contains(text, "--trusted-proxies") || !strings.Contains(text, "peer=192.0.2.0") || strings.Contains(text, "203.0.113.1") {
		t.Errorf("the warning should name the flag and the peer, and nothing that the peer wrote:\n%.500s", text)
	}
}

// A customer of IPv6 has 2^64 addresses and is one address all the same.
func TestAddressesOfOneIPv6NetworkCountTogether(t *testing.T) {
	f := besiege(t)
	refused := 0
	for i := range 20 {
		if f.guessAs(t, fmt.Sprintf("nobody%d", i), fmt.Sprintf("2001:db8:1:2:%x::%x", i, i*7+1), nil).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("twenty guesses pass from one /64")
	}
	if f.guessAs(t, "somebody", "2001:db8:1:3::1", nil).Code == http.StatusTooManyRequests {
		t.Error("another /64 pays for it")
	}
	for i := range 20 { // an IPv4 address is itself in every spelling
		f.guessAs(t, fmt.Sprintf("anybody%d", i), "192.0.2.66", nil)
	}
	if got := f.guessAs(t, "x", "::ffff:192.0.2.66", nil); got.Code != http.StatusTooManyRequests {
		t.Errorf("192.0.2.66 as IPv6: %s", got.Text)
	}
}
