package alist

import (
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
	"latchkey/service/sshkey"
)

// keyLimits is what an SSH key may be used for; absent fields stay as they are.
type keyLimits struct {
	ExpiresAt  *string   `json:"expires_at"`  // RFC 3339; empty: never
	AllowedIPs *[]string `json:"allowed_ips"` // addresses and networks; empty: any
	ReadOnly   *bool     `json:"read_only"`
	Path       *string   `json:"path"` // empty: not confined further

	expiresAt time.Time
}

// read checks what the fields look like.
func (k *keyLimits) read() error {
	if k.ExpiresAt == nil || *k.ExpiresAt == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, *k.ExpiresAt)
	if err != nil {
		return sshkey.ErrExpiry.WithText("expires_at must be an RFC 3339 time, such as 2027-01-31T12:00:00Z")
	}
	k.expiresAt = at
	return nil
}

// change is the old limits with what was sent.
func (k *keyLimits) change(l sshkey.Limits) sshkey.Limits {
	if k.ExpiresAt != nil {
		l.ExpiresAt = k.expiresAt
	}
	if k.AllowedIPs != nil {
		l.AllowedIPs = *k.AllowedIPs
	}
	if k.ReadOnly != nil {
		l.ReadOnly = *k.ReadOnly
	}
	if k.Path != nil {
		l.Path = *k.Path
	}
	return l
}

// invalidKey keeps what is wrong with limits, which AList has not; whatever
// else is invalid has AList's one text.
func invalidKey(err error) error {
	if fault.Of(err).Is(sshkey.ErrExpiry) {
		return err
	}
	return invalidAs(err, ErrKeyRequest)
}

// sshKeyEdit names a key and what to change of it.
type sshKeyEdit struct {
	ID    int64   `json:"id"`
	Title *string `json:"title"`
	keyLimits
}

// Validate asks for the id.
func (e *sshKeyEdit) Validate() error {
	if e.ID <= 0 {
		return ErrKeyID
	}
	return e.read()
}

// UpdateSSHKey changes the title or the limits of one of the caller's keys.
func (a *API) UpdateSSHKey(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	var req sshKeyEdit
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	edit := sshkey.Edit{Title: req.Title, Limits: req.change}
	if err := a.svc.Profile.UpdateSSHKey(c.Request.Context(), by, req.ID, edit); err != nil {
		return err
	}
	return ok(c, nil)
}

// LiftSSHKey lets one of the caller's suspended keys sign in again.
func (a *API) LiftSSHKey(c *gin.Context) error { return onSSHKey(c, a.svc.Profile.LiftSSHKey) }
