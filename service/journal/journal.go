// Package journal owns the batching of small writes: many callers wait for one
// transaction instead of one each. It must not know what is written.
package journal

import (
	"context"
	"errors"
	"sync"
)

// ErrFull says that so much waits to be written that no more is taken.
var ErrFull = errors.New("too many writes are waiting")

// Limits of a Journal.
const (
	batchSize = 256    // items in one write
	queueSize = 20_000 // items that may wait
)

// Journal writes items in the order in which they came, in batches. What could
// not be written stays and is tried again. It is safe for concurrent use and
// starts no goroutine.
type Journal[T any] struct {
	write   func(ctx context.Context, batch []T) error
	writing chan struct{} // holds one while somebody writes

	mu     sync.Mutex
	queue  []T
	taken  uint64 // items that ever came
	stored uint64 // of those, the ones that were written
	failed uint64 // writes that failed
	reason error  // of the last one
}

// New makes a journal. write stores a batch in one transaction; it bounds its
// own time. A batch whose write failed is written again, so write must be able
// to meet an item twice.
func New[T any](write func(ctx context.Context, batch []T) error) *Journal[T] {
	return &Journal[T]{write: write, writing: make(chan struct{}, 1)}
}

// Add leaves an item to be written with the next batch. It fails with ErrFull.
func (j *Journal[T]) Add(item T) error {
	_, err := j.add([]T{item})
	return err
}

// Commit adds items and returns when they are stored. It fails with ErrFull,
// with ctx, or as write does, also when it did for others meanwhile: a crowd
// waits for a storage that is away no longer than one does. Except after ErrFull
// the items are still written later.
func (j *Journal[T]) Commit(ctx context.Context, items ...T) error {
	until, err := j.add(items)
	if err != nil {
		return err
	}
	return j.flush(ctx, until)
}

func (j *Journal[T]) add(items []T) (until uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.queue)+len(items) > queueSize {
		return 0, ErrFull
	}
	j.queue = append(j.queue, items...)
	j.taken += uint64(len(items))
	return j.taken, nil
}

// Flush returns when everything that was added before is stored.
func (j *Journal[T]) Flush(ctx context.Context) error {
	j.mu.Lock()
	until := j.taken
	j.mu.Unlock()
	return j.flush(ctx, until)
}

// flush writes, or waits for whoever is writing, until so many are stored.
func (j *Journal[T]) flush(ctx context.Context, until uint64) error {
	failed, _ := j.failures()
	select {
	case j.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-j.writing }()
	for {
		batch := j.next(until)
		if len(batch) == 0 {
			return nil
		}
		if now, reason := j.failures(); now != failed {
			return reason
		}
		if err := j.write(context.WithoutCancel(ctx), batch); err != nil { // others wait for it too
			j.fail(err)
			return err
		}
		j.done(len(batch))
	}
}

// failures is how many writes failed, and why the last one did.
func (j *Journal[T]) failures() (uint64, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed, j.reason
}

func (j *Journal[T]) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed, j.reason = j.failed+1, err
}

// next is the batch to write, nil if so many are stored already.
func (j *Journal[T]) next(until uint64) []T {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stored >= until {
		return nil
	}
	return j.queue[:min(len(j.queue), batchSize):min(len(j.queue), batchSize)]
}

func (j *Journal[T]) done(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stored += uint64(n) //nolint:gosec // G115: a length
	if j.queue = j.queue[n:]; len(j.queue) == 0 {
		j.queue = nil // give the memory back
	}
}

// Waiting is how many items are not stored yet.
func (j *Journal[T]) Waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.queue)
}
