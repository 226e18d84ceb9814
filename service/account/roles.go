package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/revocation"
)

// What can be wrong with a role.
var (
	// ErrNoRole says that there is no such role.
	ErrNoRole = fault.New(fault.NotFound, "role_unknown", "failed get role: record not found")
	// ErrRoleName says that a role needs a name.
	ErrRoleName = fault.New(fault.Invalid, "role_name", "role name must be 1 to 64 printable characters without slashes or blanks at its ends")
	// ErrRoleTaken says that another role has the name.
	ErrRoleTaken = fault.New(fault.Invalid, "role_taken", "role name already exists")
	// ErrRoleFixed says that the roles of admins and guests stay as they are.
	ErrRoleFixed = fault.New(fault.Forbidden, "role_fixed", "cannot modify admin role")
	// ErrRoleHeld says that accounts still hold the role.
	ErrRoleHeld = fault.New(fault.Invalid, "role_held", "cannot delete a role that users still have")
)

// Role finds a role. It fails with ErrNoRole.
func (s *Service) Role(ctx context.Context, id int64) (model.Role, error) {
	r, err := s.store.Role(ctx, id)
	if errors.Is(err, model.ErrNotFound) {
		return r, ErrNoRole
	}
	if err != nil {
		return r, fmt.Errorf("find role: %w", err)
	}
	return r, nil
}

// Roles lists roles by id, and how many there are in all. A size below 1 means
// 1000, which is also the most.
func (s *Service) Roles(ctx context.Context, number, size int) ([]model.Role, int64, error) {
	offset, limit := window(number, size)
	rows, total, err := s.store.RolePage(ctx, offset, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list roles: %w", err)
	}
	return rows, total, nil
}

// AddRole adds a role, with an id of its own unless r has one. It fails with
// ErrRoleName, ErrRoleTaken or ErrIDTaken.
func (s *Service) AddRole(ctx context.Context, r model.Role) (model.Role, error) {
	if CheckName(r.Name) != nil {
		return r, ErrRoleName
	}
	r.Scopes = cleanScopes(r.Scopes)
	made, err := s.store.CreateRole(ctx, r)
	if errors.Is(err, model.ErrConflict) {
		if held, err := s.store.Role(ctx, r.ID); r.ID != 0 && err == nil && held.Name != r.Name {
			return r, ErrIDTaken
		}
		return r, ErrRoleTaken
	}
	if err != nil {
		return r, fmt.Errorf("create role: %w", err)
	}
	return made, s.audit.Record(ctx, roleChanged(made.ID))
}

// EditRole changes a role; those who hold it feel it at once. The guest role
// keeps its name. It fails with ErrNoRole, ErrRoleName, ErrRoleTaken or, for the
// admin role, ErrRoleFixed.
func (s *Service) EditRole(ctx context.Context, id int64, e model.RoleEdit) error {
	old, err := s.Role(ctx, id)
	switch {
	case err != nil:
		return err
	case id == model.RoleAdmin:
		return ErrRoleFixed
	case id == model.RoleGuest, e.Name != nil && *e.Name == old.Name: // an imported name need not be as new ones must
		e.Name = nil
	case e.Name != nil && CheckName(*e.Name) != nil:
		return ErrRoleName
	}
	if e.Scopes != nil {
		clean := cleanScopes(*e.Scopes)
		e.Scopes = &clean
	}
	if err := s.store.EditRole(ctx, id, e); err != nil {
		if errors.Is(err, model.ErrConflict) {
			return ErrRoleTaken
		}
		return s.roleFailure(err)
	}
	return s.roleChanged(ctx, id)
}

// RequireTwoFactor says whether those who hold the role, which may be that of
// admins, must have a second factor. Who has none can from then on do nothing
// but enrol one; no login ends. It fails with ErrNoRole, or access.ErrFirstParty for
// delegated callers.
func (s *Service) RequireTwoFactor(ctx context.Context, id int64, required bool) error {
	if err := access.From(ctx).CheckOwner(); err != nil {
		return err
	}
	if err := s.store.EditRole(ctx, id, model.RoleEdit{RequireTwoFactor: &required}); err != nil {
		return s.roleFailure(err)
	}
	s.hub.Publish(ctx, revocation.Notice{})
	e := roleChanged(id)
	e.Detail = append(e.Detail, slog.Bool("require_2fa", required))
	return s.audit.Record(ctx, e)
}

// DeleteRole deletes a role that nobody holds. It fails with ErrNoRole,
// ErrRoleHeld or, for the roles of admins and guests, ErrRoleFixed.
func (s *Service) DeleteRole(ctx context.Context, id int64) error {
	if id == model.RoleAdmin || id == model.RoleGuest {
		return ErrRoleFixed
	}
	if err := s.store.DeleteRole(ctx, id); err != nil {
		if errors.Is(err, model.ErrLimit) {
			return ErrRoleHeld
		}
		return s.roleFailure(err)
	}
	return s.roleChanged(ctx, id)
}

func (*Service) roleFailure(err error) error {
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoRole
	}
	return fmt.Errorf("change role: %w", err)
}

// roleChanged makes every account be read again: any of them may hold the role.
func (s *Service) roleChanged(ctx context.Context, id int64) error {
	s.hub.Publish(ctx, revocation.Notice{})
	return s.audit.Record(ctx, roleChanged(id))
}

func roleChanged(id int64) audit.Event {
	return audit.Event{Kind: audit.RoleChanged, Detail: []slog.Attr{slog.Int64("role_id", id)}}
}

func cleanScopes(scopes model.ScopeList) model.ScopeList {
	clean := make(model.ScopeList, len(scopes))
	for i, scope := range scopes {
		clean[i] = model.PathScope{Path: cleanPath(scope.Path), Permission: scope.Permission}
	}
	return clean
}
