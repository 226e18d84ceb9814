package server

import (
	"context"

	"latchkey/model"
)

// Roles lists the roles by id.
func (a *App) Roles(ctx context.Context) ([]model.Role, error) { return all(ctx, a.Accounts.Roles) }

// RequireTwoFactor says whether those who hold the role of that name, which
// may be the admins', must have a second factor, and returns how the role is
// called. It fails with ErrNoRole.
func (a *App) RequireTwoFactor(ctx context.Context, name string, required bool) (string, error) {
	ids, err := a.roleIDs(ctx, []string{name})
	if err != nil {
		return "", err
	}
	role, err := a.Accounts.Role(ctx, ids[0])
	if err != nil {
		return "", err
	}
	return role.Name, a.Accounts.RequireTwoFactor(ctx, role.ID, required)
}
