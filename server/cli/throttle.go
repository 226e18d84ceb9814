package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) throttle() *cobra.Command {
	return group(
		"throttle", "Look at and lift the limits on failed sign-ins",
		&cobra.Command{
			Use:   "list",
			Short: "List the accounts and addresses whose sign-ins are refused now",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listThrottled) },
		},
		c.liftThrottle(),
	)
}

func (c *commands) listThrottled(ctx context.Context, app *server.App) error {
	list, err := app.Throttled(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KIND\tWHO\tFAILURES\tUNTIL")
	for _, t := range list {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", t.Kind, shown(cmp.Or(t.Username, t.Address)), t.Failures,
			t.BlockedUntil.UTC().Format(time.RFC3339))
	}
	return table.Flush()
}

func (c *commands) liftThrottle() *cobra.Command {
	var user, address string
	cmd := &cobra.Command{
		Use:   "lift",
		Short: "Let an account (--user) or an address (--address) try again at once",
		Args:  noArgs,
	}
	cmd.Flags().StringVar(&user, "user", "", "the account called `NAME`")
	cmd.Flags().StringVar(&address, "address", "", "this `ADDRESS`; of IPv6 its /64 counts")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if (user == "") == (address == "") {
			return misused(cmd, errors.New("say --user or --address"))
		}
		return c.attached(cmd, func(ctx context.Context, app *server.App) error {
			what, lift := user, app.LiftAccount
			if address != "" {
				what, lift = address, app.LiftAddress
			}
			name, err := lift(ctx, what)
			if err != nil {
				return fmt.Errorf("%q: %w", what, err)
			}
			_, err = fmt.Fprintf(c.s.Out, "%s can try again.\n", shown(name))
			return err
		})
	}
	return cmd
}
