package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) user() *cobra.Command {
	return group(
		"user", "Look after accounts",
		&cobra.Command{
			Use:   "list",
			Short: "List the accounts",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listUsers) },
		},
		c.addUser(),
		c.named("set-role NAME ROLE…", "Give an account these roles in place of those it has",
			"%s has the roles it was given.\n", (*server.App).SetRoles),
		c.setUserPassword(),
		c.setEmail(),
		c.named("cancel-2fa NAME", "Take an account's second factor off and end its logins",
			"%s signs in without a code.\n", simple((*server.App).CancelTwoFactor)),
		c.switchUser("disable NAME", "Shut an account out and end its logins", true),
		c.switchUser("enable NAME", "Let an account in again; it has to sign in anew", false),
		c.named("delete NAME", "Delete an account and all that hangs on it",
			"%s is deleted.\n", simple((*server.App).DeletePerson)),
	)
}

// listUsers prints the accounts by id.
func (c *commands) listUsers(ctx context.Context, app *server.App) error {
	people, err := app.People(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tNAME\tROLES\tSTATE")
	for _, p := range people {
		state := "enabled"
		if p.Disabled {
			state = "disabled"
		}
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", p.ID, shown(p.Name), shown(strings.Join(p.Roles, ",")), state)
	}
	return table.Flush()
}

func (c *commands) addUser() *cobra.Command {
	var roles []string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an account with a random password, which is printed",
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				plain := app.RandomPassword()
				made, err := app.AddPerson(ctx, args[0], plain, roles)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.s.Out, "name      %s\npassword  %s\n", made.Username, plain)
				return err
			})
		},
	}
	cmd.Flags().StringArrayVar(&roles, "role", nil, "role called `NAME` that it has, also admin; may be given more than once; without it the default role")
	return cmd
}

// act does something to the account of that name and returns how it is spelt.
type act func(app *server.App, ctx context.Context, name string, more []string) (string, error)

// simple is an act that takes the name alone.
func simple(do func(app *server.App, ctx context.Context, name string) (string, error)) act {
	return func(app *server.App, ctx context.Context, name string, _ []string) (string, error) {
		return do(app, ctx, name)
	}
}

// named is a command that does something to the account whose name it is
// given, and says so in a text that takes the name.
func (c *commands) named(use, short, text string, do act) *cobra.Command {
	args := oneArg
	if strings.HasSuffix(use, "…") {
		args = moreArgs
	}
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  args,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				name, err := do(app, ctx, args[0], args[1:])
				if err != nil {
					return fmt.Errorf("%q: %w", args[0], err)
				}
				_, err = fmt.Fprintf(c.s.Out, text, name)
				return err
			})
		},
	}
}

// moreArgs takes a name and at least one thing more.
func moreArgs(cmd *cobra.Command, args []string) error {
	words := strings.Fields(cmd.Use)[1:]
	if len(args) < len(words) {
		return errors.New(strings.TrimSuffix(words[len(args)], "…") + " is missing")
	}
	return nil
}

func (c *commands) setUserPassword() *cobra.Command {
	return &cobra.Command{
		Use:   "set-password NAME",
		Short: "Set an account's password, read from standard input, and end its logins",
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			plain, err := c.readPassword()
			if err != nil {
				return err
			}
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				name, err := app.SetPassword(ctx, args[0], plain)
				if err != nil {
					return fmt.Errorf("%q: %w", args[0], err)
				}
				_, err = fmt.Fprintf(c.s.Out, "The password of %s is changed. All of their logins are over.\n", name)
				return err
			})
		},
	}
}

func (c *commands) switchUser(use, short string, off bool) *cobra.Command {
	text := "%s can sign in again.\n"
	if off {
		text = "%s is shut out, and all of their logins are over.\n"
	}
	return c.named(use, short, text, func(app *server.App, ctx context.Context, name string, _ []string) (string, error) {
		return app.SetDisabled(ctx, name, off)
	})
}
