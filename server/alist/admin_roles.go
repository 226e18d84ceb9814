package alist

import (
	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
)

type roleRow struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Default     bool        `json:"default"`
	Scopes      []pathRight `json:"permission_scopes"` // never null
	Require2FA  bool        `json:"require_2fa"`       // ours
}

func (a *API) roleRowOf(r model.Role) roleRow {
	row := roleRow{
		ID: r.ID, Name: r.Name, Description: r.Description, Default: r.ID == a.svc.Admin.DefaultRole(),
		Scopes: make([]pathRight, len(r.Scopes)), Require2FA: r.RequireTwoFactor,
	}
	for i, s := range r.Scopes {
		row.Scopes[i] = pathRight(s)
	}
	return row
}

// Roles lists the roles (contract §5.24).
func (a *API) Roles(c *gin.Context) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	list, total, err := a.svc.Accounts.Roles(c.Request.Context(), number, size)
	if err != nil {
		return err
	}
	reply := page[roleRow]{Content: make([]roleRow, len(list)), Total: total}
	for i, r := range list {
		reply.Content[i] = a.roleRowOf(r)
	}
	return ok(c, reply)
}

// Role shows one role (contract §5.24).
func (a *API) Role(c *gin.Context) error {
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.svc.Accounts.Role(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return ok(c, a.roleRowOf(found))
}

// roleBody is what the frontend's form sends. Scopes and description are
// replaced as a whole; an absent default leaves the default role alone, and an
// absent require_2fa, which is ours, what the role requires.
type roleBody struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Scopes      []pathRight `json:"permission_scopes"`
	Default     bool        `json:"default"`
	Require2FA  *bool       `json:"require_2fa"`
}

// Validate asks for the name and for masks of 32 bits.
func (r *roleBody) Validate() error {
	if err := checkWishedID(r.ID); err != nil {
		return err
	}
	for _, s := range r.Scopes {
		if s.Path == "" || s.Permission < 0 || s.Permission > maxPermission {
			return web.ErrField.WithText(`each of "permission_scopes" needs a path and a 32-bit mask`)
		}
	}
	return web.Required("name", r.Name)
}

func (r *roleBody) scopes() model.ScopeList {
	list := make(model.ScopeList, len(r.Scopes))
	for i, s := range r.Scopes {
		list[i] = model.PathScope(s)
	}
	return list
}

// CreateRole adds a role (contract §5.25).
func (a *API) CreateRole(c *gin.Context) error {
	var req roleBody
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	role := model.Role{ID: req.ID, Name: req.Name, Description: req.Description, Scopes: req.scopes()}
	if req.Require2FA != nil {
		role.RequireTwoFactor = *req.Require2FA
	}
	if err := a.svc.Admin.CreateRole(c.Request.Context(), role, req.Default); err != nil {
		return err
	}
	return ok(c, nil)
}

// UpdateRole changes a role (contract §5.25).
func (a *API) UpdateRole(c *gin.Context) error {
	var req roleBody
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	scopes := req.scopes()
	edit := model.RoleEdit{Name: &req.Name, Description: &req.Description, Scopes: &scopes, RequireTwoFactor: req.Require2FA}
	if err := a.svc.Admin.EditRole(c.Request.Context(), req.ID, edit, req.Default); err != nil {
		return err
	}
	return ok(c, nil)
}

// factorRule is a role and whether it requires a second factor.
type factorRule struct {
	ID      int64 `json:"id"`
	Require *bool `json:"require"`
}

// Validate asks for the answer; a role without a number is unknown anyway.
func (r *factorRule) Validate() error {
	if r.Require == nil {
		return web.Required("require", "")
	}
	return nil
}

// RequireTwoFactor says whether a role, the admins' too, requires a second
// factor. AList has no such route.
func (a *API) RequireTwoFactor(c *gin.Context) error {
	var req factorRule
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	if err := a.svc.Accounts.RequireTwoFactor(c.Request.Context(), req.ID, *req.Require); err != nil {
		return err
	}
	return ok(c, nil)
}

// DeleteRole deletes a role that nobody has (contract §5.25).
func (a *API) DeleteRole(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	if err := a.svc.Admin.DeleteRole(c.Request.Context(), id); err != nil {
		return err
	}
	return ok(c, nil)
}
