package web_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"latchkey/server/web"
)

func clientID(query string, headers ...string) (string, error) {
	c := withQuery(query)
	if headers != nil {
		c.Request.Header["Client-Id"] = headers
	}
	return web.ClientID(c)
}

func TestClientID(t *testing.T) {
	long := strings.Repeat("a", 256)
	for name, tt := range map[string]struct {
		query   string
		headers []string
		want    string
	}{
		"none":                               {"", nil, ""},
		"the header":                         {"", []string{"web-1"}, "web-1"},
		"the query":                          {"client_id=web+1", nil, "web 1"},
		"the header wins":                    {"client_id=a&client_id=b", []string{"web-1"}, "web-1"},
		"an empty header is none":            {"client_id=a", []string{""}, "a"},
		"one header twice":                   {"", []string{"a", "a"}, "a"},
		"256 bytes":                          {"", []string{long}, long},
		"text beyond ASCII":                  {"client_id=Zo%C3%AB%E2%80%99s+%F0%9F%93%B1", nil, "Zoë’s 📱"},
		"a broken query of somebody else's":  {"x=%zz&client_id=a", nil, "a"},
		"an empty query parameter is none":   {"client_id=", nil, ""},
		"another spelling is somebody elses": {"Client-Id=a", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := clientID(tt.query, tt.headers...); got != tt.want || err != nil {
				t.Errorf("ClientID = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	for name, tt := range map[string]struct {
		query   string
		headers []string
	}{
		"257 bytes":               {"", []string{long + "a"}},
		"257 bytes in the query":  {"client_id=a" + long, nil},
		"256 characters of more":  {"", []string{strings.Repeat("ë", 129)}},
		"two headers that differ": {"", []string{"a", "b"}},
		"an empty one and one":    {"", []string{"", "b"}},
		"two parameters":          {"client_id=a&client_id=a", nil},
		"a broken escape":         {"client_id=%", nil},
		"a line break":            {"client_id=a%0Ab", nil},
		"a NUL":                   {"client_id=%00", nil},
		"an escape character":     {"", []string{"a\x1b[2J"}},
		"a tab":                   {"", []string{"a\tb"}},
		"a C1 control":            {"", []string{"a\u0085"}},
		"a text direction":        {"", []string{"a\u202eb"}},
		"a zero-width space":      {"", []string{"a\u200b"}},
		"invalid UTF-8":           {"", []string{"a\xff"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := clientID(tt.query, tt.headers...)
			wantFault(t, err, web.ErrClientID, "Client-Id must be 1 to 256 printable characters")
		})
	}
}

func TestUserAgent(t *testing.T) {
	long := strings.Repeat("a", 512)
	for name, tt := range map[string]struct{ header, want string }{
		"none":                       {"", ""},
		"a browser":                  {"Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"},
		"512 bytes":                  {long, long},
		"more":                       {long + "b", long},
		"far more":                   {strings.Repeat("a", 100_000), long},
		"a character on the edge":    {long[:510] + "王b", long[:510]},
		"a character up to the edge": {long[:509] + "王b", long[:509] + "王"},
		"invalid UTF-8":              {"a\xffb", "a\uFFFDb"},
		"control characters":         {"a\tb\x1b[2J\u0085c\x7f", "ab[2Jc"},
		"text beyond ASCII":          {"Zoë 📱", "Zoë 📱"},
		"invalid bytes that grow":    {strings.Repeat("\xffa", 300), strings.Repeat("\uFFFDa", 128)},
		"controls before the cut":    {strings.Repeat("\x01a", 500), strings.Repeat("a", 500)},
	} {
		t.Run(name, func(t *testing.T) {
			c := get("/")
			c.Request.Header["User-Agent"] = []string{tt.header}
			if got := web.UserAgent(c); got != tt.want {
				t.Errorf("UserAgent = %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzClientID(f *testing.F) {
	for _, seed := range []string{"", "web-1", "a\x00", "a\u202e", strings.Repeat("ë", 128), "\xff", "%61", "a&b=c+d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		fromHeader, headerErr := clientID("", in)
		fromQuery, queryErr := clientID("client_id=" + url.QueryEscape(in))
		if fromHeader != fromQuery || (headerErr == nil) != (queryErr == nil) {
			t.Fatalf("header: %q, %v; query: %q, %v", fromHeader, headerErr, fromQuery, queryErr)
		}
		if headerErr != nil {
			return
		}
		if fromHeader != in || len(in) > 256 || !utf8.ValidString(in) || strings.ContainsFunc(in, unicode.IsControl) {
			t.Fatalf("took %q as %q", in, fromHeader)
		}
		_, _ = clientID(in) // never panics on a raw query
	})
}
