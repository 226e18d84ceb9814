package web

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
)

// Origin is the server's address as its clients know it: the configured one, or,
// where none is, that of a request from this machine to this machine. It is
// empty if neither is so: a Host that somebody else sent is not believed (H-11).
func Origin(c *gin.Context, siteURL string) string {
	if siteURL != "" {
		return siteURL
	}
	peer, err := netip.ParseAddrPort(c.Request.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() || !isLoopback(c.Request.Host) {
		return ""
	}
	scheme := "http://"
	if c.Request.TLS != nil {
		scheme = "https://"
	}
	return scheme + strings.ToLower(c.Request.Host)
}

// isLoopback reports whether a Host header names this machine.
func isLoopback(hostport string) bool {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]"), ""
	}
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && addr.Zone() == ""
}
