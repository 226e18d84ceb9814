package client_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/service/client"
)

// What may be registered (O-01; RFC 8252 §7, RFC 9700 §2.1).
func TestRedirectURIsThatCanBeRegistered(t *testing.T) {
	for _, uri := range []string{
		"https://app.example", "https://app.example/", "https://app.example:8443/cb?tenant=1", "https://192.0.2.7/cb",
		"https://[2001:db8::1]:443/cb", "https://xn--bcher-kva.example/cb", "https://App.Example/cb",
		"https://app.example/a%2Fb", "https://app.example/...", "https://nas/cb",
		"http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1:8080/cb", "http://[::1]:1/cb", "http://localhost/cb?x=1",
		"com.example.app:/callback", "com.example.app://callback/x", "org.kde.photos+dev:/",
		"https://app.example/" + strings.Repeat("x", 2000-len("https://app.example/")),
	} {
		r := website()
		r.RedirectURIs = []string{uri}
		if _, _, err := newHouse().Register(t.Context(), r); err != nil {
			t.Errorf("%q = %v", uri, err)
		}
	}
}

func TestRedirectURIsThatCannotBeRegistered(t *testing.T) {
	for name, uri := range map[string]string{
		"nothing":                           "",
		"a path":                            "/cb",
		"no scheme":                         "//app.example/cb",
		"a host alone":                      "app.example/cb",
		"too long":                          "https://app.example/" + strings.Repeat("x", 2001-len("https://app.example/")),
		"a fragment":                        "https://app.example/cb#x",
		"an empty fragment":                 "https://app.example/cb#",
		"a user name":                       "https://app.example@evil.example/cb",
		"a password":                        "https://user:pass@app.example/cb",
		"an empty user name":                "https://@app.example/cb",
		"a user name on loopback":           "http://127.0.0.1@evil.example/cb",
		"a wildcard host":                   "https://*.app.example/cb",
		"a wildcard path":                   "https://app.example/*",
		"no host":                           "https:///cb",
		"no slashes":                        "https:app.example",
		"an empty port":                     "https://app.example:/cb",
		"port 0":                            "https://app.example:0/cb",
		"a port too high":                   "https://app.example:65536/cb",
		"a port that is none":               "https://app.example:x/cb",
		"an encoded host":                   "https://app%2eexample/cb",
		"two dots in the host":              "https://app..example/cb",
		"a zone":                            "https://[fe80::1%25eth0]/cb",
		"IPv4 in brackets":                  "https://[127.0.0.1]/cb",
		"plain http":                        "http://app.example/cb",
		"http to the network":               "http://192.168.0.10/cb",
		"http that begins like loopback":    "http://127.0.0.1.evil.example/cb",
		"http that begins like localhost":   "http://localhost.evil.example/cb",
		"another address of this machine":   "http://127.0.0.2/cb",
		"this machine in short":             "http://127.1/cb",
		"this machine as one number":        "http://2130706433/cb",
		"this machine in a long form":       "http://[0:0:0:0:0:0:0:1]/cb",
		"this machine as IPv4 in IPv6":      "http://[::ffff:127.0.0.1]/cb",
		"loopback with a dot at the end":    "http://localhost./cb",
		"loopback in capitals":              "http://LOCALHOST/cb",
		"loopback with port 0":              "http://127.0.0.1:0/cb",
		"loopback with a padded port":       "http://127.0.0.1:080/cb",
		"loopback with an empty port":       "http://127.0.0.1:/cb",
		"the scheme in capitals":            "HTTPS://app.example/cb",
		"script":                            "javascript:alert(1)",
		"data":                              "data:text/html,x",
		"a file":                            "file:///etc/passwd",
		"a scheme without a dot":            "myapp:/callback",
		"an own scheme and nothing":         "com.example.app:",
		"an own scheme without a slash":     "com.example.app:callback",
		"an own scheme with a user":         "com.example.app://user@callback",
		"a blank":                           "https://app.example/c b",
		"a blank at the end":                "https://app.example/cb ",
		"a tab":                             "https://app.example/\tcb",
		"a line feed":                       "https://app.example/cb\n",
		"a NUL":                             "https://app.example/\x00",
		"a backslash":                       `https://app.example\@evil.example/cb`,
		"a backslash in the path":           `https://app.example/\evil.example`,
		"letters beyond ASCII":              "https://аpp.example/cb",
		"a quotation mark":                  `https://app.example/"`,
		"a tag":                             "https://app.example/<b>",
		"a dot segment":                     "https://app.example/a/../cb",
		"an encoded dot segment":            "https://app.example/a/%2e%2E/cb",
		"half an escape":                    "https://app.example/%2",
		"half an escape in the query":       "https://app.example/cb?x=%zz",
		"a code of its own":                 "https://app.example/cb?code=x",
		"a state of its own":                "https://app.example/cb?a=1&state=x",
		"an issuer of its own, encoded":     "https://app.example/cb?%69ss=x",
		"a dot segment on loopback":         "http://127.0.0.1/./cb",
		"what goes on behind the address":   "http://[::1]evil.example/cb",
		"a comma for two":                   "https://app.example/cb,https://evil.example\u0000",
		"a wildcard in the query":           "https://app.example/cb?x=*",
		"a scheme that begins with a digit": "1.example:/cb",
	} {
		r := website()
		r.RedirectURIs = []string{uri}
		if _, _, err := newHouse().Register(t.Context(), r); err == nil {
			t.Errorf("%s: %q can be registered", name, uri)
		} else {
			wants(t, name, err, client.ErrRedirect)
		}
	}
	r := website()
	for len(r.RedirectURIs) < 21 {
		r.RedirectURIs = append(r.RedirectURIs, "https://app.example/"+strings.Repeat("x", len(r.RedirectURIs)))
	}
	_, _, err := newHouse().Register(t.Context(), r)
	wants(t, "21 URIs", err, client.ErrRedirect)
	r.RedirectURIs = []string{"https://app.example/", "https://app.example/"}
	_, _, err = newHouse().Register(t.Context(), r)
	wants(t, "one twice", err, client.ErrRedirect)
}

