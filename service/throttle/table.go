package throttle

import (
	"slices"
	"sync"

	"latchkey/model"
)

// shards is a power of two. All keys of one account or address share a shard.
const shards = 64

// key names an entry by hashes under a key of the server: nobody can aim for a
// collision, a long user name takes no more room than a short one, and a row
// means the same after a restart.
type key struct {
	who   int64 // an account, a name that nobody has, or an address
	place int64 // an account's source; 0 elsewhere
}

// table maps keys to the instant at which their entry stops to matter, in
// nanoseconds since the service began. It never holds more than its cap.
type table struct {
	kind     model.ThrottleKind // empty for what is not stored
	limit    Limit              // of the kinds that count
	capacity int                // of one shard
	shard    [shards]shard
}

type shard struct {
	mu    sync.Mutex
	until map[key]int64
}

func newTable(kind model.ThrottleKind, l Limit, maxKeys int) *table {
	t := &table{kind: kind, limit: l, capacity: maxKeys / shards}
	for i := range t.shard {
		t.shard[i].until = map[key]int64{}
	}
	return t
}

func (t *table) of(k key) *shard { return &t.shard[k.who&(shards-1)] }

// take adds one failure to the cell (GCRA: its instant moves by one Every). It
// answers with the cell's new instant, or with 0 and the time to wait when the
// budget is used up; then nothing was added.
func (t *table) take(k key, now int64) (until, wait int64) {
	s := t.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	until = max(s.until[k], now) + int64(t.limit.Every)
	if wait = until - t.limit.full() - now; wait > 0 {
		return 0, wait
	}
	s.put(k, until, now, t.capacity)
	return until, 0
}

// giveBack takes one failure out again: what has not decayed of the step that
// take made, and no more, so that nobody gains from a late answer.
func (t *table) giveBack(k key, step, now int64) {
	if step <= 0 {
		return
	}
	s := t.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if until, ok := s.until[k]; !ok || until-step <= now {
		delete(s.until, k)
	} else {
		s.until[k] = until - step
	}
}

// raise makes the entry matter until then, if it does not for longer already.
func (t *table) raise(k key, until, now int64) {
	s := t.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(k, max(until, s.until[k]), now, t.capacity)
}

// get is the entry's instant, 0 if there is none.
func (t *table) get(k key) int64 {
	s := t.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until[k]
}

// pop is the entry's instant, 0 if there is none; afterwards there is none.
func (t *table) pop(k key) int64 {
	s := t.of(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.until[k]
	delete(s.until, k)
	return until
}

// forget drops every entry of an account or address.
func (t *table) forget(who int64) {
	s := t.of(key{who: who})
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.until {
		if k.who == who {
			delete(s.until, k)
		}
	}
}

// size is how many entries there are.
func (t *table) size() int {
	n := 0
	for i := range t.shard {
		s := &t.shard[i]
		s.mu.Lock()
		n += len(s.until)
		s.mu.Unlock()
	}
	return n
}

// put makes room for a new key where there is none.
func (s *shard) put(k key, until, now int64, capacity int) {
	if _, old := s.until[k]; !old && len(s.until) >= capacity {
		s.shrink(now)
	}
	s.until[k] = until
}

// shrink drops what has decayed, and at least the most decayed sixteenth, so
// that its cost is paid once for many keys.
func (s *shard) shrink(now int64) {
	all := make([]int64, 0, len(s.until))
	for _, until := range s.until {
		all = append(all, until)
	}
	slices.Sort(all)
	last := max(now, all[len(all)/16])
	spare := len(all) / 16 // of those that share the last instant, only as many as needed
	for k, until := range s.until {
		if until <= now || until < last {
			delete(s.until, k)
		} else if until == last && spare >= 0 {
			delete(s.until, k)
			spare--
		}
	}
}
