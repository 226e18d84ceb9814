package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/server/courier"
)

func (c *commands) mail() *cobra.Command {
	return group(
		"mail", "Look after the way to the mail server",
		&cobra.Command{
			Use:   "test ADDRESS",
			Short: "Send a test message, and say what went wrong",
			Args:  oneArg,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					if err := app.TestMail(ctx, args[0]); err != nil {
						return withSaid(err)
					}
					_, err := fmt.Fprintf(c.s.Out, "The mail server took a test message to %s.\n", shown(args[0]))
					return err
				})
			},
		},
	)
}

// withSaid adds what the mail server itself said.
func withSaid(err error) error {
	if failed, ok := errors.AsType[*courier.MailError](err); ok && failed.Said() != "" {
		return fmt.Errorf("%w\nIn the words of the other side: %s", err, shown(failed.Said()))
	}
	return err
}

func (c *commands) setEmail() *cobra.Command {
	verified := false
	cmd := &cobra.Command{
		Use:   "set-email NAME ADDRESS",
		Short: `Give an account an e-mail address in place of the one it has; "" takes it away`,
		Args:  twoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				name, err := app.SetEmail(ctx, args[0], args[1], verified)
				if err != nil {
					return fmt.Errorf("%q: %w", args[0], err)
				}
				text := "The e-mail address of %s is changed.\n"
				if args[1] == "" {
					text = "%s has no e-mail address any more.\n"
				}
				if args[1] != "" && !verified && !app.SendsMail() {
					text += "It is not confirmed, and nobody was mailed: this command was not told of a mail server (--smtp-host).\n"
				}
				_, err = fmt.Fprintf(c.s.Out, text, name)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&verified, "verified", false, "let it count as confirmed; without this its owner is mailed a link")
	return cmd
}
