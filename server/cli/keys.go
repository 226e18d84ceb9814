package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) keys() *cobra.Command {
	return group(
		"keys", "Look after the keys that sign tokens",
		&cobra.Command{
			Use:   "list",
			Short: "List the keys whose tokens count",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listKeys) },
		},
		&cobra.Command{
			Use:   "rotate",
			Short: "Sign new tokens with a new key; tokens of the older ones go on working",
			Args:  noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					kid, err := app.RotateKeys(ctx)
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(c.s.Out, "Key %s signs from now on.\n", kid)
					return err
				})
			},
		},
		&cobra.Command{
			Use:   "remove KID",
			Short: "Remove an older key: every token that it signed is refused at once",
			Args:  oneArg,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					if err := app.RemoveKey(ctx, args[0]); err != nil {
						return fmt.Errorf("%q: %w", args[0], err)
					}
					_, err := fmt.Fprintf(c.s.Out, "Key %s is gone, and so is every login it signed.\n", args[0])
					return err
				})
			},
		},
	)
}

func (c *commands) listKeys(_ context.Context, app *server.App) error {
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KID\tMADE\tUSE")
	all := app.Ring.Tokens()
	for i, key := range all {
		use := "verifies"
		if i == len(all)-1 {
			use = "signs"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", key.ID, key.CreatedAt.Format(time.RFC3339), use)
	}
	return table.Flush()
}
