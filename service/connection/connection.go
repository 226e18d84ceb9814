// Package connection owns the live connections that hang on logins: which there
// are, what they are doing, and that an ending closes them before it is
// answered. It knows no protocol.
package connection

import (
	"context"
	"slices"
	"sync"
	"time"

	"latchkey/service/secret"
)

// Info says whose connection it is.
type Info struct {
	AccountKey  string
	DeviceKey   string
	LoginID     string
	KeyTitle    string // of the SSH key that signed in; empty: none did
	Client      string // what the client calls itself
	Address     string // the client's, in full; views show it masked
	ConnectedAt time.Time
}

// Hooks are what the door does for a connection.
type Hooks struct {
	// Judge fails if the connection may not go on: its login, its account or its
	// key is not what it was opened with.
	Judge func(ctx context.Context) error
	// HangUp cuts the connection off at once, whatever it is doing. It is called
	// once and does not wait.
	HangUp func()
}

// Connection is one live connection. It is safe for concurrent use.
type Connection struct {
	Info

	ID    string // 32 hex digits, random
	hooks Hooks
	now   func() time.Time
	most  int // things open at once

	mu        sync.Mutex
	ended     bool
	draining  bool
	busy      int           // operations under way
	quiet     chan struct{} // closed when busy is 0 after the end
	open      int
	usedAt    time.Time
	transfers []*Transfer
}

// New makes a connection that may have so many files and folders open at once.
func New(info Info, hooks Hooks, most int, now func() time.Time) *Connection {
	return &Connection{
		Info: info, ID: secret.ID(), hooks: hooks, now: now, most: most,
		quiet: make(chan struct{}), usedAt: info.ConnectedAt,
	}
}

// Enter begins an operation, unless the connection has ended. Whoever gets true
// calls Leave.
func (c *Connection) Enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.busy++
	c.usedAt = c.now()
	return true
}

// Leave ends an operation.
func (c *Connection) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy--; c.busy == 0 && c.ended {
		close(c.quiet)
	}
}

// Acquire makes room for one more open file or folder, or reports that there
// are too many. Whoever gets true calls Release.
func (c *Connection) Acquire() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.draining || c.open >= c.most {
		return false
	}
	c.open++
	return true
}

// lastWords is how long a client has to hear that its last file is closed.
const lastWords = 500 * time.Millisecond

// Release gives the room back. The last one ends a connection that is only
// waited for, soon after.
func (c *Connection) Release() {
	c.mu.Lock()
	c.open--
	last := c.draining && c.open == 0
	c.mu.Unlock()
	if last {
		time.AfterFunc(lastWords, c.cut)
	}
}

// drain ends the connection as soon as nothing is open.
func (c *Connection) drain() {
	c.mu.Lock()
	c.draining = true
	idle := c.open == 0
	c.mu.Unlock()
	if idle {
		c.cut()
	}
}

// cut lets no further operation begin and hangs up.
func (c *Connection) cut() {
	c.mu.Lock()
	first := !c.ended
	c.ended = true
	if first && c.busy == 0 {
		close(c.quiet)
	}
	c.mu.Unlock()
	if first {
		c.hooks.HangUp()
	}
}

// End hangs up and waits until no operation is under way, or ctx ends: one may
// be stuck in a system call.
func (c *Connection) End(ctx context.Context) {
	c.cut()
	select {
	case <-c.quiet:
	case <-ctx.Done():
	}
}

func (c *Connection) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// Judge fails if the connection may not go on.
func (c *Connection) Judge(ctx context.Context) error { return c.hooks.Judge(ctx) }

// UsedAt is when the last operation began, or when the connection did.
func (c *Connection) UsedAt() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usedAt
}

// IsIdle reports whether nothing is open, and nothing happened since.
func (c *Connection) IsIdle(since time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open == 0 && c.busy == 0 && c.usedAt.Before(since)
}

// View is a connection as a list shows it.
type View struct {
	Info

	ID        string
	UsedAt    time.Time
	Transfers []TransferView // in the order in which they began
}

// View is the connection at this moment.
func (c *Connection) View() View {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := View{Info: c.Info, ID: c.ID, UsedAt: c.usedAt, Transfers: make([]TransferView, len(c.transfers))}
	for i, t := range c.transfers {
		v.Transfers[i] = t.view()
	}
	return v
}

func (c *Connection) drop(t *Transfer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.transfers, t); i >= 0 {
		c.transfers = slices.Delete(c.transfers, i, i+1)
	}
}
