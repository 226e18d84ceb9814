package alist

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/admin"
	"latchkey/service/fault"
)

// What the admin's routes about accounts refuse.
var (
	// ErrUserID says that the id of an account is none.
	ErrUserID = fault.New(fault.Invalid, "user_id", "user id format invalid")
	// ErrUserInvalid says that there is no account with the id.
	ErrUserInvalid = fault.New(fault.NotFound, "user_unknown", "user invalid")
	// ErrNameMissing says that an account must be named.
	ErrNameMissing = fault.New(fault.Invalid, "user_name_missing", "username is empty")
	// ErrNoUser says that no account has the name.
	ErrNoUser = fault.New(fault.NotFound, "user_name_unknown", "failed find user: record not found")
)

// userRow is an account as admins see it, in AList's order of keys. The limits
// are null where the settings count.
type userRow struct {
	ID         int64   `json:"id"`
	Username   string  `json:"username"`
	Password   string  `json:"password"` // always empty
	BasePath   string  `json:"base_path"`
	Role       []int64 `json:"role"`
	Disabled   bool    `json:"disabled"`
	Permission int64   `json:"permission"`
	SSOID      string  `json:"sso_id"`
	MaxDevices *int64  `json:"max_devices"`
	SessionTTL *int64  `json:"session_ttl"` // seconds

	Email         string `json:"email"` // empty: none
	EmailVerified bool   `json:"email_verified"`
}

func userRowOf(a model.Account) userRow {
	row := userRow{
		ID: a.ID, Username: a.Username, BasePath: a.BasePath, Role: a.Roles, Disabled: a.Disabled,
		Permission: a.Permission, SSOID: a.SSOID, MaxDevices: a.MaxDevices, SessionTTL: a.SessionTTL,
		Email: a.Email, EmailVerified: a.EmailVerified,
	}
	if row.Role == nil {
		row.Role = []int64{}
	}
	return row
}

// Users lists the accounts (contract §5.18).
func (a *API) Users(c *gin.Context) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	list, total, err := a.svc.Accounts.Page(c.Request.Context(), number, size)
	if err != nil {
		return err
	}
	reply := page[userRow]{Content: make([]userRow, len(list)), Total: total}
	for i, row := range list {
		reply.Content[i] = userRowOf(row)
	}
	return ok(c, reply)
}

// User shows one account (contract §5.19).
func (a *API) User(c *gin.Context) error {
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.svc.Accounts.ByID(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return ok(c, userRowOf(found))
}

// roleIDs is a list of role ids. Clients from before AList 3.46 send one
// number, with other meanings: 0 ordinary, 1 guest, 2 admin.
type roleIDs []int64

// UnmarshalJSON reads a list, one number, or null.
func (r *roleIDs) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return json.Unmarshal(text, (*[]int64)(r))
	}
	var one *int64
	if err := json.Unmarshal(text, &one); err != nil || one == nil {
		return err
	}
	if *one == 0 {
		*one = account.RoleGeneral
	}
	*r = roleIDs{*one}
	return nil
}

// userBody is what the frontend's form sends. What is absent is left as it is
// by an update.
type userBody struct {
	ID         int64           `json:"id"`
	Username   string          `json:"username"`
	Password   string          `json:"password"`
	BasePath   *string         `json:"base_path"`
	Role       roleIDs         `json:"role"`
	Permission *int64          `json:"permission"`
	Disabled   *bool           `json:"disabled"`
	SSOID      *string         `json:"sso_id"`
	MaxDevices json.RawMessage `json:"max_devices"`
	SessionTTL json.RawMessage `json:"session_ttl"`
	Email      *string         `json:"email"`
	Verified   *bool           `json:"email_verified"` // of a new address; without it, its owner is asked

	maxDevices, sessionTTL **int64
}

// Validate asks for the name, and for limits that are numbers or null.
func (u *userBody) Validate() error {
	var err error
	if err := checkWishedID(u.ID); err != nil {
		return err
	}
	if u.Permission != nil && (*u.Permission < 0 || *u.Permission > maxPermission) {
		return web.ErrField.WithText(`field "permission" must be a 32-bit mask`)
	}
	if u.maxDevices, err = limitOf("max_devices", u.MaxDevices); err != nil {
		return err
	}
	if u.sessionTTL, err = limitOf("session_ttl", u.SessionTTL); err != nil {
		return err
	}
	return web.Required("username", u.Username)
}

const (
	maxPermission = 1<<31 - 1
	maxLimit      = 1<<31 - 1
	// maxWishedID leaves room above it: the ids that follow are counted on from
	// the greatest there ever was.
	maxWishedID = 1<<31 - 1
)

// checkWishedID takes the id that a new account or role is to have, or 0 for
// any.
func checkWishedID(id int64) error {
	if id < 0 || id > maxWishedID {
		return web.ErrField.WithText(`field "id" must be from 0 to 2147483647`)
	}
	return nil
}

