package importer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/audit"
	"latchkey/service/password"
	"latchkey/service/revocation"
)

// Store is where imports go. Every method is one transaction.
type Store interface {
	// Holdings reads what is there already.
	Holdings(ctx context.Context) (model.Holdings, error)
	// ImportAll writes all of it or nothing. It is model.ErrStale if what gives
	// way or is replaced changed since it was read, and model.ErrConflict for a
	// name or id that was taken since. written is told of rows as they are
	// written; it may be nil.
	ImportAll(ctx context.Context, in model.Import, written func(table string, rows int)) error
	// PasswordsWith lists accounts whose stored password begins with prefix, by
	// ascending key after the given one.
	PasswordsWith(ctx context.Context, prefix, afterKey string, limit int) ([]model.Account, error)
	// ReplacePassword stores another form of the same password and touches
	// nothing else; model.ErrStale unless the stored one is still old.
	ReplacePassword(ctx context.Context, accountKey, old, stored string) error
}

// Sealer encrypts secrets. What was sealed opens only with the same aad.
type Sealer interface {
	Seal(aad string, plain []byte) (string, error)
	Open(aad, sealed string) ([]byte, error)
}

// Deps are what the service works with.
type Deps struct {
	Store     Store
	Passwords *password.Checker
	Sealer    Sealer
	Hub       *revocation.Hub
	Audit     *audit.Recorder
	Now       func() time.Time
}

// Service imports. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Options say what to import.
type Options struct {
	DryRun   bool
	Settings bool
	Sessions bool                         // devices, as history
	Progress func(step string, count int) // may be nil
}

// Run imports what the source holds and is not here yet, all of it or nothing,
// and reports every row that was odd. The report is whole in a dry run too, and
// empty if Run fails.
func (s *Service) Run(ctx context.Context, source *alistdb.DB, o Options) (Report, error) {
	dump, err := source.Read(ctx, alistdb.Wanted{
		Settings: o.Settings, Sessions: o.Sessions, Progress: o.step("reading"),
	})
	if err != nil {
		return Report{}, err
	}
	have, err := s.Store.Holdings(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("read what is here: %w", err)
	}
	p := newPlan(s.Deps, dump, have)
	if err := p.make(o); err != nil {
		return Report{}, err
	}
	if o.DryRun || p.in.IsEmpty() {
		return p.report, nil
	}
	if err := s.Store.ImportAll(ctx, p.in, o.step("writing")); err != nil {
		return Report{}, fmt.Errorf("write the import, of which nothing is kept: %w", err)
	}
	s.Hub.Publish(ctx, revocation.Notice{})
	return p.report, s.Audit.Record(ctx, audit.Event{Kind: audit.AccountsImported, Detail: []slog.Attr{
		slog.Int("accounts", len(p.in.Accounts)), slog.Int("roles", len(p.in.Roles)),
		slog.Int("ssh_keys", len(p.in.SSHKeys)), slog.Int("settings", len(p.in.Settings)),
	}})
}

func (o Options) step(doing string) func(table string, rows int) {
	if o.Progress == nil {
		return nil
	}
	return func(table string, rows int) { o.Progress(doing+" "+table, rows) }
}
