package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) session() *cobra.Command {
	return group(
		"session", "Look after signed-in devices",
		c.listSessions(),
		&cobra.Command{
			Use:   "evict SESSION_ID",
			Short: "Throw a device out: every token it has is refused at once",
			Args:  oneArg,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					if err := app.EvictDevice(ctx, args[0]); err != nil {
						return fmt.Errorf("%q: %w", args[0], err)
					}
					_, err := fmt.Fprintf(c.s.Out, "Session %s is over.\n", args[0])
					return err
				})
			},
		},
		&cobra.Command{
			Use:   "clean",
			Short: "Forget the devices that are signed out",
			Args:  noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					if err := app.CleanDevices(ctx); err != nil {
						return err
					}
					_, err := fmt.Fprintln(c.s.Out, "Devices without a login are forgotten.")
					return err
				})
			},
		},
	)
}

func (c *commands) listSessions() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the signed-in devices, oldest first",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				list, err := app.Devices(ctx, user)
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
				_, _ = fmt.Fprintln(table, "SESSION_ID\tUSER\tKIND\tADDRESS\tSEEN\tEXPIRES")
				for _, d := range list {
					_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Key, shown(d.Username), d.Kind, shown(d.IP),
						d.SeenAt.UTC().Format(time.RFC3339), d.ExpiresAt.UTC().Format(time.RFC3339))
				}
				return table.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only the account `NAME`'s")
	return cmd
}

// shown is text in a table: on one line, without what a terminal obeys, and
// "-" for nothing.
func shown(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, text)
}
