package server

import (
	"context"
	"errors"
	"log/slog"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/keyring"
	"latchkey/service/revocation"
	"latchkey/service/setting"
)

// What can be wrong with an operator's command.
var (
	// ErrNoAdmin says that nobody enabled holds the admin's role.
	ErrNoAdmin = errors.New("no admin is enabled: let one in again first, with latchkey user enable NAME")
	// ErrNoAccount says that nobody has the name.
	ErrNoAccount = errors.New("no such account")
	// ErrNoKey says that there is no token key with the id.
	ErrNoKey = errors.New("no such key: latchkey keys list shows them")
	// ErrKeySigns says that the key cannot be removed yet.
	ErrKeySigns = errors.New("this key signs new tokens: put another in its place first, with latchkey keys rotate")
)

// AdminToken is the static token, which has an admin's rights.
func (a *App) AdminToken() string { return a.Settings.Get(setting.KeyToken) }

// Admin is the account that the static token stands for: the first enabled
// admin. It fails with ErrNoAdmin.
func (a *App) Admin(ctx context.Context) (*access.Account, error) {
	admin, err := a.Accounts.First(ctx, model.RoleAdmin)
	if errors.Is(err, account.ErrUnknown) {
		return nil, ErrNoAdmin
	}
	return admin, err
}

// SetDisabled shuts the account that the name means out and ends its logins,
// or lets it in again, and returns how its name is spelt. It fails with
// ErrNoAccount.
func (a *App) SetDisabled(ctx context.Context, name string, disabled bool) (string, error) {
	return a.withAccount(ctx, name, func(found model.Account) error {
		return a.Accounts.SetDisabled(ctx, found.Key, disabled)
	})
}

// RotateKeys makes a new key sign tokens and returns its id.
func (a *App) RotateKeys(ctx context.Context) (string, error) {
	kid, err := a.Ring.Rotate(ctx)
	if err != nil {
		return "", err
	}
	a.hub.Publish(ctx, revocation.Notice{})
	return kid, a.audit.Record(ctx, audit.Event{Kind: audit.KeyRotated, Detail: []slog.Attr{slog.String("kid", kid)}})
}

// RemoveKey ends every token that an older key signed. It fails with ErrNoKey
// or ErrKeySigns.
func (a *App) RemoveKey(ctx context.Context, kid string) error {
	err := a.Ring.Remove(ctx, kid)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return ErrNoKey
	case errors.Is(err, keyring.ErrInUse):
		return ErrKeySigns
	case err != nil:
		return err
	}
	a.hub.Publish(ctx, revocation.Notice{})
	return a.audit.Record(ctx, audit.Event{Kind: audit.KeyRemoved, Detail: []slog.Attr{slog.String("kid", kid)}})
}