// variants are what attackers make of https://app.example/cb?x=1 (O-01).
func variants() []string {
	return []string{
		"", "https://app.example/cb", "https://app.example/cb?x=1&y=2", "https://app.example/cb?x=1&", "https://app.example/cb?x=1#",
		"https://app.example/cb?x=1#f", "https://app.example/cb?y=2&x=1", "https://app.example/cb?x=2", "https://app.example/cb?X=1",
		"https://app.example/cb?x=%31", "https://app.example/cb/?x=1", "https://app.example/cb/..?x=1", "https://app.example/./cb?x=1",
		"https://app.example/a/../cb?x=1", "https://app.example/%63b?x=1", "https://app.example/cb%3Fx=1", "https://app.example//cb?x=1",
		"https://app.example/CB?x=1", "https://APP.example/cb?x=1", "HTTPS://app.example/cb?x=1", "http://app.example/cb?x=1",
		"https://app.example:443/cb?x=1", "https://app.example:8443/cb?x=1", "https://app.example./cb?x=1", "https://app.example%2f/cb?x=1",
		"https://app.example@evil.example/cb?x=1", "https://evil.example@app.example/cb?x=1", "https://app.example.evil.example/cb?x=1",
		"https://evil.example/https://app.example/cb?x=1", "https://evilapp.example/cb?x=1", `https://app.example\cb?x=1`,
		`https://evil.example\@app.example/cb?x=1`, " https://app.example/cb?x=1", "https://app.example/cb?x=1 ", "https://app.example/cb?x=1\n",
		"https://app.example/\tcb?x=1", "https://app.example/cb?x=1\x00", "https://аpp.example/cb?x=1", "//app.example/cb?x=1", "/cb?x=1",
		"https:/app.example/cb?x=1", "https:app.example/cb?x=1", "javascript://app.example/cb?x=1", "https://app.example/cb?x=1,https://evil.example",
	}
}

