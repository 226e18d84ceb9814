package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/service/apikey"
)

const day = 24 * time.Hour

var (
	errKeyUser = errors.New("--user is missing: whose key is it?")
	errKeyName = errors.New("--name is missing: what is it for?")
	errKeyID   = errors.New("ID must be a positive whole number")
	errSpan    = errors.New("must be a span of time such as 90d or 12h")
)

func (c *commands) apikey() *cobra.Command {
	return group("apikey", "Make and look after API keys",
		c.listAPIKeys(), c.createAPIKey(), c.rotateAPIKey(), c.deleteAPIKey(), c.unusedAPIKeys())
}

func (c *commands) listAPIKeys() *cobra.Command {
	var user string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the API keys, without their text",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				list, err := app.ListAPIKeys(ctx, user)
				if err != nil {
					return err
				}
				return c.apiKeyTable(list)
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only the account `NAME`'s")
	return cmd
}

func (c *commands) unusedAPIKeys() *cobra.Command {
	return &cobra.Command{
		Use:   "unused",
		Short: "List the API keys that nobody used for 180 days, or as the setting apikey_unused_days says",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				list, err := app.UnusedAPIKeys(ctx)
				if err != nil {
					return err
				}
				return c.apiKeyTable(list)
			})
		},
	}
}

func (c *commands) apiKeyTable(list []server.APIKeyOf) error {
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tUSER\tNAME\tBEGINS\tSCOPES\tUSED\tEXPIRES\tREVOKED")
	for _, k := range list {
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, shown(k.Username), shown(k.Name), k.Prefix,
			shown(strings.ReplaceAll(k.Scopes, " ", ",")), moment(k.LastUsedAt.Time), moment(k.ExpiresAt.Time), shown(string(k.RevokedWhy)))
	}
	return table.Flush()
}

// moment is a time in a table, and "-" for none.
func moment(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}

func (c *commands) createAPIKey() *cobra.Command {
	var (
		user           string
		expires, learn string
		wanted         apikey.Wanted
	)
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an API key and print its text, alone on standard output",
		Long: `Make an API key and print its text, alone on standard output and this once:

  KEY=$(latchkey apikey create --user alice --name backup --scope me.read,session.read --expires 90d)

The scopes are ` + server.ScopeNames() + `.`,
		Args: noArgs,
	}
	flags := cmd.Flags()
	flags.StringVar(&user, "user", "", "the account called `NAME`, whose key it is")
	flags.StringVar(&wanted.Name, "name", "", "what the key is called, 1 to 64 characters")
	flags.StringSliceVar(&wanted.Scopes, "scope", nil, "what it may do: `SCOPES` with commas between, or the flag several times")
	flags.StringVar(&expires, "expires", "", "after which `TIME` it ends, such as 90d or 12h; empty: never")
	flags.BoolVar(&wanted.AllowQuery, "allow-query", false, "let it stand in URLs")
	flags.StringSliceVar(&wanted.AllowedIPs, "allowed-ips", nil, "the `ADDRESSES` and networks that it may come from; empty: any")
	flags.StringVar(&learn, "learn-for", "", "for how long it learns which scopes it needs: a `TIME` such as 1d")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case user == "":
			return misused(cmd, errKeyUser)
		case wanted.Name == "":
			return misused(cmd, errKeyName)
		}
		life, err := span("--expires", expires)
		if err != nil {
			return misused(cmd, err)
		}
		if wanted.LearnFor, err = span("--learn-for", learn); err != nil {
			return misused(cmd, err)
		}
		return c.attached(cmd, func(ctx context.Context, app *server.App) error {
			text, key, err := app.MakeAPIKey(ctx, user, wanted, life)
			if err != nil {
				return err
			}
			return c.tellAPIKey(text, fmt.Sprintf("API key %d of %s. It is not shown again.", key.ID, shown(key.Username)))
		})
	}
	return cmd
}

// tellAPIKey prints the text where a script takes it from, and the words beside.
func (c *commands) tellAPIKey(text, words string) error {
	_, err := fmt.Fprintln(c.s.Err, words)
	_, err2 := fmt.Fprintln(c.s.Out, text)
	return errors.Join(err, err2)
}

// span is a time such as 90d or 12h; empty is none.
func span(flag, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		d = time.Duration(min(n, math.MaxUint16)) * day
	}
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s %q: %w", flag, text, errSpan)
	}
	return d, nil
}

func (c *commands) rotateAPIKey() *cobra.Command {
	var overlap string
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Give an API key a new text and print it; --overlap lets the old one work on",
		Args:  oneArg,
	}
	cmd.Flags().StringVar(&overlap, "overlap", "", "for how long the old text works on: a `TIME` of at most 24h; empty: not at all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id, err := keyID(args[0])
		if err != nil {
			return misused(cmd, err)
		}
		longer, err := span("--overlap", overlap)
		if err != nil {
			return misused(cmd, err)
		}
		return c.attached(cmd, func(ctx context.Context, app *server.App) error {
			text, key, err := app.RotateAPIKey(ctx, id, longer)
			if err != nil {
				return fmt.Errorf("%d: %w", id, err)
			}
			return c.tellAPIKey(text, fmt.Sprintf("The new text of API key %d, %s of %s. It is not shown again.", id, shown(key.Name), shown(key.Username)))
		})
	}
	return cmd
}

func (c *commands) deleteAPIKey() *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID",
		Short: "Delete an API key: it is refused at once",
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := keyID(args[0])
			if err != nil {
				return misused(cmd, err)
			}
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				key, err := app.DeleteAPIKey(ctx, id)
				if err != nil {
					return fmt.Errorf("%d: %w", id, err)
				}
				_, err = fmt.Fprintf(c.s.Out, "API key %d, %s of %s, is gone.\n", id, shown(key.Name), shown(key.Username))
				return err
			})
		},
	}
}

func keyID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, fmt.Errorf("%q: %w", text, errKeyID)
	}
	return id, nil
}
