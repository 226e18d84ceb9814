package client

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	maxURI       = 2000 // bytes
	maxRedirects = 20   // of one app
	maxPort      = 65535
)

// MatchRedirect reports whether answers may be sent to the asked URI: it is one
// of the registered ones, character by character, or both are loopback URIs
// that differ in nothing but the port and a lone "/" as the path (RFC 8252
// §7.3). Nothing is normalised before (RFC 9700 §2.1).
func MatchRedirect(registered []string, asked string) bool {
	if slices.Contains(registered, asked) {
		return true
	}
	host, rest, ok := loopback(asked)
	if !ok {
		return false
	}
	return slices.ContainsFunc(registered, func(r string) bool {
		h, t, ok := loopback(r)
		return ok && h == host && t == rest
	})
}

// loopback splits a URI of this machine into its host and what comes after the
// port; there, no path is "/".
func loopback(uri string) (host, rest string, ok bool) {
	after, ok := strings.CutPrefix(uri, "http://")
	if !ok {
		return "", "", false
	}
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		rest, ok := strings.CutPrefix(after, host)
		if !ok {
			continue
		}
		if port, ok := strings.CutPrefix(rest, ":"); ok {
			end := strings.IndexFunc(port, func(r rune) bool { return r < '0' || r > '9' })
			if end < 0 {
				end = len(port)
			}
			if !isPort(port[:end]) {
				return "", "", false
			}
			rest = port[end:]
		}
		switch {
		case rest == "", rest[0] == '?':
			return host, "/" + rest, true
		case rest[0] == '/':
			return host, rest, true
		}
		return "", "", false
	}
	return "", "", false
}

func isPort(digits string) bool {
	n, err := strconv.Atoi(digits)
	return err == nil && n >= 1 && n <= maxPort && strconv.Itoa(n) == digits
}

// checkRedirects says what is wrong with the URIs of an app.
func checkRedirects(uris []string) error {
	if len(uris) > maxRedirects {
		return ErrRedirect.WithText("An app may have at most 20 redirect URIs")
	}
	for i, uri := range uris {
		if why := redirectFault(uri); why != "" {
			return ErrRedirect.WithText("redirect URI " + strconv.Itoa(i+1) + ": " + why)
		}
		if slices.Contains(uris[:i], uri) {
			return ErrRedirect.WithText("redirect URI " + strconv.Itoa(i+1) + ": it is there twice")
		}
	}
	return nil
}

// redirectFault says why a URI cannot be registered, "" if it can.
func redirectFault(uri string) string {
	if why := uriFault(uri); why != "" {
		return why
	}
	if strings.Contains(uri, "*") {
		return "wildcards are not allowed"
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return "it is malformed"
	case strings.Contains(uri, "#"):
		return "a fragment is not allowed"
	case u.Scheme == "" || !strings.HasPrefix(uri, u.Scheme+":"):
		return "it must be absolute, with the scheme in lower case"
	case u.User != nil || strings.Contains(u.Host, "@"):
		return "a user name is not allowed"
	case hasDots(u.EscapedPath()):
		return "the path must not hold . or .. as a segment"
	case hasAnswer(u):
		return "the query must not hold what answers carry: code, state, iss, error"
	}
	return schemeFault(u, uri)
}

// schemeFault judges where a URI leads: to a site by https, to this machine by
// http, or to an app that has a scheme of its own (RFC 8252 §7).
func schemeFault(u *url.URL, uri string) string {
	switch {
	case u.Scheme == "https":
		if !isHost(u) {
			return "it lacks a host, or the host or port is malformed"
		}
	case u.Scheme == "http":
		if _, _, ok := loopback(uri); !ok {
			return "http is for 127.0.0.1, [::1] and localhost; use https"
		}
	case !strings.Contains(u.Scheme, "."):
		return "the scheme must be https, http on loopback, or one of the app's own with a dot in it, such as com.example.app"
	case u.Opaque != "" || !strings.HasPrefix(uri, u.Scheme+":/"):
		return "a slash must follow the app's own scheme, as in com.example.app:/callback"
	}
	return ""
}

// uriFault says why a text can be no URI of ours, "" if it can: it is ASCII
// without blanks, controls, and what browsers read in their own way.
func uriFault(text string) string {
	if text == "" || len(text) > maxURI {
		return "it must be 1 to 2000 bytes"
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c <= ' ' || c > '~':
			return "it must be ASCII without blanks and control characters"
		case strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return "it must not hold any of \" < > \\ ^ ` { | }"
		}
	}
	return ""
}

// hasDots reports whether a path has segments that browsers take away.
func hasDots(escaped string) bool {
	for segment := range strings.SplitSeq(escaped, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}

// hasAnswer reports whether a query has parameters that would be mistaken for
// the answer's, or cannot be read.
func hasAnswer(u *url.URL) bool {
	values, err := url.ParseQuery(u.RawQuery)
	return err != nil || values.Has("code") || values.Has("state") || values.Has("iss") || values.Has("error")
}

// isHost reports whether the URL has a host that is a name or an address, and a
// port that is one, or none.
func isHost(u *url.URL) bool {
	host, port := u.Hostname(), u.Port()
	if port != "" && !isPort(port) || strings.HasSuffix(u.Host, ":") {
		return false
	}
	if strings.HasPrefix(u.Host, "[") {
		a, err := netip.ParseAddr(host)
		return err == nil && a.Is6() && a.Zone() == ""
	}
	return host != "" && !strings.HasPrefix(host, ".") && !strings.Contains(host, "..") &&
		!strings.ContainsFunc(host, isNone("._-"))
}
