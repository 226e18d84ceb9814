package server

import (
	"context"
	"errors"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/setting"
)

// What can be wrong with an operator's command.
var (
	// ErrNoAdmin says that nobody enabled holds the admin's role.
	ErrNoAdmin = errors.New("no admin is enabled: let one in again first, with latchkey user enable NAME")
	// ErrNoAccount says that nobody has the name.
	ErrNoAccount = errors.New("no such account")
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
