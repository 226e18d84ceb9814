package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) role() *cobra.Command {
	return group(
		"role", "Look after roles",
		&cobra.Command{
			Use:   "list",
			Short: "List the roles",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listRoles) },
		},
		&cobra.Command{
			Use:   "require-2fa NAME on|off",
			Short: "Say whether those who have a role must have a second factor",
			Long: `Say whether those who have a role, also admin, must have a second factor.

Who has none can go on signing in, but do nothing except enable one. This holds
at once, also for those who are signed in. Guests and the static token are exempt.`,
			Args: roleAndSwitch,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					return c.requireTwoFactor(ctx, app, args[0], args[1] == on)
				})
			},
		},
	)
}

// on and off are how a switch is written.
const (
	on  = "on"
	off = "off"
)

// roleAndSwitch takes a name, and on or off.
func roleAndSwitch(cmd *cobra.Command, args []string) error {
	if err := twoArgs(cmd, args); err != nil {
		return err
	}
	if args[1] != on && args[1] != off {
		return errors.New("say on or off")
	}
	return nil
}

func (c *commands) requireTwoFactor(ctx context.Context, app *server.App, name string, required bool) error {
	name, err := app.RequireTwoFactor(ctx, name, required)
	if err != nil {
		return err
	}
	text := "The role %s requires a second factor. Who has none can do nothing but enable one.\n"
	if !required {
		text = "The role %s requires no second factor.\n"
	}
	_, err = fmt.Fprintf(c.s.Out, text, shown(name))
	return err
}

// listRoles prints the roles by id.
func (c *commands) listRoles(ctx context.Context, app *server.App) error {
	roles, err := app.Roles(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tNAME\t2FA")
	for _, r := range roles {
		factor := "optional"
		if r.RequireTwoFactor {
			factor = "required"
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\n", r.ID, shown(r.Name), factor)
	}
	return table.Flush()
}