func TestRedirectURIsMatchAsAWhole(t *testing.T) {
	const registered = "https://app.example/cb?x=1"
	if !client.MatchRedirect([]string{"https://other.example/", registered}, registered) {
		t.Error("the registered URI itself does not match")
	}
	for _, asked := range variants() {
		if client.MatchRedirect([]string{registered}, asked) {
			t.Errorf("%q matches %q", asked, registered)
		}
	}
	if client.MatchRedirect(nil, "") || client.MatchRedirect(nil, "http://127.0.0.1/") {
		t.Error("an app without redirect URIs has one that matches")
	}
	if client.MatchRedirect([]string{"com.example.app:/cb"}, "com.example.app:/cb/") || client.MatchRedirect([]string{"com.example.app:/"}, "com.example.app:") {
		t.Error("an app's own scheme matches in part")
	}
}

func TestLoopbackMatchesAnyPort(t *testing.T) {
	for name, tt := range map[string]struct {
		registered, asked string
		want              bool
	}{
		"a port":                        {"http://127.0.0.1/cb", "http://127.0.0.1:50123/cb", true},
		"another port":                  {"http://127.0.0.1:80/cb", "http://127.0.0.1:50123/cb", true},
		"no port":                       {"http://127.0.0.1:80/cb", "http://127.0.0.1/cb", true},
		"IPv6":                          {"http://[::1]/cb", "http://[::1]:50123/cb", true},
		"the name":                      {"http://localhost/cb", "http://localhost:50123/cb", true},
		"no path for a slash":           {"http://127.0.0.1/", "http://127.0.0.1:50123", true},
		"a slash for no path":           {"http://127.0.0.1", "http://127.0.0.1:50123/", true},
		"a query":                       {"http://localhost?x=1", "http://localhost:9/?x=1", true},
		"the highest port":              {"http://localhost", "http://localhost:65535", true},
		"another path":                  {"http://127.0.0.1/cb", "http://127.0.0.1:50123/other", false},
		"a path for none":               {"http://127.0.0.1", "http://127.0.0.1:50123/cb", false},
		"no path for one":               {"http://127.0.0.1/cb", "http://127.0.0.1:50123", false},
		"a slash more":                  {"http://127.0.0.1/cb", "http://127.0.0.1:50123/cb/", false},
		"another query":                 {"http://127.0.0.1/?x=1", "http://127.0.0.1:50123/?x=2", false},
		"an empty query":                {"http://127.0.0.1/", "http://127.0.0.1:50123/?", false},
		"a fragment":                    {"http://127.0.0.1/", "http://127.0.0.1:50123/#x", false},
		"a fragment without a path":     {"http://127.0.0.1", "http://127.0.0.1:50123#x", false},
		"another name of this machine":  {"http://127.0.0.1/", "http://localhost:50123/", false},
		"IPv6 for IPv4":                 {"http://127.0.0.1/", "http://[::1]:50123/", false},
		"IPv6 in another form":          {"http://[::1]/", "http://[0:0:0:0:0:0:0:1]:1/", false},
		"https":                         {"http://127.0.0.1/", "https://127.0.0.1:50123/", false},
		"a port on an https URI":        {"https://localhost/cb", "https://localhost:8443/cb", false},
		"a host that goes on":           {"http://127.0.0.1/", "http://127.0.0.1.evil.example/", false},
		"a user name":                   {"http://127.0.0.1/", "http://127.0.0.1:80@evil.example/", false},
		"a user name without a port":    {"http://127.0.0.1/", "http://127.0.0.1@evil.example/", false},
		"a host behind the port":        {"http://127.0.0.1/", "http://127.0.0.1:80evil.example/", false},
		"port 0":                        {"http://127.0.0.1/", "http://127.0.0.1:0/", false},
		"a port too high":               {"http://127.0.0.1/", "http://127.0.0.1:65536/", false},
		"a padded port":                 {"http://127.0.0.1/", "http://127.0.0.1:00080/", false},
		"an empty port":                 {"http://127.0.0.1/", "http://127.0.0.1:/", false},
		"a signed port":                 {"http://127.0.0.1/", "http://127.0.0.1:+80/", false},
		"a port in other digits":        {"http://127.0.0.1/", "http://127.0.0.1:\u0668\u0660/", false},
		"a dot at the end":              {"http://localhost/", "http://localhost.:80/", false},
		"capitals":                      {"http://localhost/", "http://LocalHost:80/", false},
		"a dot segment":                 {"http://127.0.0.1/cb", "http://127.0.0.1:1/x/../cb", false},
		"a backslash":                   {"http://127.0.0.1/", `http://127.0.0.1:1\/`, false},
		"a backslash as the path":       {"http://127.0.0.1", `http://127.0.0.1\@evil.example`, false},
		"a line feed":                   {"http://127.0.0.1/", "http://127.0.0.1:1/\n", false},
		"another address of loopback":   {"http://127.0.0.1/", "http://127.0.0.2:1/", false},
		"a registered site, any port":   {"https://app.example/", "https://app.example:1/", false},
		"a registered network address":  {"http://10.0.0.1/", "http://10.0.0.1:1/", false},
		"a name that begins alike":      {"http://localhost/", "http://localhostess/", false},
		"an encoded loopback":           {"http://127.0.0.1/", "http://127.0.0.%31/", false},
		"the port of an IPv6 inside it": {"http://[::1]/", "http://[::1:80]/", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := client.MatchRedirect([]string{tt.registered}, tt.asked); got != tt.want {
				t.Errorf("%q for %q = %t", tt.asked, tt.registered, got)
			}
		})
	}
}

