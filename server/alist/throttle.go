package alist

import (
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/account"
)

// throttledRow is an account or an address whose sign-ins are refused.
type throttledRow struct {
	Kind         string    `json:"kind"`
	UserID       int64     `json:"user_id"`  // 0 for an address
	Username     string    `json:"username"` // empty for an address
	Address      string    `json:"address"`  // empty for an account
	BlockedUntil time.Time `json:"blocked_until"`
	Failures     int       `json:"failures"`
}

// Throttled lists whose sign-ins are refused now (rulings 26).
func (a *API) Throttled(c *gin.Context) error {
	list, err := a.svc.Admin.Throttled(c.Request.Context())
	if err != nil {
		return err
	}
	rows := make([]throttledRow, len(list))
	for i, t := range list {
		rows[i] = throttledRow{
			Kind: string(t.Kind), UserID: t.AccountID, Username: t.Username, Address: t.Address,
			BlockedUntil: t.BlockedUntil, Failures: t.Failures,
		}
	}
	return ok(c, rows)
}

// lifting names what to lift: an account or an address.
type lifting struct {
	Username string `json:"username"`
	Address  string `json:"address"`
}

// Validate takes one of the two.
func (l *lifting) Validate() error {
	if (l.Username == "") == (l.Address == "") {
		return web.ErrField.WithText(`one of the fields "username" and "address" is required`)
	}
	return nil
}

// Lift lets an account or an address try again (rulings 26).
func (a *API) Lift(c *gin.Context) error {
	var req lifting
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if req.Address != "" {
		if err := a.svc.Admin.LiftAddress(ctx, req.Address); err != nil {
			return err
		}
		return ok(c, nil)
	}
	err := a.svc.Admin.LiftAccount(ctx, req.Username)
	if errors.Is(err, account.ErrUnknown) {
		return ErrNoUser
	}
	if err != nil {
		return err
	}
	return ok(c, nil)
}

// LiftMine lets the caller's account be tried again from anywhere (rulings 26).
func (a *API) LiftMine(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Profile.LiftThrottle(ctx, access.From(ctx)); err != nil {
		return err
	}
	return ok(c, nil)
}
