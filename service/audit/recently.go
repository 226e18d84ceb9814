package audit

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// onceIn is how often the same throttled sign-in is stored.
	onceIn = time.Minute
	// mostRecent bounds the memory for that. Beyond it nothing more is stored
	// until a minute is over; all of it is in the log.
	mostRecent = 10_000
)

// recently remembers which pairs of account and address were there in the last
// minute.
type recently struct {
	mu       sync.Mutex
	since    time.Time // when now began
	now, old map[pair]time.Time
}

type pair struct {
	accountKey string
	address    netip.Prefix // what is counted as one address: an IPv4 address, or an IPv6 /64
}

// isFirst reports whether the pair was not there for a minute, and remembers it
// then.
func (r *recently) isFirst(accountKey, address string, at time.Time) bool {
	p := pair{accountKey, network(address)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := at.Sub(r.since); r.now == nil || age >= onceIn || age < 0 {
		r.old, r.now, r.since = r.now, map[pair]time.Time{}, at
	}
	for _, seen := range []map[pair]time.Time{r.now, r.old} {
		if last, ok := seen[p]; ok && at.Sub(last) < onceIn {
			return false
		}
	}
	if len(r.now) >= mostRecent {
		return false
	}
	r.now[p] = at
	return true
}

// network is the zero Prefix for what is no address.
func network(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 64
	if ip = ip.Unmap(); ip.Is4() {
		bits = 32
	}
	p, _ := ip.WithZone("").Prefix(bits)
	return p
}
