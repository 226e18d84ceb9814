package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/journal"
)

// Store keeps events. Every method is one transaction, but for counting.
type Store interface {
	// AddEvents stores events in their order, all or none. One whose At and
	// Nonce are there already is passed over. An event with AccountKey or
	// AccountID and without Username is given the three of an account that is
	// there.
	AddEvents(ctx context.Context, events []model.AuditEvent) error
	// Events is a page of the events that match, newest first, and how many
	// match, counted to CountTo.
	Events(ctx context.Context, q model.AuditQuery) ([]model.AuditEvent, int64, error)
	// DropEvents deletes at most so many events of before that instant, the
	// oldest first, and returns how many it deleted.
	DropEvents(ctx context.Context, before model.Time, atMost int) (int64, error)
	// TrimEvents deletes the oldest events of the kinds in First, then the
	// oldest of all, while there are more than Most; at most AtMost in one go.
	// It returns how many it deleted.
	TrimEvents(ctx context.Context, t model.AuditTrim) (int64, error)
}

// Config is what a recorder that stores works with.
type Config struct {
	Store   Store
	Now     func() time.Time
	Keep    time.Duration // how old events get
	Most    int64         // how many are kept
	File    *File         // takes every event as a line; nil: none
	Command string        // not empty in a command: who runs it at the machine, by the operating system's name
}

// Recorder logs and stores events. It is safe for concurrent use.
type Recorder struct {
	log     *slog.Logger
	cfg     Config
	journal *journal.Journal[model.AuditEvent] // nil without a store
	lately  recently
	dropped atomic.Int64 // events that found no room since this was logged last
}

// New makes a recorder that only logs.
func New(log *slog.Logger) *Recorder {
	return &Recorder{log: log, cfg: Config{Now: time.Now}} //nolint:forbidigo // no row and no line of ours has this time
}

// Keep makes a recorder that logs and stores. Run has to be running for noted
// events to be stored before Close.
func Keep(log *slog.Logger, cfg Config) *Recorder {
	r := &Recorder{log: log, cfg: cfg}
	r.journal = journal.New(cfg.Store.AddEvents)
	return r
}

// Record notes an event that must not be lost: when it returns nil, the event
// is stored. It fails with model.ErrUnavailable; the event is stored later then,
// unless the program ends first.
func (r *Recorder) Record(ctx context.Context, e Event) error {
	row := r.tell(ctx, e)
	if r.journal == nil {
		return nil
	}
	if err := r.journal.Commit(ctx, row); err != nil {
		return fmt.Errorf("store event %s: %w: %w", e.Kind, model.ErrUnavailable, err)
	}
	return nil
}

// Note notes an event that may be stored a little later, such as a sign-in. It
// waits for nobody. Sign-ins that are turned away in masses are all logged, and
// stored once a minute for each account and address.
func (r *Recorder) Note(ctx context.Context, e Event) {
	row := r.tell(ctx, e)
	if r.journal == nil || e.Kind == Commanded {
		return
	}
	if e.Kind == SignInThrottled && !r.lately.isFirst(row.AccountKey, row.Address, row.At.Time) {
		return
	}
	if r.journal.Add(row) != nil {
		r.dropped.Add(1)
	}
}

// tell logs the event and returns it as it is stored.
func (r *Recorder) tell(ctx context.Context, e Event) model.AuditEvent {
	by := access.From(ctx)
	if e.Address == "" {
		e.Address = by.Address
	}
	row := r.row(by, e)
	r.log.LogAttrs(ctx, slog.LevelInfo, "audit", attributes(by, e, row)...)
	if r.cfg.File != nil {
		r.complain(ctx, "write audit log", r.cfg.File.Write(row))
	}
	return row
}

// attributes are the event as the log has it.
func attributes(by access.Caller, e Event, row model.AuditEvent) []slog.Attr {
	all := make([]slog.Attr, 0, len(e.Detail)+10)
	all = append(all, slog.String("event", string(e.Kind)))
	if id := row.ActorID; id != 0 || e.AccountID != 0 {
		if id == 0 {
			id = e.AccountID
		}
		all = append(all, slog.Int64("account_id", id))
	}
	switch row.ActorKind {
	case model.ActorToken, model.ActorCommand, model.ActorOAuth:
		all = append(all, slog.String("actor", string(row.ActorKind)))
	case model.ActorAPIKey:
		all = append(all, slog.String("actor", string(row.ActorKind)), slog.Int64(callerKey, by.KeyID))
	case model.ActorNone, model.ActorSession, model.ActorSystem:
	}
	for _, named := range [][2]string{
		{"caller_device", by.DeviceKey},
		{"peer", e.Address},
		{"account_key", e.AccountKey},
		{"username", e.Username},
		{"device", e.DeviceKey},
		{"reason", e.Reason},
		{"request_id", row.RequestID},
	} {
		if named[1] != "" {
			all = append(all, slog.String(named[0], named[1]))
		}
	}
	all = append(all, e.Detail...)
	for i, a := range all {
		all[i] = printable(a)
	}
	return all
}

func (r *Recorder) complain(ctx context.Context, act string, err error) {
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelError, "audit upkeep", slog.String("act", act), slog.Any("error", err))
	}
}
