package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"latchkey/server"
)

// authorizedKeys is what sshd runs as its AuthorizedKeysCommand.
func (c *commands) authorizedKeys() *cobra.Command {
	return &cobra.Command{
		Use:   "authorized-keys USER [FINGERPRINT]",
		Short: "Print an account's SSH keys for sshd's AuthorizedKeysCommand",
		Long: `Print the SSH keys that an account may sign in with, with their limits written
out, one a line. In sshd_config:

  AuthorizedKeysCommand /usr/local/bin/latchkey authorized-keys --data /var/lib/latchkey %u %f
  AuthorizedKeysCommandUser latchkey

Keys that are suspended, have expired or are confined to a folder are left out.`,
		Args: oneOrTwo,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.load(cmd)
			if err != nil {
				return err
			}
			fingerprint := ""
			if len(args) > 1 {
				fingerprint = args[1]
			}
			return server.AuthorizedKeys(cmd.Context(), cfg, c.s.Out, args[0], fingerprint)
		},
	}
}

// oneOrTwo takes a name and perhaps a fingerprint.
func oneOrTwo(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("USER is missing")
	case len(args) > 2:
		return fmt.Errorf("%q is too much: a name and a fingerprint are enough", args[2])
	}
	return nil
}

// revokedKeys writes a list for sshd's RevokedKeys.
func (c *commands) revokedKeys() *cobra.Command {
	return &cobra.Command{
		Use:   "revoked-keys FILE",
		Short: "Write a key revocation list (KRL) of deleted and suspended SSH keys for sshd's RevokedKeys",
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				list, err := app.RevokedKeys(ctx)
				if err != nil {
					return err
				}
				if err := replaceFile(args[0], list); err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.s.Out, "Wrote %s.\n", args[0])
				return err
			})
		},
	}
}

// replaceFile puts a new file in the place of the old one at once: sshd refuses
// every key while its list cannot be read.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".revoked-keys-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = f.Write(data)
	const readable = 0o644 // there is nothing secret in it, and sshd must read it
	err = errors.Join(err, f.Chmod(readable), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
	}
	return nil
}