// FuzzMatchRedirect: what matches is a registered URI, or both are of this
// machine and alike but for the port and an empty path.
func FuzzMatchRedirect(f *testing.F) {
	for _, asked := range variants() {
		f.Add("https://app.example/cb?x=1", asked)
		f.Add("http://127.0.0.1/cb?x=1", strings.Replace(asked, "https://app.example", "http://127.0.0.1:8080", 1))
	}
	for _, asked := range []string{"http://[::1]:80", "http://localhost/?", "http://127.0.0.1.evil.example/", "http://127.0.0.1:80@evil.example/"} {
		for _, registered := range []string{"http://[::1]", "http://localhost:1/", "http://127.0.0.1"} {
			f.Add(registered, asked)
		}
	}
	// Written down another way than the code has it.
	form := regexp.MustCompile(`(?s)^(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::[1-9][0-9]{0,4})?(/[^?]*)?(\?.*)?$`)
	f.Fuzz(func(t *testing.T, registered, asked string) {
		matches := client.MatchRedirect([]string{registered}, asked)
		one, other := form.FindStringSubmatch(registered), form.FindStringSubmatch(asked)
		path := func(m []string) string {
			if m[2] == "" {
				return "/"
			}
			return m[2]
		}
		alike := one != nil && other != nil && one[1] == other[1] && path(one) == path(other) && one[3] == other[3]
		if matches && asked != registered && !alike {
			t.Errorf("%q matches %q", asked, registered)
		}
		if asked == registered && !matches {
			t.Errorf("%q does not match itself", asked)
		}
	})
}

// FuzzRegisteredRedirect: what can be registered leads where it says it does,
// and matches nothing that could not be registered itself.
func FuzzRegisteredRedirect(f *testing.F) {
	for _, uri := range slices.Concat(variants(), []string{"http://[::1]/", "com.example.app:/cb", "https://[::1]:8/"}) {
		f.Add(uri)
	}
	safe := regexp.MustCompile(`^(https://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?([/?]|$)|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?([/?]|$)|[a-z][a-z0-9+.-]*\.[a-z0-9+.-]*:/)`)
	f.Fuzz(func(t *testing.T, uri string) {
		r := website()
		r.RedirectURIs = []string{uri}
		if _, _, err := newHouse().Register(t.Context(), r); err != nil {
			return
		}
		if !safe.MatchString(uri) || strings.ContainsAny(uri, "#*\\ \t\r\n\x00") {
			t.Errorf("%q can be registered", uri)
		}
	})
}
