package openid

import (
	"slices"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/access"
)

// scopeRow is a scope that an app can be allowed.
type scopeRow struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Declared    bool   `json:"declared"` // by the operator; else it is the server's own
}

// Scopes lists every scope that an app can be allowed.
func (a *API) Scopes(c *gin.Context) error {
	ctx := c.Request.Context()
	all, err := a.svc.Apps.Scopes(ctx)
	if err != nil {
		return err
	}
	declared, err := a.svc.Apps.Declared(ctx)
	if err != nil {
		return err
	}
	rows := make([]scopeRow, len(all))
	for i, t := range all {
		rows[i] = scopeRow{t.Name, t.Text, slices.ContainsFunc(declared, func(d model.OAuthScope) bool { return d.Name == t.Name })}
	}
	return ok(c, rows)
}

type declaration struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Validate asks for both.
func (d *declaration) Validate() error {
	if err := web.Required("name", d.Name); err != nil {
		return err
	}
	return web.Required("description", d.Description)
}

// DeclareScope adds a scope, or describes one in other words.
func (a *API) DeclareScope(c *gin.Context) error {
	var req declaration
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Admin.DeclareScope(ctx, access.From(ctx), req.Name, req.Description); err != nil {
		return err
	}
	return ok(c, nil)
}

// WithdrawScope deletes a declared scope that no app may ask for.
func (a *API) WithdrawScope(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	name, err := web.Text(c, "name")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Admin.WithdrawScope(ctx, access.From(ctx), name); err != nil {
		return err
	}
	return ok(c, nil)
}
