package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) audit() *cobra.Command {
	return group("audit", "Look at what happened", c.listAudit())
}

const (
	defaultEvents = 50
	mostEvents    = 1000
	nothing       = "{}" // the detail of most events
)

var (
	errLimit = errors.New("--limit must be from 1 to 1000")
	errSince = errors.New("--since must be a time back from now, such as 24h")
)

func (c *commands) listAudit() *cobra.Command {
	var (
		r      server.AuditRequest
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the security events, newest first",
		Long: `List the security events, newest first. Sign-ins at a running server are there
about a second later.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case r.Limit < 1 || r.Limit > mostEvents:
				return misused(cmd, errLimit)
			case r.Since < 0:
				return misused(cmd, errSince)
			}
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				if asJSON {
					return c.eventLines(ctx, app, r)
				}
				return c.eventTable(ctx, app, r)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&r.User, "user", "", "only events about whoever was called `NAME` then, or is now")
	flags.StringVar(&r.Event, "event", "", "only events of this `KIND`, such as sign_in_refused")
	flags.DurationVar(&r.Since, "since", 0, "only events that are not older than this, such as 24h; 0 is all")
	flags.IntVar(&r.Limit, "limit", defaultEvents, "how many events, 1 to 1000")
	flags.BoolVar(&asJSON, "json", false, "print every event as a line of JSON")
	return cmd
}

func (c *commands) eventTable(ctx context.Context, app *server.App, r server.AuditRequest) error {
	list, err := app.AuditEvents(ctx, r)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "AT\tEVENT\tUSER\tBY\tADDRESS\tREASON\tDETAIL")
	for _, e := range list {
		by := string(e.ActorKind)
		if e.ActorName != "" {
			by += ":" + e.ActorName
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.At.UTC().Format(time.RFC3339), e.Kind,
			shown(e.Username), shown(by), shown(e.Address), shown(e.Reason), shown(strings.TrimPrefix(e.Detail, nothing)))
	}
	return table.Flush()
}

func (c *commands) eventLines(ctx context.Context, app *server.App, r server.AuditRequest) error {
	lines, err := app.AuditLines(ctx, r)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(c.s.Out, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}
