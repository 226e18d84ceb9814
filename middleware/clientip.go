package middleware

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

type clientIPKey struct{}

// proxies finds the client behind the proxies that the operator named.
type proxies struct {
	trusted []netip.Prefix
	log     *slog.Logger
	warned  sync.Once
}

// FindClientIP finds the address of every request's client: the TCP peer, unless
// the peer is a trusted proxy. No proxy is trusted by default, not even on
// this machine. The first unknown peer that speaks for others is logged.
func FindClientIP(trusted []netip.Prefix, log *slog.Logger) gin.HandlerFunc {
	p := &proxies{trusted: trusted, log: log}
	return func(c *gin.Context) {
		c.Set(clientIPKey{}, p.client(c.Request))
		c.Next()
	}
}

// ClientIP is the client's address as text: IPv4, or IPv6 without a zone, never
// one inside the other. It is "" for a client on a unix socket.
func ClientIP(c *gin.Context) string { return text(c, clientIPKey{}) }

func (p *proxies) client(r *http.Request) string {
	peer, ok := parsePeer(r.RemoteAddr)
	if !ok {
		return ""
	}
	if !p.trusts(peer) {
		if len(r.Header["X-Forwarded-For"]) > 0 {
			p.warn(r, peer)
		}
		return peer.String()
	}
	if hops := r.Header["X-Forwarded-For"]; len(hops) > 0 {
		return p.nearest(peer, hops).String()
	}
	if values := r.Header["X-Real-Ip"]; len(values) == 1 {
		if addr, ok := parseHop(values[0]); ok {
			return addr.String()
		}
	}
	return peer.String()
}

// nearest walks from the peer towards the client and stops at the first hop that
// is not ours: whatever stands left of it may be invented. A hop that is no
// address ends the walk at the proxy that reported it.
func (p *proxies) nearest(peer netip.Addr, headers []string) netip.Addr {
	at := peer
	for _, header := range slices.Backward(headers) {
		for rest, more := header, true; more; {
			var hop string
			if rest, hop, more = cutLast(rest); hop == "" {
				continue
			}
			addr, ok := parseHop(hop)
			if !ok {
				return at
			}
			if at = addr; !p.trusts(at) {
				return at
			}
		}
	}
	return at
}

// cutLast splits the last element off a comma-separated list.
func cutLast(list string) (rest, last string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", strings.TrimSpace(list), false
	}
	return list[:i], strings.TrimSpace(list[i+1:]), true
}

func (p *proxies) trusts(addr netip.Addr) bool {
	for _, prefix := range p.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

func (p *proxies) warn(r *http.Request, peer netip.Addr) {
	p.warned.Do(func() {
		p.log.LogAttrs(r.Context(), slog.LevelWarn, "X-Forwarded-For of an unknown proxy ignored; name your proxy with --trusted-proxies",
			slog.String("peer", peer.String()))
	})
}

func parsePeer(remote string) (netip.Addr, bool) {
	at, err := netip.ParseAddrPort(remote)
	return plain(at.Addr()), err == nil
}

// parseHop reads an address as proxies write it, some of them with a port.
func parseHop(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if addr, err := netip.ParseAddr(strings.Trim(hop, "[]")); err == nil {
		return plain(addr), true
	}
	return parsePeer(hop)
}

func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
