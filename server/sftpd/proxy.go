package sftpd

import (
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// headerWait is how long a trusted proxy may take over its PROXY header. A peer
// that sends none and waits for us to speak first is taken for itself then.
const headerWait = 3 * time.Second

// peer reads the PROXY header of a connection from a trusted proxy, and says
// whose the connection is. Others' headers are not believed: version 1 is a line
// that may come before SSH and says nothing, version 2 is no SSH.
func (s *Server) peer(conn net.Conn) (net.Conn, string) {
	own := addressOf(conn.RemoteAddr())
	if !s.trusts(own) {
		return conn, own.String()
	}
	proxied := proxyproto.NewConn(conn, proxyproto.WithPolicy(proxyproto.USE), proxyproto.SetReadHeaderTimeout(headerWait))
	if client := addressOf(proxied.RemoteAddr()); client.IsValid() {
		return proxied, client.String()
	}
	return proxied, own.String()
}

func (s *Server) trusts(addr netip.Addr) bool {
	for _, prefix := range s.cfg.Trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// addressOf is the address without port and zone, never IPv4 inside IPv6; the
// zero Addr if it has none.
func addressOf(addr net.Addr) netip.Addr {
	if addr == nil {
		return netip.Addr{}
	}
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}
