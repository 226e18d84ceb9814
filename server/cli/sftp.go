package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"latchkey/server"
)

func (c *commands) sftp() *cobra.Command {
	return group("sftp", "Look after the SFTP door", &cobra.Command{
		Use:   "fingerprints",
		Short: "Show the fingerprints that SSH clients ask about at their first connection",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.attached(cmd, func(_ context.Context, app *server.App) error {
				keys, err := app.HostKeys()
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
				for _, key := range keys {
					_, _ = fmt.Fprintf(table, "%s\t%s\n", key.Signer.PublicKey().Type(), key.Fingerprint())
				}
				return table.Flush()
			})
		},
	})
}
