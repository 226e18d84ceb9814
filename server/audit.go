package server

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
)

// mostEvents is how many security events are kept: about 300 MB.
const mostEvents = 1_000_000

// openAudit makes the recorder store what it is told. It is closed before the
// database is.
func (a *App) openAudit(ctx context.Context) error {
	cfg := audit.Config{Store: a.db.Audit(), Now: a.opts.Now, Keep: a.cfg.AuditKeep, Most: mostEvents}
	if !a.serves {
		cfg.Command = operator()
	}
	if a.cfg.AuditLog != "" {
		var err error
		if cfg.File, err = audit.OpenFile(a.cfg.AuditLog); err != nil {
			return err
		}
	}
	a.audit = audit.Keep(a.opts.Log, cfg)
	a.closers = append(a.closers, func() error { return a.audit.Close(context.WithoutCancel(ctx)) })
	return nil
}

// operator is who runs this process, as the operating system has it.
func operator() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}

// AuditRequest asks for security events, newest first. Zero fields do not
// count.
type AuditRequest struct {
	User  string
	Event string
	Since time.Duration // not older than this
	Limit int           // 1 to 1000
}

// AuditEvents lists what happened. It fails with audit.ErrKind.
func (a *App) AuditEvents(ctx context.Context, r AuditRequest) ([]model.AuditEvent, error) {
	f := audit.Filter{Kind: audit.Kind(r.Event), Username: r.User}
	if who, err := a.Accounts.ForSignIn(ctx, r.User); r.User != "" && err == nil { // as it is spelt
		f.Username = who.Username
	}
	if r.Since > 0 {
		f.Since = a.opts.Now().Add(-r.Since)
	}
	found, err := a.audit.Search(ctx, f, 1, r.Limit)
	if errors.Is(err, audit.ErrKind) {
		kinds := strings.Trim(fmt.Sprint(audit.Kinds()), "[]")
		return nil, fmt.Errorf("%w; there are: %s", err, kinds)
	}
	return found.Events, err
}

// AuditLines is AuditEvents as lines of JSON, as --audit-log has them.
func (a *App) AuditLines(ctx context.Context, r AuditRequest) ([][]byte, error) {
	list, err := a.AuditEvents(ctx, r)
	if err != nil {
		return nil, err
	}
	lines := make([][]byte, len(list))
	for i, e := range list {
		if lines[i], err = audit.Line(e); err != nil {
			return nil, err
		}
	}
	return lines, nil
}
