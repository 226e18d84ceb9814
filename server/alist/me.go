package alist

import (
	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/profile"
)

// me is the caller, in AList's order of keys.
type me struct {
	ID          int64       `json:"id"`
	Username    string      `json:"username"`
	Password    string      `json:"password"` // always empty
	BasePath    string      `json:"base_path"`
	Role        []int64     `json:"role"` // never null: frontends call methods on it
	Disabled    bool        `json:"disabled"`
	Permission  int64       `json:"permission"`
	SSOID       string      `json:"sso_id"`
	OTP         bool        `json:"otp"`
	RoleNames   []string    `json:"role_names"`
	Permissions []pathRight `json:"permissions"`

	MustEnableTwoFactor bool   `json:"must_enable_2fa"` // ours: little else is allowed until then
	Email               string `json:"email"`           // empty: none
	EmailVerified       bool   `json:"email_verified"`
}

type pathRight struct {
	Path       string `json:"path"`
	Permission int64  `json:"permission"`
}

// Me says who is calling (contract §5.8).
func (*API) Me(c *gin.Context) error {
	by := access.From(c.Request.Context())
	a := by.Account
	reply := me{
		ID: a.ID, Username: a.Username, BasePath: a.BasePath, Role: a.RoleIDs, Disabled: a.Disabled,
		Permission: a.Permission, SSOID: a.SSOID, OTP: a.TwoFactor, RoleNames: a.RoleNames,
		Permissions: make([]pathRight, len(a.Permissions)), MustEnableTwoFactor: by.MustEnrol(),
		Email: a.Email, EmailVerified: a.EmailVerified,
	}
	for i, p := range a.Permissions {
		reply.Permissions[i] = pathRight(p)
	}
	return ok(c, reply)
}

// ownChange is what the profile form sends; whatever else is in the body, such
// as roles and rights, is not the caller's to change and is ignored.
type ownChange struct {
	Username string `json:"username"`
	Password string `json:"password"`
	SSOID    string `json:"sso_id"`
}

// Validate asks for the name, which the form always sends.
func (o *ownChange) Validate() error { return web.Required("username", o.Username) }

// UpdateMe changes the caller's name, password and SSO id (contract §5.9).
func (a *API) UpdateMe(c *gin.Context) error {
	var req ownChange
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Profile.Update(ctx, access.From(ctx), profile.Change(req)); err != nil {
		return err
	}
	return ok(c, nil)
}
