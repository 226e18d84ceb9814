package audit

import (
	"context"
	"log/slog"
	"time"

	"latchkey/model"
)

const (
	flushEvery = time.Second
	cleanEvery = time.Hour
	// cleanAtMost is how many rows go in one transaction, once a second while
	// there are any, so that nobody waits long for the database.
	cleanAtMost = 500
)

// Run stores what was noted, every second, and deletes what is too old or too
// much, until ctx ends. It stores once more before it returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	if r.journal == nil {
		return nil
	}
	flush, clean := time.NewTicker(flushEvery), time.NewTicker(cleanEvery)
	defer flush.Stop()
	defer clean.Stop()
	cleaning := true // what the last run left
	for {
		select {
		case <-flush.C:
			r.complain(ctx, "store events", r.Flush(ctx))
			if cleaning {
				var err error
				cleaning, err = r.clean(ctx)
				r.complain(ctx, "delete old events", err)
			}
		case <-clean.C:
			cleaning = true
		case <-ctx.Done():
			r.complain(context.WithoutCancel(ctx), "store events", r.Flush(context.WithoutCancel(ctx)))
			return nil
		}
	}
}

// Flush returns when everything that was noted before is stored, and logs how
// many events found no room.
func (r *Recorder) Flush(ctx context.Context) error {
	if n := r.dropped.Swap(0); n > 0 {
		r.log.LogAttrs(ctx, slog.LevelError, "events are in the log only: too many wait to be stored", slog.Int64("events", n))
	}
	if r.journal == nil || r.journal.Waiting() == 0 {
		return nil
	}
	return r.journal.Flush(ctx)
}

// Close stores what was noted and closes the file. The store must still be
// open.
func (r *Recorder) Close(ctx context.Context) error {
	err := r.Flush(ctx)
	if r.cfg.File != nil {
		r.complain(ctx, "close audit log", r.cfg.File.Close())
	}
	return err
}

// clean deletes some events and reports whether there may be more to delete.
func (r *Recorder) clean(ctx context.Context) (more bool, err error) {
	before := model.At(r.cfg.Now().Add(-r.cfg.Keep))
	old, err := r.cfg.Store.DropEvents(ctx, before, cleanAtMost)
	if err != nil {
		return true, err
	}
	// Guessing makes rows as fast as a machine can; it must not push out what
	// people did.
	over, err := r.cfg.Store.TrimEvents(ctx, model.AuditTrim{
		Most: r.cfg.Most, AtMost: cleanAtMost, First: []string{string(SignInThrottled), string(SignInRefused)},
	})
	return err != nil || old == cleanAtMost || over == cleanAtMost, err
}
