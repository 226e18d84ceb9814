package alist

import (
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/login"
	"latchkey/service/profile"
)

// reauth is what a caller shows to be fresh again.
type reauth struct {
	Password string   `json:"password"`
	Hashed   bool     `json:"hashed"` // the password is the static hash (contract §5.2)
	OTPCode  web.Code `json:"otp_code"`
}

// Validate asks for a password.
func (r *reauth) Validate() error { return web.Required("password", r.Password) }

type freshness struct {
	FreshUntil time.Time `json:"fresh_until"`
}

// Reauthenticate makes the caller's login fresh (security.md, step-up).
func (a *API) Reauthenticate(c *gin.Context) error {
	var req reauth
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	until, err := a.svc.Login.Reauthenticate(ctx, access.From(ctx), login.Proof{
		Password: req.Password, Hashed: req.Hashed, Code: string(req.OTPCode),
	})
	if err != nil {
		return err
	}
	return ok(c, freshness{FreshUntil: until.UTC()})
}

// ownPassword is a new password and what speaks for it.
type ownPassword struct {
	Old         string   `json:"old_password"`
	New         string   `json:"new_password"`
	OTPCode     web.Code `json:"otp_code"`
	KeepCurrent *bool    `json:"keep_current"` // absent is true
}

// Validate asks for the new password.
func (o *ownPassword) Validate() error { return web.Required("new_password", o.New) }

// passwordChanged is what a new password did not end.
type passwordChanged struct {
	APIKeys int64 `json:"api_keys"` // that live on
}

// ChangePassword changes the caller's password (rulings 20).
func (a *API) ChangePassword(c *gin.Context) error {
	var req ownPassword
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	keys, err := a.svc.Profile.ChangePassword(ctx, access.From(ctx), profile.PasswordChange{
		Old: req.Old, New: req.New, Code: string(req.OTPCode), KeepCurrent: req.KeepCurrent == nil || *req.KeepCurrent,
	})
	if err != nil {
		return err
	}
	return ok(c, passwordChanged{APIKeys: keys})
}

type evictedOthers struct {
	Ended  int64 `json:"ended"`  // devices, the caller's own not among them
	Logins int64 `json:"logins"` // on these and on the caller's own
}

// EvictOthers ends every login of the account but the caller's.
func (a *API) EvictOthers(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	ended, err := a.svc.Sessions.EvictOthers(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	return ok(c, evictedOthers{Ended: ended.Devices, Logins: ended.Logins})
}
