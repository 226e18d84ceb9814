package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) token() *cobra.Command {
	return group("token", "Make tokens without a password", c.mintToken())
}

func (c *commands) mintToken() *cobra.Command {
	var (
		user, name string
		lifetime   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "mint",
		Short: "Make a token that stands for an account, and print it alone",
		Long: `Make a token that stands for an account, and print it alone on standard output.

It works as that of a sign-in does, in the header Authorization, and is listed
and thrown out as one: latchkey session list, and session evict. It ends with the
account's password, too. What asks for a recent sign-in it cannot do. The audit
log keeps that it was made.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case user == "":
				return misused(cmd, errors.New("--user is missing: for whom does it stand?"))
			case lifetime == 0:
				return misused(cmd, errors.New("--for is missing: how long does it live, such as 1h?"))
			}
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				minted, err := app.MintToken(ctx, user, name, lifetime)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(c.s.Out, minted.Token); err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.s.Err, "Until %s, as session %s.\n", minted.ExpiresAt.UTC().Format(time.RFC3339), minted.SessionID)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "the account `NAME` that it stands for")
	cmd.Flags().DurationVar(&lifetime, "for", 0, "how long it lives, such as 1h")
	cmd.Flags().StringVar(&name, "name", "latchkey token", "what lists call its `DEVICE`")
	return cmd
}
