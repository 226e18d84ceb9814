package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) setting() *cobra.Command {
	return group(
		"setting", "Look at and change what an admin can set",
		&cobra.Command{
			Use:   "list",
			Short: "List the settings; secrets are not shown",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listSettings) },
		},
		&cobra.Command{
			Use:   "get KEY",
			Short: "Print a setting, whatever it holds",
			Args:  oneArg,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					value, err := app.SettingValue(ctx, args[0])
					if err != nil {
						return fmt.Errorf("%q: %w", args[0], err)
					}
					_, err = fmt.Fprintln(c.s.Out, value)
					return err
				})
			},
		},
		&cobra.Command{
			Use:   "set KEY VALUE",
			Short: "Change a setting; a running server has it at once",
			Args:  twoArgs,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					if err := app.SetSetting(ctx, args[0], args[1]); err != nil {
						return fmt.Errorf("%q: %w", args[0], err)
					}
					_, err := fmt.Fprintf(c.s.Out, "%s is changed.\n", args[0])
					return err
				})
			},
		},
	)
}

// twoArgs takes exactly what the command's use line names.
func twoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 2 {
		return fmt.Errorf("%q is too much: a value with blanks goes into quotes", args[2])
	}
	return moreArgs(cmd, args)
}

func (c *commands) listSettings(ctx context.Context, app *server.App) error {
	views, err := app.SettingValues(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KEY\tVALUE")
	for _, v := range views {
		value := shown(v.Value)
		if v.Secret {
			value = "(secret)"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", v.Key, value)
	}
	return table.Flush()
}
