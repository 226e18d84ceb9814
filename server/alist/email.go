package alist

import (
	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
)

// newEmail is the caller's new address; "" takes the present one away, which a
// field that is left out must not.
type newEmail struct {
	Email *string `json:"email"`
}

// Validate asks for the field.
func (n *newEmail) Validate() error {
	if n.Email == nil {
		return web.Required("email", "")
	}
	return nil
}

// SetEmail changes the caller's e-mail address (rulings 12).
func (a *API) SetEmail(c *gin.Context) error {
	var req newEmail
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Watch.ChangeEmail(ctx, access.From(ctx), *req.Email); err != nil {
		return err
	}
	return ok(c, nil)
}
