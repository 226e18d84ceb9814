// Package behind owns writing a little later: values that wait in memory, one
// per key, until the next batch, and the loop that writes and cleans. What waits
// is lost in a crash, so nothing that decides may be written this way. It must
// not know what is written; writes that must all be kept, and in their order,
// are journal's.
package behind

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
)

const (
	flushWait   = 5 * time.Second // for another flush to end
	flushAtMost = 1000            // values in one write
	most        = 200_000         // values that wait
	flushEvery  = time.Second
	cleanEvery  = time.Minute
)

// Writer keeps values until Flush writes them. It is safe for concurrent use and
// starts no goroutine.
type Writer[K comparable, V any] struct {
	waiting[K, V]

	write    func(ctx context.Context, batch []V) error
	flushing chan struct{} // holds one while somebody writes
}

// New makes a writer. merge makes one of two values of a key, and must not
// depend on which of them came first: what could not be written is merged with
// what came since. write stores a batch, in one transaction and in any order;
// it bounds its own time.
func New[K comparable, V any](merge func(a, b V) V, write func(ctx context.Context, batch []V) error) *Writer[K, V] {
	return &Writer[K, V]{
		waiting: waiting[K, V]{merge: merge, values: map[K]V{}},
		write:   write, flushing: make(chan struct{}, 1),
	}
}

// Flush writes what waits, in batches. What was added before the call is stored
// when it returns nil. What cannot be written waits for the next time.
func (w *Writer[K, V]) Flush(ctx context.Context) error {
	select {
	case w.flushing <- struct{}{}:
		defer func() { <-w.flushing }()
	case <-time.After(flushWait):
		return fmt.Errorf("write behind: another batch is stuck: %w", model.ErrUnavailable)
	case <-ctx.Done():
		return fmt.Errorf("write behind: %w: %w", model.ErrUnavailable, ctx.Err())
	}
	keys, values := w.take()
	for len(values) > 0 {
		n := min(len(values), flushAtMost)
		if err := w.write(ctx, values[:n]); err != nil {
			for i, key := range keys {
				w.Add(key, values[i])
			}
			return fmt.Errorf("write %d values behind: %w", len(values), err)
		}
		keys, values = keys[n:], values[n:]
	}
	return nil
}

// Upkeep is what a service does while the program runs.
type Upkeep struct {
	Of    string                      // whose it is, for the log
	Flush func(context.Context) error // once a second, and once more at the end
	Clean func(context.Context) error // once a minute
	Log   *slog.Logger                // told of what fails; it is tried again
}

// Run flushes and cleans until ctx ends, and flushes once more before it
// returns nil.
func (u Upkeep) Run(ctx context.Context) error {
	flush, clean := time.NewTicker(flushEvery), time.NewTicker(cleanEvery)
	defer flush.Stop()
	defer clean.Stop()
	for {
		select {
		case <-flush.C:
			u.complain(ctx, u.Flush(ctx))
		case <-clean.C:
			u.complain(ctx, u.Clean(ctx))
		case <-ctx.Done():
			u.Close(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// Close flushes, and logs if that cannot be.
func (u Upkeep) Close(ctx context.Context) { u.complain(ctx, u.Flush(ctx)) }

func (u Upkeep) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		u.Log.LogAttrs(ctx, slog.LevelWarn, "upkeep", slog.String("of", u.Of), slog.Any("error", err))
	}
}
