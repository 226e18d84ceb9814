package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/service/secret"
)

func (c *commands) user() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Look after accounts"}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "add NAME",
			Short: "Add an account with a random password and print it",
			Args:  cobra.ExactArgs(1),
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
	return cmd
}

func (c *commands) switchUser(use, short string, off bool) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				found, err := app.Accounts.ForSignIn(ctx, args[0])
				if err != nil {
					return fmt.Errorf("no account is called %q", args[0])
				}
				if err := app.Accounts.SetDisabled(ctx, found.Key, off); err != nil {
					return err
				}
				text := "%s can sign in again.\n"
				if off {
					text = "%s is shut out, and all of their logins are over.\n"
				}
				_, err = fmt.Fprintf(c.s.Out, text, found.Username)
				return err
			})
		},
	}
}
