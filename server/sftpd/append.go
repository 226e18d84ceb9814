package sftpd

import (
	"context"
	"os"
	"sync"
	"time"
)

// appendWait is how long a piece waits for the one before it.
const appendWait = 5 * time.Second

// appender writes pieces at the end of a file in the order of their offsets:
// they come from parallel workers, and the end is where the last one left it.
// Clients count offsets from 0, or from the file's size when it was opened.
type appender struct {
	f    *os.File // opened to append
	size int64    // when it was opened

	mu    sync.Mutex
	next  int64 // the offset that is written next; -1 before the first
	moved chan struct{}
}

func newAppender(f *os.File) (*appender, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return &appender{f: f, size: info.Size(), next: -1, moved: make(chan struct{})}, nil
}

func (a *appender) write(p []byte, off int64) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), appendWait)
	defer cancel()
	for {
		a.mu.Lock()
		if off == a.next || a.next < 0 && (off == 0 || off == a.size) {
			defer a.mu.Unlock()
			n, err := a.f.Write(p)
			a.next = off + int64(n)
			close(a.moved)
			a.moved = make(chan struct{})
			return n, err
		}
		moved := a.moved
		a.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, because("a piece is missing before this one")
		}
	}
}
