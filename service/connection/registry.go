package connection

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"latchkey/service/revocation"
)

// ErrTooMany says that there are as many connections as there may be.
var ErrTooMany = errors.New("too many connections")

// ErrStopping says that no connection is begun any more.
var ErrStopping = errors.New("the server is stopping")

// settleFor is how long an ending waits for operations under way after it has
// hung up. Only one that is stuck in a system call takes as long.
const settleFor = time.Second

// Limits are how many connections there may be.
type Limits struct {
	All        int
	PerAccount int
}

// Registry is the live connections. It is safe for concurrent use.
type Registry struct {
	limits Limits

	mu      sync.Mutex
	all     map[*Connection]struct{}
	of      map[string]int // by account key
	removed chan struct{}  // closed when one is removed, and replaced
	stopped bool           // none may be added any more
}

// NewRegistry makes a registry without connections.
func NewRegistry(l Limits) *Registry {
	return &Registry{limits: l, all: map[*Connection]struct{}{}, of: map[string]int{}, removed: make(chan struct{})}
}

// Add makes the connection known, or fails with ErrTooMany or ErrStopping. From
// then on an ending hangs it up. Whoever adds it then asks Judge once before
// serving it: what ended before it was added, nobody has told it. Whoever adds it
// removes it.
func (r *Registry) Add(c *Connection) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return ErrStopping
	}
	if len(r.all) >= r.limits.All || r.of[c.AccountKey] >= r.limits.PerAccount {
		return ErrTooMany
	}
	r.all[c] = struct{}{}
	r.of[c.AccountKey]++
	return nil
}

// Remove forgets a connection that was added.
func (r *Registry) Remove(c *Connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, c)
	if r.of[c.AccountKey]--; r.of[c.AccountKey] == 0 {
		delete(r.of, c.AccountKey)
	}
	close(r.removed)
	r.removed = make(chan struct{})
}

// Heed is a revocation.Listener: it asks every connection that the notice
// concerns whether it may go on, and hangs up where that is not certain. When it
// returns, none of those begins an operation any more, and none is under way.
func (r *Registry) Heed(ctx context.Context, n revocation.Notice) {
	var over []*Connection
	for _, c := range r.concerned(n) {
		if c.Judge(ctx) != nil {
			over = append(over, c)
		}
	}
	r.end(ctx, over)
}

// end hangs all of them up before it waits for the first.
func (*Registry) end(ctx context.Context, over []*Connection) {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	for _, c := range over {
		c.cut()
	}
	for _, c := range over {
		c.End(ctx)
	}
}

func (r *Registry) concerned(n revocation.Notice) []*Connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*Connection
	for c := range r.all {
		if matches(n.AccountKey, c.AccountKey) && matches(n.DeviceKey, c.DeviceKey) && matches(n.LoginID, c.LoginID) {
			list = append(list, c)
		}
	}
	return list
}

func matches(want, have string) bool { return want == "" || want == have }

// All is every connection.
func (r *Registry) All() []*Connection { return r.concerned(revocation.Notice{}) }

// Views is the account's connections, or everybody's if accountKey is empty,
// oldest first.
func (r *Registry) Views(accountKey string) []View {
	views := []View{}
	for _, c := range r.concerned(revocation.Notice{AccountKey: accountKey}) {
		if !c.hasEnded() {
			views = append(views, c.View())
		}
	}
	slices.SortFunc(views, func(a, b View) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), cmp.Compare(a.ID, b.ID))
	})
	return views
}

// Drain ends every connection as soon as nothing is open on it, and those that
// are left when ctx ends. It returns how many those were, when the last one is
// removed. No connection can be added any more: nobody would end it.
func (r *Registry) Drain(ctx context.Context) int {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
	for _, c := range r.All() {
		c.drain()
	}
	cutOff := 0
	done := ctx.Done()
	for {
		r.mu.Lock()
		left, removed := len(r.all), r.removed
		r.mu.Unlock()
		if left == 0 {
			return cutOff
		}
		select {
		case <-removed:
		case <-done:
			done = nil
			cutOff = left
			for _, c := range r.All() {
				c.cut()
			}
		}
	}
}
