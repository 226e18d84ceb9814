package alist

import (
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/fault"
)

// What the API key routes refuse.
var (
	// ErrNotByKey says that a route is about the key that calls, and none does.
	ErrNotByKey = fault.New(fault.Invalid, "api_key_none", "This request was not made with an API key")
	// ErrAPIKeyID says that the id is none.
	ErrAPIKeyID = fault.New(fault.Invalid, "api_key_id", "id must be a positive whole number")
)

// apiKeyRow is a key in a list; its text is nowhere.
type apiKeyRow struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"` // how its text begins
	Scopes     []string   `json:"scopes"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`   // null: never
	LastUsedAt *time.Time `json:"last_used_at"` // null: never; else to within a minute
	LastUsedIP string     `json:"last_used_ip"` // masked
	LastUsedUA string     `json:"last_used_ua"`
	AllowQuery bool       `json:"allow_query"`
	AllowedIPs []string   `json:"allowed_ips"` // networks; empty: any

	CreatedOnDevice string     `json:"created_on_device"` // a session_id; empty: none
	RevokedAt       *time.Time `json:"revoked_at"`        // null: it is not
	RevokedBecause  string     `json:"revoked_because"`   // leaked, device or unused; empty: it is not
	Unused          bool       `json:"unused"`            // for so long that it should be deleted
	LearnUntil      *time.Time `json:"learn_until"`       // null: it never learnt
	RotatedUntil    *time.Time `json:"rotated_until"`     // the text before the last rotation works until then; null: there is none
}

func apiKeyRowOf(key apikey.View) apiKeyRow {
	return apiKeyRow{
		ID: key.ID, Name: key.Name, Prefix: key.Prefix, Scopes: append([]string{}, apikey.ScopesOf(key.APIKey).Names()...),
		CreatedAt: key.CreatedAt.Time, ExpiresAt: instant(key.ExpiresAt.Time), LastUsedAt: instant(key.LastUsedAt.Time),
		LastUsedIP: key.LastUsedIP, LastUsedUA: key.LastUsedUA, AllowQuery: key.AllowQuery,
		AllowedIPs:      strings.FieldsFunc(key.AllowedIPs, func(r rune) bool { return r == ',' }),
		CreatedOnDevice: key.CreatedOnDevice, RevokedAt: instant(key.RevokedAt.Time), RevokedBecause: string(key.RevokedWhy),
		Unused: key.Unused, LearnUntil: instant(key.LearnUntil.Time), RotatedUntil: instant(key.OldUntil.Time),
	}
}

// instant is a time as it is sent; none is null.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// APIKeys lists the caller's keys, revoked ones too.
func (a *API) APIKeys(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	return a.listAPIKeys(c, by.Account.Key)
}

func (a *API) listAPIKeys(c *gin.Context, accountKey string) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	list, total, err := a.svc.APIKeys.List(c.Request.Context(), accountKey, number, size)
	if err != nil {
		return err
	}
	reply := page[apiKeyRow]{Content: make([]apiKeyRow, len(list)), Total: total}
	for i, key := range list {
		reply.Content[i] = apiKeyRowOf(key)
	}
	return ok(c, reply)
}

// CurrentAPIKey shows the key that calls its own row.
func (a *API) CurrentAPIKey(c *gin.Context) error {
	ctx := c.Request.Context()
	by := access.From(ctx)
	if by.Kind != access.APIKey {
		return ErrNotByKey
	}
	key, err := a.svc.APIKeys.Get(ctx, by.Account.Key, by.KeyID)
	if err != nil {
		return err
	}
	return ok(c, apiKeyRowOf(key))
}

type scopeRow struct {
	Scope   string `json:"scope"`
	Text    string `json:"text"`
	CanGive bool   `json:"can_give"`
}

// Scopes lists the vocabulary, and which of it the caller may give to a key.
func (*API) Scopes(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	var rows []scopeRow
	for _, s := range access.Vocabulary() {
		rows = append(rows, scopeRow{Scope: string(s.Scope), Text: s.Text, CanGive: mayGive(by, s.Scope)})
	}
	return ok(c, rows)
}

// mayGive reports whether the caller may make a key with the scope, once they
// have proved who they are.
func mayGive(by access.Caller, s access.Scope) bool {
	return by.Kind == access.SessionToken && (!s.IsAdmin() || by.Account.IsAdmin())
}

// UserAPIKeys lists the keys of the account that the query names.
func (a *API) UserAPIKeys(c *gin.Context) error {
	key, err := a.ownerOfKeys(c)
	if err != nil {
		return err
	}
	return a.listAPIKeys(c, key)
}

// DeleteUserAPIKey deletes anybody's key.
func (a *API) DeleteUserAPIKey(c *gin.Context) error { return onAPIKey(c, a.svc.APIKeys.DeleteAny) }
