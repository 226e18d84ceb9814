package alist

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/sshkey"
)

// What the SSH key routes refuse.
var (
	// ErrGuestKeys says that guests have no keys.
	ErrGuestKeys = fault.New(fault.Unauthenticated, "ssh_key_guest", "user invalid")
	// ErrKeyRequest says that title or key is missing.
	ErrKeyRequest = fault.New(fault.Invalid, "ssh_key_request", "request invalid")
	// ErrKeyID says that the id is none.
	ErrKeyID = fault.New(fault.Invalid, "ssh_key_id", "id format invalid")
)

type sshKeyRow struct {
	ID          int64     `json:"id"`
	Title       string    `json:"title"`
	Fingerprint string    `json:"fingerprint"`
	AddedAt     time.Time `json:"added_time"`
	LastUsedAt  time.Time `json:"last_used_time"` // added_time until the key is first used

	ExpiresAt  *time.Time `json:"expires_at"`  // null: never
	AllowedIPs []string   `json:"allowed_ips"` // networks; empty: any
	ReadOnly   bool       `json:"read_only"`
	Path       string     `json:"path"`      // empty: not confined further
	Verified   bool       `json:"verified"`  // it has proved itself
	Suspended  bool       `json:"suspended"` // its device was evicted
	Advice     []string   `json:"advice"`    // sentences for its owner
}

// SSHKeys lists the caller's keys (contract §5.12).
func (a *API) SSHKeys(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	return a.listSSHKeys(c, by.Account.Key)
}

func (a *API) listSSHKeys(c *gin.Context, accountKey string) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	list, total, err := a.svc.SSHKeys.List(c.Request.Context(), accountKey, number, size)
	if err != nil {
		return err
	}
	reply := page[sshKeyRow]{Content: make([]sshKeyRow, len(list)), Total: total}
	for i, key := range list {
		reply.Content[i] = a.sshKeyRowOf(key)
	}
	return ok(c, reply)
}

func (a *API) sshKeyRowOf(key model.SSHKey) sshKeyRow {
	limits := sshkey.LimitsOf(key)
	row := sshKeyRow{
		ID: key.ID, Title: key.Title, Fingerprint: key.Fingerprint, AddedAt: key.AddedAt.Time, LastUsedAt: key.LastUsedAt.Time,
		AllowedIPs: append([]string{}, limits.AllowedIPs...), ReadOnly: limits.ReadOnly, Path: limits.Path,
		Verified: !key.VerifiedAt.IsZero(), Suspended: !key.SuspendedAt.IsZero(), Advice: a.svc.SSHKeys.Advice(key),
	}
	if !limits.ExpiresAt.IsZero() {
		row.ExpiresAt = &limits.ExpiresAt
	}
	if row.LastUsedAt.IsZero() {
		row.LastUsedAt = row.AddedAt
	}
	return row
}

// newSSHKey is a key to add; a published client calls it public_key.
type newSSHKey struct {
	Title     string `json:"title"`
	Key       string `json:"key"`
	PublicKey string `json:"public_key"`
	keyLimits
}

// Validate asks for both fields.
func (n *newSSHKey) Validate() error {
	if n.Key == "" {
		n.Key = n.PublicKey
	}
	if n.Title == "" || n.Key == "" {
		return ErrKeyRequest
	}
	return n.read()
}

// AddSSHKey adds a key to the caller's account (contract §5.13).
func (a *API) AddSSHKey(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	var req newSSHKey
	if err := web.JSON(c, &req); err != nil {
		return invalidKey(err)
	}
	if _, err := a.svc.Profile.AddSSHKey(c.Request.Context(), by, req.Title, req.Key, req.change(sshkey.Limits{})); err != nil {
		return err
	}
	return ok(c, nil)
}

type keyID struct {
	ID int64 `json:"id"`
}

// DeleteSSHKey deletes one of the caller's keys, named in the query, or in the
// body as one published client does (contract §5.14).
func (a *API) DeleteSSHKey(c *gin.Context) error { return onSSHKey(c, a.svc.SSHKeys.Delete) }

// onSSHKey does something with the caller's key that the request names.
func onSSHKey(c *gin.Context, act func(ctx context.Context, by access.Caller, id int64) error) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	id, err := sshKeyID(c)
	if err != nil {
		return err
	}
	if err := act(c.Request.Context(), by, id); err != nil {
		return err
	}
	return ok(c, nil)
}

func sshKeyID(c *gin.Context) (int64, error) {
	id, err := web.OptionalID(c, "id")
	if err != nil {
		return 0, ErrKeyID
	}
	if id != 0 {
		return id, noBody(c)
	}
	var req keyID
	if err := web.JSON(c, &req); err != nil {
		return 0, invalidAs(err, ErrKeyID)
	}
	if req.ID <= 0 {
		return 0, ErrKeyID
	}
	return req.ID, nil
}

// invalidAs is AList's one text for whatever is invalid in a request; a body that
// is too large or of another media type stays what it is.
func invalidAs(err error, text *fault.Error) error {
	if fault.Of(err).Kind == fault.Invalid {
		return text
	}
	return err
}

func member(c *gin.Context) (access.Caller, error) {
	by := access.From(c.Request.Context())
	if by.Account.IsGuest() {
		return by, ErrGuestKeys
	}
	return by, nil
}
