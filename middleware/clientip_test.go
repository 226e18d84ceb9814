package middleware_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func TestClientIP(t *testing.T) {
	proxies := prefixes("10.0.0.0/8", "::1/128")
	for name, tt := range map[string]struct {
		peer    string
		headers http.Header
		want    string
	}{
		"the peer":                               {"192.0.2.1:5000", nil, "192.0.2.1"},
		"a peer by IPv6":                         {"[2001:db8::1]:5000", nil, "2001:db8::1"},
		"a peer with a zone":                     {"[fe80::1%eth0]:5000", nil, "fe80::1"},
		"IPv4 within IPv6":                       {"[::ffff:192.0.2.1]:5000", nil, "192.0.2.1"},
		"a unix socket":                          {"@", http.Header{"X-Forwarded-For": {"192.0.2.9"}}, ""},
		"no peer":                                {"", nil, ""},
		"an unknown peer cannot speak":           {"192.0.2.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9"}, "X-Real-Ip": {"192.0.2.9"}}, "192.0.2.1"},
		"loopback is not trusted by itself":      {"127.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9"}}, "127.0.0.1"},
		"a proxy speaks":                         {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9"}}, "192.0.2.9"},
		"a proxy by IPv4 within IPv6":            {"[::ffff:10.0.0.1]:5000", http.Header{"X-Forwarded-For": {"192.0.2.9"}}, "192.0.2.9"},
		"a proxy by IPv6":                        {"[::1]:5000", http.Header{"X-Forwarded-For": {"2001:db8::9"}}, "2001:db8::9"},
		"what the client invented is left of it": {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"203.0.113.7, 192.0.2.9"}}, "192.0.2.9"},
		"two proxies":                            {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"203.0.113.7, 192.0.2.9 ,10.0.0.2"}}, "192.0.2.9"},
		"two headers":                            {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9", "10.0.0.2"}}, "192.0.2.9"},
		"only proxies":                           {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
		"empty elements":                         {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9,, ,"}}, "192.0.2.9"},
		"an empty header":                        {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {""}}, "10.0.0.1"},
		"a word ends the walk":                   {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9, unknown, 10.0.0.2"}}, "10.0.0.2"},
		"a hop with a port":                      {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9:4711"}}, "192.0.2.9"},
		"a hop in brackets":                      {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"[2001:db8::9]"}}, "2001:db8::9"},
		"a hop in brackets with a port":          {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"[2001:db8::9]:4711"}}, "2001:db8::9"},
		"a hop of IPv4 within IPv6":              {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"192.0.2.9, ::ffff:10.0.0.2"}}, "192.0.2.9"},
		"X-Real-Ip":                              {"10.0.0.1:5000", http.Header{"X-Real-Ip": {"192.0.2.9"}}, "192.0.2.9"},
		"X-Real-Ip gives way":                    {"10.0.0.1:5000", http.Header{"X-Real-Ip": {"203.0.113.7"}, "X-Forwarded-For": {"192.0.2.9"}}, "192.0.2.9"},
		"two X-Real-Ip":                          {"10.0.0.1:5000", http.Header{"X-Real-Ip": {"192.0.2.9", "192.0.2.8"}}, "10.0.0.1"},
		"a word in X-Real-Ip":                    {"10.0.0.1:5000", http.Header{"X-Real-Ip": {"unknown"}}, "10.0.0.1"},
		"headers nobody asked for":               {"10.0.0.1:5000", http.Header{"Forwarded": {"for=192.0.2.9"}, "Cf-Connecting-Ip": {"192.0.2.9"}, "True-Client-Ip": {"192.0.2.9"}}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := "unset"
			engine := newEngine(func(c *gin.Context) { got = middleware.ClientIP(c) }, middleware.FindClientIP(proxies, silent()))
			r := newGet("/")
			r.RemoteAddr = tt.peer
			if tt.headers != nil {
				r.Header = tt.headers
			}
			do(engine, r)
			if got != tt.want {
				t.Errorf("ClientIP = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnUnknownProxyIsLoggedOnce(t *testing.T) {
	var log journal
	engine := newEngine(fine, middleware.FindClientIP(prefixes("10.0.0.0/8"), log.logger()))
	from := func(peer string, header string) {
		r := newGet("/")
		r.RemoteAddr = peer
		if header != "" {
			r.Header.Set("X-Forwarded-For", header)
		}
		do(engine, r)
	}
	from("127.0.0.1:1", "")
	from("10.0.0.1:1", "192.0.2.1")
	if log.Len() > 0 {
		t.Fatalf("logged too early: %s", log.String())
	}
	from("127.0.0.1:1", "192.0.2.1")
	from("127.0.0.2:1", "192.0.2.1")
	line := log.only(t)
	if line["level"] != "WARN" || line["peer"] != "127.0.0.1" || line["msg"] != "X-Forwarded-For of an unknown proxy ignored; name your proxy with --trusted-proxies" {
		t.Errorf("logged %v", line)
	}
}
