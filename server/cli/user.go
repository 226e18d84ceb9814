package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/service/secret"
)

func (c *commands) user() *cobra.Command {
	return group(
		"user", "Look after accounts",
		&cobra.Command{
			Use:   "add NAME",
			Short: "Add an account with a random password and print it",
			Args:  oneArg,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					plain := secret.Password(randomLength)
					made, err := app.Profile.Create(ctx, args[0], plain)
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(c.s.Out, "name      %s\npassword  %s\n", made.Username, plain)
					return err
				})
			},
		},
		c.switchUser("disable NAME", "Shut an account out and end its logins", true),
		c.switchUser("enable NAME", "Let an account in again; it has to sign in anew", false),
	)
}

func (c *commands) switchUser(use, short string, off bool) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				name, err := app.SetDisabled(ctx, args[0], off)
				if err != nil {
					return fmt.Errorf("%q: %w", args[0], err)
				}
				text := "%s can sign in again.\n"
				if off {
					text = "%s is shut out, and all of their logins are over.\n"
				}
				_, err = fmt.Fprintf(c.s.Out, text, name)
				return err
			})
		},
	}
}
