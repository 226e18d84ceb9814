package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The rules say in a phrase what is wrong with a text, and nothing if it is
// right.

const sqlitePrefix = "sqlite:"

func folder(in string) string {
	if in == "" {
		return "is empty"
	}
	return ""
}

func logFormat(in string) string {
	if in != "text" && in != "json" {
		return "is not a form of the log"
	}
	return ""
}

// sqliteDSN takes the empty text: it is the file in the data folder. A "?" is
// refused because SQLite reads what follows as options.
func sqliteDSN(in string) string {
	path, isSQLite := strings.CutPrefix(in, sqlitePrefix)
	switch {
	case in == "":
		return ""
	case !isSQLite && strings.Contains(in, ":"):
		return "names another database: this build serves sqlite only"
	case !isSQLite:
		return "does not begin with sqlite:"
	case path == "":
		return "has no path"
	case strings.HasPrefix(path, "//"):
		return "has slashes that are not part of the path"
	case path == ":memory:":
		return "would forget everything at the end"
	case strings.Contains(path, "?"):
		return "has a ? in its path, which cannot be used"
	}
	return ""
}

func hostPort(in string) string {
	if in == "" {
		return "is empty"
	}
	if strings.Contains(in, "://") {
		return "is a URL"
	}
	if !strings.Contains(in, ":") {
		return "has no port, or no : before it"
	}
	host, port, err := net.SplitHostPort(in)
	if err != nil {
		return "is not host:port (an IPv6 address goes in brackets: [::1]:5244)"
	}
	if !isPort(port) {
		return "has a port that is not a number from 0 to 65535"
	}
	if host != "" && !isHost(host) {
		return "has a host that is neither an address nor a name"
	}
	return ""
}

// hostPortOrNone takes the empty text, too.
func hostPortOrNone(in string) string {
	if in == "" {
		return ""
	}
	return hostPort(in)
}

// anything takes every text.
func anything(string) string { return "" }

// isPort takes digits only: the library would take "+80", too.
func isPort(in string) bool {
	_, err := strconv.ParseUint(in, 10, 16)
	return err == nil
}

// isHost takes addresses and names of letters, digits, dots, hyphens and
// underscores; names from other alphabets are written in their xn-- form.
func isHost(in string) bool {
	if _, err := netip.ParseAddr(in); err == nil {
		return true
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(in, "."), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.Trim(label, hostLetters) != "" {
			return false
		}
	}
	return len(in) <= 253
}

const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// proxy reads an address or a CIDR.
func proxy(in string) (netip.Prefix, string) {
	addr, err := netip.ParseAddr(in)
	if err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	p, err := netip.ParsePrefix(in)
	switch {
	case err != nil:
		return p, "is neither an address nor a CIDR"
	case p.Bits() == 0:
		return p, "trusts everybody, so anybody could pretend any address"
	case p.Addr().Is4In6():
		return p, "is an IPv4 range in IPv6 form (write 10.0.0.0/8)"
	case p != p.Masked():
		return p, "has bits outside its mask (write " + p.Masked().String() + ")"
	}
	return p, ""
}

func showProxy(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// siteURL reads an address without path. A slash at the end is dropped.
func siteURL(in string) (string, string) {
	if in == "" {
		return "", ""
	}
	if !strings.HasSuffix(in, "//") {
		in = strings.TrimSuffix(in, "/")
	}
	return webOrigin(in)
}

// corsOrigin reads an origin as browsers send it, or "*".
func corsOrigin(in string) (string, string) {
	if in == "*" {
		return in, ""
	}
	return webOrigin(in)
}

// webOrigin reads scheme://host[:port] and writes it as browsers do: in lower
// case, without the port that the scheme implies (RFC 6454, section 6.2).
func webOrigin(in string) (string, string) {
	u, err := url.Parse(in)
	if err != nil || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", "is not an http:// or https:// address"
	}
	switch {
	case u.User != nil:
		return "", "has a user name in it"
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(in, "#"):
		return "", "has something after the host"
	case !hasGoodHost(u):
		return "", "has no host, or one that is neither an address nor a name"
	case !hasGoodPort(u):
		return "", "has a port that is not a number from 0 to 65535"
	}
	return u.Scheme + "://" + originHost(u.Hostname()) + originPort(u.Scheme, u.Port()), ""
}

// hasGoodHost takes no zone of an IPv6 address, and nothing that is escaped.
func hasGoodHost(u *url.URL) bool {
	return isHost(u.Hostname()) && !strings.Contains(u.Host, "%")
}

// hasGoodPort takes no port, too, but not a colon without one.
func hasGoodPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	return isPort(u.Port())
}

func originHost(in string) string {
	if addr, err := netip.ParseAddr(in); err == nil && addr.Is6() {
		return "[" + addr.String() + "]"
	}
	return strings.ToLower(in)
}

func originPort(scheme, port string) string {
	if port == "" || (scheme == "http" && port == "80") || (scheme == "https" && port == "443") {
		return ""
	}
	return ":" + port
}