// limitOf reads a limit: absent leaves it, null hands it to the settings.
func limitOf(field string, text json.RawMessage) (**int64, error) {
	if len(text) == 0 {
		return nil, nil //nolint:nilnil // absent is neither a value nor a mistake
	}
	var n *int64
	if err := json.Unmarshal(text, &n); err != nil || n != nil && (*n < 0 || *n > maxLimit) {
		return nil, web.ErrField.WithText("field \"" + field + "\" must be a whole number of at least 0, or null")
	}
	return &n, nil
}

// CreateUser adds an account (contract §5.20).
func (a *API) CreateUser(c *gin.Context) error {
	var req userBody
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	fresh := model.Account{ID: req.ID, Username: req.Username, Roles: model.IntList(req.Role)}
	assign(&fresh.BasePath, req.BasePath)
	assign(&fresh.Permission, req.Permission)
	assign(&fresh.Disabled, req.Disabled)
	assign(&fresh.SSOID, req.SSOID)
	assign(&fresh.MaxDevices, req.maxDevices)
	assign(&fresh.SessionTTL, req.sessionTTL)
	assign(&fresh.Email, req.Email)
	assign(&fresh.EmailVerified, req.Verified)
	if _, err := a.svc.Admin.CreateAccount(c.Request.Context(), fresh, req.Password); err != nil {
		return err
	}
	return ok(c, nil)
}

func assign[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// UpdateUser changes an account (contract §5.21).
func (a *API) UpdateUser(c *gin.Context) error {
	var req userBody
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	edit := model.AccountEdit{
		Username: &req.Username, BasePath: req.BasePath, Permission: req.Permission, Disabled: req.Disabled,
		SSOID: req.SSOID, MaxDevices: req.maxDevices, SessionTTL: req.sessionTTL,
		Email: req.Email, EmailVerified: req.Verified,
	}
	if req.Role != nil {
		edit.Roles = (*model.IntList)(&req.Role)
	}
	if err := a.svc.Admin.EditAccount(c.Request.Context(), req.ID, edit, req.Password); err != nil {
		return err
	}
	return ok(c, nil)
}

// DeleteUser deletes an account (contract §5.21).
func (a *API) DeleteUser(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	if err := a.svc.Admin.DeleteAccount(c.Request.Context(), id); err != nil {
		return err
	}
	return ok(c, nil)
}

// CancelTwoFactor takes an account's second factor off (contract §5.21).
func (a *API) CancelTwoFactor(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Admin.CancelTwoFactor(ctx, access.From(ctx), id); err != nil {
		return err
	}
	return ok(c, nil)
}

// ForgetUser makes an account be read again (contract §5.21).
func (a *API) ForgetUser(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	name, err := web.Text(c, "username")
	if err != nil {
		return err
	}
	if name == "" {
		return ErrNameMissing
	}
	err = a.svc.Accounts.Forget(c.Request.Context(), name)
	if errors.Is(err, account.ErrUnknown) {
		return ErrNoUser
	}
	if err != nil {
		return err
	}
	return ok(c, nil)
}

// UserSSHKeys lists an account's keys (contract §5.22).
func (a *API) UserSSHKeys(c *gin.Context) error {
	key, err := a.ownerOfKeys(c)
	if err != nil {
		return err
	}
	return a.listSSHKeys(c, key)
}

// ownerOfKeys is the key of the account whose uid the query names.
func (a *API) ownerOfKeys(c *gin.Context) (string, error) {
	uid, err := web.ID(c, "uid")
	if err != nil {
		return "", ErrUserID
	}
	found, err := a.svc.Accounts.ByID(c.Request.Context(), uid)
	if errors.Is(err, account.ErrUnknown) {
		return "", ErrUserInvalid
	}
	return found.Key, err
}

// DeleteUserSSHKey deletes anybody's key (contract §5.23).
func (a *API) DeleteUserSSHKey(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	id, err := web.ID(c, "id")
	if err != nil {
		return ErrKeyID
	}
	ctx := c.Request.Context()
	if err := a.svc.SSHKeys.DeleteAny(ctx, access.From(ctx), id); err != nil {
		return err
	}
	return ok(c, nil)
}

type registration struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// Validate asks for both fields.
func (r *registration) Validate() error {
	if err := web.Required("username", r.Username); err != nil {
		return err
	}
	return web.Required("password", r.Password)
}

// Register adds an account for whoever asks (contract §5.4).
func (a *API) Register(c *gin.Context) error {
	if !a.svc.Admin.RegistrationOpen() {
		return admin.ErrRegistration
	}
	var req registration
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	if err := a.svc.Admin.Register(middleware.Stranger(c), req.Username, req.Password, middleware.ClientIP(c)); err != nil {
		return err
	}
	return ok(c, nil)
}
