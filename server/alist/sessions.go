package alist

import (
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/session"
)

// deviceRow is a device in its owner's list. The first five keys are AList's.
type deviceRow struct {
	SessionID  string    `json:"session_id"`
	LastActive int64     `json:"last_active"` // Unix seconds
	Status     int       `json:"status"`      // 0: active; others are not listed
	UserAgent  string    `json:"ua"`
	IP         string    `json:"ip"` // masked
	Current    bool      `json:"current"`
	New        bool      `json:"new"` // its first sign-in is at most 7 days ago, and was not the account's first
	Kind       string    `json:"kind"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"` // when its last login ends
}

// adminDeviceRow is a device in everybody's list.
type adminDeviceRow struct {
	SessionID string `json:"session_id"`
	UserID    int64  `json:"user_id"`
	Username  string `json:"username"`
	deviceRow
}

// Sessions lists the caller's devices (contract §5.10).
func (a *API) Sessions(c *gin.Context) error {
	ctx := c.Request.Context()
	by := access.From(ctx)
	list, err := a.svc.Sessions.List(ctx, by)
	if err != nil {
		return err
	}
	rows := make([]deviceRow, len(list))
	for i, d := range list {
		rows[i] = rowOf(d, by)
	}
	return ok(c, rows)
}

// AdminSessions lists everybody's devices (contract §5.15).
func (a *API) AdminSessions(c *gin.Context) error {
	ctx := c.Request.Context()
	by := access.From(ctx)
	list, err := a.svc.Sessions.ListAll(ctx)
	if err != nil {
		return err
	}
	rows := make([]adminDeviceRow, len(list))
	for i, d := range list {
		rows[i] = adminDeviceRow{SessionID: d.Key, UserID: d.AccountID, Username: d.Username, deviceRow: rowOf(d, by)}
	}
	return ok(c, rows)
}

func rowOf(d model.DeviceView, by access.Caller) deviceRow {
	return deviceRow{
		SessionID: d.Key, LastActive: d.SeenAt.Unix(), UserAgent: d.UserAgent, IP: d.IP,
		Current: d.Key == by.DeviceKey, New: d.New, Kind: string(d.Kind), CreatedAt: d.CreatedAt.Time, ExpiresAt: d.ExpiresAt.Time,
	}
}

// eviction names a device; a published client calls it device_key.
type eviction struct {
	SessionID string `json:"session_id"`
	DeviceKey string `json:"device_key"`
	WithKeys  bool   `json:"with_keys"` // the API keys that were made on it, too
}

// sessionIDLength is the length of a session id in hex digits.
const sessionIDLength = 32

// isSessionID reports whether id looks like a session id.
func isSessionID(id string) bool {
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(id) == sessionIDLength
}

// Validate takes exactly one well-formed id. Everything else is no device at
// all, which is also the answer for somebody else's.
func (e *eviction) Validate() error {
	if e.SessionID == "" {
		e.SessionID = e.DeviceKey
	}
	if !isSessionID(e.SessionID) {
		return session.ErrNoDevice
	}
	return nil
}

// Evict throws one of the caller's devices out (contract §5.11).
func (a *API) Evict(c *gin.Context) error {
	var req eviction
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	evict := a.svc.Sessions.Evict
	if req.WithKeys {
		evict = a.svc.Profile.EvictWithKeys
	}
	if err := evict(ctx, access.From(ctx), req.SessionID); err != nil {
		return err
	}
	return ok(c, nil)
}

// AdminEvict throws anybody's device out (contract §5.16).
func (a *API) AdminEvict(c *gin.Context) error {
	var req eviction
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	evict := a.svc.Sessions.EvictAny
	if req.WithKeys {
		evict = a.svc.Profile.EvictAnyWithKeys
	}
	if err := evict(ctx, req.SessionID); err != nil {
		return err
	}
	return ok(c, nil)
}

// cleaning names what to clean: one device, the inactive ones of one account,
// or all inactive ones.
type cleaning struct {
	UserID    userID `json:"user_id"`
	SessionID string `json:"session_id"`
}

// userID is an account's number; 0 is everybody's. Null is refused: it would
// widen the cleaning from one account to all (I-02).
type userID int64

// UnmarshalJSON takes a whole number.
func (u *userID) UnmarshalJSON(data []byte) error {
	var n *int64
	if err := json.Unmarshal(data, &n); err != nil || n == nil {
		return web.ErrField.WithText(`field "user_id" must be a whole number`)
	}
	*u = userID(*n)
	return nil
}

// Validate takes a well-formed session id or none, and no negative account.
func (e *cleaning) Validate() error {
	if e.SessionID != "" && !isSessionID(e.SessionID) {
		return session.ErrNoDevice
	}
	if e.UserID < 0 {
		return web.ErrField.WithText(`field "user_id" must not be negative`)
	}
	return nil
}

// AdminClean deletes the rows of inactive devices (contract §5.17).
func (a *API) AdminClean(c *gin.Context) error {
	var req cleaning
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if req.SessionID != "" {
		if err := a.svc.Sessions.Drop(ctx, req.SessionID); err != nil {
			return err
		}
		return ok(c, nil)
	}
	if err := a.svc.Sessions.DropInactive(ctx, int64(req.UserID)); err != nil {
		return err
	}
	return ok(c, nil)
}
