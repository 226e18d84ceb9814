package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/model"
	"latchkey/server"
	"latchkey/service/keyring"
)

func (c *commands) keys() *cobra.Command {
	return group(
		"keys", "Look after the keys that sign tokens and seal secrets",
		&cobra.Command{
			Use:   "list",
			Short: "List the keys and what each is used for",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listKeys) },
		},
		&cobra.Command{
			Use:   "rotate",
			Short: "Sign and seal with new keys; tokens of the older ones go on working",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.rotateKeys) },
		},
		&cobra.Command{
			Use:   "remove KID",
			Short: "Remove an older key: every token that it signed is refused at once",
			Args:  oneArg,
			RunE: func(cmd *cobra.Command, args []string) error {
				return c.attached(cmd, func(ctx context.Context, app *server.App) error {
					signed := "login"
					if isIDKey(app.Ring.List(), args[0]) {
						signed = "id_token"
					}
					if err := app.RemoveKey(ctx, args[0]); err != nil {
						return fmt.Errorf("%q: %w", args[0], err)
					}
					_, err := fmt.Fprintf(c.s.Out, "Key %s is gone, and so is every %s it signed.\n", args[0], signed)
					return err
				})
			},
		},
		&cobra.Command{
			Use:   "change-master",
			Short: "Put another master key in the place of the one that the keys are sealed under",
			Long: `Seal the keys under another master key, while no server runs.

Where the master key lies in the data folder, master.key is replaced: by a fresh
key, or by the one in LATCHKEY_NEW_MASTER_KEY. Where it comes from
LATCHKEY_MASTER_KEY, LATCHKEY_NEW_MASTER_KEY says the new one, which you then
put in the place of the old.`,
			Args: noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.changeMaster) },
		},
	)
}

func isIDKey(keys []keyring.Info, id string) bool {
	return slices.ContainsFunc(keys, func(k keyring.Info) bool { return k.ID == id && k.Purpose == model.KeyIDToken })
}

func (c *commands) rotateKeys(ctx context.Context, app *server.App) error {
	r, err := app.RotateKeys(ctx)
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "New signing key %s; older tokens stay valid.\n", r.Token)
	fmt.Fprintf(&text, "%s re-sealed under %s", counted(r.Resealed, "secret"), r.Seal)
	if len(r.Seals) > 0 {
		fmt.Fprintf(&text, "; sealing %s removed", keyNames(r.Seals))
	}
	text.WriteString(".\n")
	if r.IDToken != "" {
		fmt.Fprintf(&text, "New key of id_tokens %s; apps find it by themselves.\n", r.IDToken)
	}
	if gone := slices.Concat(r.Tokens, r.IDTokens); len(gone) > 0 {
		fmt.Fprintf(&text, "Signing %s removed: the last token has expired.\n", keyNames(gone))
	}
	for _, where := range r.Closed {
		fmt.Fprintf(&text, "A sealed value does not open, and stays as it is: %s\n", where)
	}
	_, err = fmt.Fprint(c.s.Out, text.String())
	return err
}

// keyNames is "key ID" or "keys ID, ID".
func keyNames(ids []string) string {
	if len(ids) == 1 {
		return "key " + ids[0]
	}
	return "keys " + strings.Join(ids, ", ")
}

// counted is "1 secret" or "1,204 secrets".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + what
}

func (c *commands) changeMaster(ctx context.Context, app *server.App) error {
	inFile, err := app.ChangeMaster(ctx)
	if err != nil {
		return err
	}
	text := `The keys are sealed under a new master key, and master.key holds it.
Back it up: the old one opens older backups only.
`
	if !inFile {
		text = `The keys are sealed under the new master key.
Put it into LATCHKEY_MASTER_KEY before you start the server: the old one opens older backups only.
`
	}
	_, err = fmt.Fprint(c.s.Out, text)
	return err
}

func (c *commands) listKeys(ctx context.Context, app *server.App) error {
	all, err := app.Keys(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KID\tPURPOSE\tCREATED\tSTATE")
	for _, key := range all {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, key.Purpose, key.CreatedAt.Format(time.RFC3339), keyState(key))
	}
	return table.Flush()
}

func keyState(key server.KeyView) string {
	switch {
	case key.Purpose == model.KeyDevice:
		return "names devices"
	case key.Purpose == model.KeySeal && key.Newest:
		return "seals"
	case key.Purpose == model.KeySeal:
		return "opens"
	case key.Newest && key.Purpose == model.KeyIDToken:
		return "signs id_tokens"
	case key.Newest:
		return "signs"
	case key.Until.IsZero():
		return "verifies until the next rotation"
	}
	return "verifies until " + key.Until.Format(time.RFC3339)
}
