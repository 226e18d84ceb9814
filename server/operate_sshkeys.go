package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/server/config"
	"latchkey/service/account"
	"latchkey/service/sshkey"
)

// ErrNoDatabase says that there is nothing to read yet.
var ErrNoDatabase = errors.New("no database yet: start the server once")

// AuthorizedKeys writes the keys that the account of that name may sign in with
// as lines for sshd's AuthorizedKeysCommand; only one if fingerprint is not
// empty. An unknown name, a disabled account and a guest have none. It takes no
// lock, needs no master key, changes nothing and asks the database once, because
// sshd waits for it.
func AuthorizedKeys(ctx context.Context, cfg config.Config, out io.Writer, name, fingerprint string) error {
	path := cfg.SQLitePath()
	if !exists(path) {
		return ErrNoDatabase
	}
	db, err := sqlstore.Open(path, sqlstore.Options{})
	if err != nil {
		return err
	}
	keys, roles, err := db.SSHKeys().SSHKeysByName(ctx, name, account.Fold(name), fingerprint)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("read SSH keys: %w", err)
	}
	if slices.Contains(roles, model.RoleGuest) {
		return nil
	}
	var lines strings.Builder
	for _, key := range keys {
		lines.WriteString(sshkey.AuthorizedLine(key, time.Now())) //nolint:forbidigo // a command of its own, with the real clock
	}
	_, err = io.WriteString(out, lines.String())
	return err
}

// RevokedKeys is a key revocation list of every SSH key that nobody may sign in
// with any more, in OpenSSH's form.
func (a *App) RevokedKeys(ctx context.Context) ([]byte, error) {
	return a.sshKeys.RevocationList(ctx)
}
