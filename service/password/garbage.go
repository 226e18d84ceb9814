package password

import (
	"runtime"
	"runtime/metrics"
	"sync"
)

// garbageKiB is how much memory hashing may hold in all, running or thrown away.
// argon2 allocates anew for every hash, and the collector lets garbage grow with
// the live heap: on a server that remembers 400 MB of logins, a storm of sign-ins
// took 380 MiB more without this.
const garbageKiB = 96 * 1024

// bin counts the memory taken by hashes since the last collection, and asks for
// one when it is too much. With a small heap the collector mostly comes first.
type bin struct {
	mu      sync.Mutex
	limit   uint64 // KiB
	running uint64 // KiB in use when all workers are
	taken   uint64 // KiB, at most, that hashing holds
	cycles  uint64 // collections seen
	gauge   []metrics.Sample
}

// newBin holds as many workers' memory twice where that is more than garbageKiB:
// to collect for every single hash would cost more than it saves.
func newBin(workers int, each uint32) *bin {
	running := uint64(workers) * uint64(each) //nolint:gosec // Validate keeps workers positive
	return &bin{
		limit:   max(garbageKiB, 2*running),
		running: running,
		gauge:   []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}},
	}
}

// add is called before size KiB are allocated. Callers wait for a collection that
// is under way: what they would allocate meanwhile would not be collected by it.
func (b *bin) add(size uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if seen := b.collections(); seen != b.cycles {
		b.cycles, b.taken = seen, b.running
	}
	if b.taken += uint64(size); b.taken > b.limit {
		runtime.GC()
		b.cycles, b.taken = b.collections(), b.running+uint64(size)
	}
}

func (b *bin) collections() uint64 {
	metrics.Read(b.gauge)
	return b.gauge[0].Value.Uint64()
}
