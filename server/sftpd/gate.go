package sftpd

import (
	"net/netip"
	"slices"
	"sync"
)

// gate bounds those who have not signed in yet, in all and from one source. Whom
// there is no room for pushes out the one who has waited longest: signing in
// takes a moment, so crowds of idle connections keep nobody out.
type gate struct {
	all, perSource int

	mu      sync.Mutex
	waiting []*waiter // oldest first
}

// waiter is a connection that has not signed in yet.
type waiter struct {
	source string // empty: not known yet
	hangUp func()
}

// enter makes room for a newcomer. Whoever enters leaves.
func (g *gate) enter(hangUp func()) *waiter {
	w := &waiter{hangUp: hangUp}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	var out *waiter
	if len(g.waiting) > g.all {
		out = g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
	}
	g.mu.Unlock()
	if out != nil {
		out.hangUp()
	}
	return w
}

// locate says where the newcomer comes from.
func (g *gate) locate(w *waiter, address string) {
	source := sourceOf(address)
	g.mu.Lock()
	w.source = source
	var out *waiter
	same, oldest := 0, -1
	for i, other := range g.waiting {
		if other.source == source {
			same++
			if oldest < 0 {
				oldest = i
			}
		}
	}
	if same > g.perSource {
		out = g.waiting[oldest]
		g.waiting = slices.Delete(g.waiting, oldest, oldest+1)
	}
	g.mu.Unlock()
	if out != nil {
		out.hangUp()
	}
}

// leave says that somebody has signed in or gone. It reports whether they still
// had their place.
func (g *gate) leave(w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// clear sends everybody away.
func (g *gate) clear() {
	g.mu.Lock()
	all := g.waiting
	g.waiting = nil
	g.mu.Unlock()
	for _, w := range all {
		w.hangUp()
	}
}

// sourceOf is what one customer has: an IPv4 address, or an IPv6 /64.
func sourceOf(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return "?"
	}
	if addr = addr.Unmap().WithZone(""); addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return "?"
	}
	return prefix.String()
}
