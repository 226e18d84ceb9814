package connection

import (
	"sync/atomic"
	"time"
)

// Direction says which way a file goes.
type Direction string

// The directions of a transfer.
const (
	Download Direction = "download" // from the server
	Upload   Direction = "upload"   // to the server
)

// Transfer is a file that is open on a connection.
type Transfer struct {
	connection *Connection
	path       string
	direction  Direction
	startedAt  time.Time
	bytes      atomic.Int64
}

// TransferView is a transfer as a list shows it.
type TransferView struct {
	Path      string // as the client names it
	Direction Direction
	Bytes     int64 // so far, those sent twice counted twice
	StartedAt time.Time
}

// Begin notes that a file was opened. Whoever calls it calls Done.
func (c *Connection) Begin(path string, direction Direction) *Transfer {
	t := &Transfer{connection: c, path: path, direction: direction, startedAt: c.now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transfers = append(c.transfers, t)
	return t
}

// Add notes that n bytes more went over.
func (t *Transfer) Add(n int) { t.bytes.Add(int64(n)) }

// Done notes that the file was closed.
func (t *Transfer) Done() { t.connection.drop(t) }

func (t *Transfer) view() TransferView {
	return TransferView{Path: t.path, Direction: t.direction, Bytes: t.bytes.Load(), StartedAt: t.startedAt}
}
