package alist

import (
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/service/access"
)

// recoveryCodes are shown this once.
type recoveryCodes struct {
	Codes []string `json:"codes"`
}

// RenewRecoveryCodes makes the caller's recovery codes anew.
func (a *API) RenewRecoveryCodes(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	codes, err := a.svc.Factors.RenewRecoveryCodes(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	return ok(c, recoveryCodes{Codes: codes})
}

// DisableTwoFactor takes the caller's second factor away.
func (a *API) DisableTwoFactor(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Factors.Disable(ctx, access.From(ctx)); err != nil {
		return err
	}
	return ok(c, nil)
}

// factorStatus is what the owner may know of their second factor.
type factorStatus struct {
	Enabled        bool       `json:"enabled"`
	EnrolledAt     *time.Time `json:"enrolled_at"` // null while there is none
	CodesLeft      int        `json:"recovery_codes_left"`
	CodesCreatedAt *time.Time `json:"recovery_codes_created_at"` // null if there are none
}

// TwoFactorStatus says whether the caller has a second factor, and how many
// recovery codes are left.
func (a *API) TwoFactorStatus(c *gin.Context) error {
	ctx := c.Request.Context()
	is, err := a.svc.Factors.Status(ctx, access.From(ctx))
	if err != nil {
		return err
	}
	return ok(c, factorStatus{
		Enabled: is.Enabled, EnrolledAt: timeOrNull(is.EnrolledAt),
		CodesLeft: is.CodesLeft, CodesCreatedAt: timeOrNull(is.CodesCreatedAt),
	})
}

func timeOrNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
