package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/service/client"
)

// errNoChange says that a command would change nothing.
var errNoChange = errors.New("say with a flag what to change")

// withoutEmpty is a list of which "" takes nothing: --scope "" means none.
func withoutEmpty(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(text string) bool { return text == "" })
}

func (c *commands) switchApp(use, short string, off bool) *cobra.Command {
	return c.onApp(use, short, func(ctx context.Context, app *server.App, id string) error {
		changed, err := app.Apps.Update(ctx, id, client.Edit{Disabled: &off})
		if err != nil {
			return err
		}
		text := "%s is on.\n"
		if off {
			text = "%s is off. All that it was given is over.\n"
		}
		_, err = fmt.Fprintf(c.s.Out, text, shown(changed.Name))
		return err
	})
}

func (c *commands) deleteApp(ctx context.Context, app *server.App, id string) error {
	if err := app.Apps.Delete(ctx, id); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.s.Out, "%s is deleted. All that it was given is over.\n", id)
	return err
}

func (c *commands) rotateAppSecret() *cobra.Command {
	var (
		overlap time.Duration
		given   bool
	)
	cmd := &cobra.Command{
		Use:   "rotate-secret CLIENT_ID",
		Short: "Give a confidential app another secret and print it, alone",
		Args:  oneArg,
	}
	cmd.Flags().DurationVar(&overlap, "overlap", 0, "how long the old secret counts, up to 24h; without it no earlier secret does")
	cmd.Flags().BoolVar(&given, "secret-stdin", false, "read the secret from standard input, instead of making one; it is not printed")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		supplied, err := c.suppliedSecret(given)
		if err != nil {
			return err
		}
		return c.attached(cmd, func(ctx context.Context, app *server.App) error {
			text, err := app.Apps.Rotate(ctx, args[0], supplied, overlap)
			if err != nil {
				return fmt.Errorf("%q: %w", args[0], err)
			}
			if given {
				return nil
			}
			_, err = fmt.Fprintln(c.s.Out, text)
			return err
		})
	}
	return cmd
}

func (c *commands) scope() *cobra.Command {
	return group(
		"scope", "Look after the scopes of the programs behind this server",
		&cobra.Command{
			Use:   "list",
			Short: "List every scope that an app can be allowed",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listScopes) },
		},
		&cobra.Command{
			Use:   "declare SCOPE DESCRIPTION",
			Short: "Declare a scope, or describe it in other words",
			Args:  twoArgs,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					if err := app.Apps.Declare(ctx, args[0], args[1]); err != nil {
						return fmt.Errorf("%q: %w", args[0], err)
					}
					_, err := fmt.Fprintf(c.s.Out, "%s is declared.\n", args[0])
					return err
				})
			},
		},
		c.onApp("withdraw SCOPE", "Withdraw a declared scope that no app may ask for", func(ctx context.Context, app *server.App, name string) error {
			if err := app.Apps.Withdraw(ctx, name); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.s.Out, "%s is withdrawn.\n", name)
			return err
		}),
	)
}

func (c *commands) listScopes(ctx context.Context, app *server.App) error {
	all, err := app.Apps.Scopes(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SCOPE\tMEANS")
	for _, s := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", s.Name, shown(s.Text))
	}
	return table.Flush()
}
