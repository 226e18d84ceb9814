package alist

import (
	"context"
	"math"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/apikey"
)

// keyExpiry is until when an API key works: RFC 3339; empty: for ever.
type keyExpiry string

// at reads it; nil is the same as not sent.
func (e *keyExpiry) at() (*time.Time, error) {
	switch {
	case e == nil:
		return nil, nil //nolint:nilnil // nothing was sent, and that is right
	case *e == "":
		return &time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, string(*e))
	if err != nil {
		return nil, apikey.ErrExpiry.WithText("expires_at must be an RFC 3339 time, such as 2027-01-31T12:00:00Z")
	}
	return &at, nil
}

// seconds is a number of seconds as a span; one that is far too long stays so.
func seconds(n int64) time.Duration {
	const most = int64(math.MaxInt64 / time.Second)
	return time.Duration(min(max(n, -most), most)) * time.Second
}

// newAPIKey is a key to make.
type newAPIKey struct {
	Name       string     `json:"name"`
	Scopes     []string   `json:"scopes"`
	ExpiresAt  *keyExpiry `json:"expires_at"`
	AllowQuery bool       `json:"allow_query"`
	AllowedIPs []string   `json:"allowed_ips"`
	LearnFor   *int64     `json:"learn_for"` // seconds

	wanted apikey.Wanted
}

// Validate checks what the fields look like.
func (n *newAPIKey) Validate() error {
	at, err := n.ExpiresAt.at()
	if err != nil {
		return err
	}
	n.wanted = apikey.Wanted{Name: n.Name, Scopes: n.Scopes, AllowQuery: n.AllowQuery, AllowedIPs: n.AllowedIPs}
	if at != nil {
		n.wanted.ExpiresAt = *at
	}
	if n.LearnFor == nil {
		return nil
	}
	n.wanted.LearnFor = seconds(*n.LearnFor)
	if n.wanted.LearnFor == 0 { // not the same as none
		return apikey.ErrLearnFor
	}
	return nil
}

// madeAPIKey is a key with its text, which nobody is told again.
type madeAPIKey struct {
	Key string `json:"key"`
	apiKeyRow
}

// CreateAPIKey makes a key for the caller.
func (a *API) CreateAPIKey(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	var req newAPIKey
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	text, key, err := a.svc.APIKeys.Create(c.Request.Context(), by, req.wanted)
	if err != nil {
		return err
	}
	return ok(c, madeAPIKey{Key: text, apiKeyRow: apiKeyRowOf(apikey.View{APIKey: key})})
}

// apiKeyEdit names a key and what to change of it; absent fields stay.
type apiKeyEdit struct {
	ID         int64      `json:"id"`
	Name       *string    `json:"name"`
	Scopes     *[]string  `json:"scopes"`
	ExpiresAt  *keyExpiry `json:"expires_at"`
	AllowQuery *bool      `json:"allow_query"`
	AllowedIPs *[]string  `json:"allowed_ips"`

	edit apikey.Edit
}

// Validate asks for the id, and checks what the fields look like.
func (e *apiKeyEdit) Validate() error {
	if e.ID <= 0 {
		return ErrAPIKeyID
	}
	at, err := e.ExpiresAt.at()
	e.edit = apikey.Edit{Name: e.Name, Scopes: e.Scopes, ExpiresAt: at, AllowQuery: e.AllowQuery, AllowedIPs: e.AllowedIPs}
	return err
}

// UpdateAPIKey changes one of the caller's keys.
func (a *API) UpdateAPIKey(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	var req apiKeyEdit
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	if err := a.svc.APIKeys.Update(c.Request.Context(), by, req.ID, req.edit); err != nil {
		return err
	}
	return ok(c, nil)
}

// rotation names a key, and for how long its present text works beside the new.
type rotation struct {
	ID             int64 `json:"id"`
	OverlapSeconds int64 `json:"overlap_seconds"`
}

// Validate asks for the id.
func (r *rotation) Validate() error {
	if r.ID <= 0 {
		return ErrAPIKeyID
	}
	return nil
}

// rotatedAPIKey is the new text of a key, which nobody is told again.
type rotatedAPIKey struct {
	Key string `json:"key"`
	ID  int64  `json:"id"`
}

// RotateAPIKey gives one of the caller's keys another text.
func (a *API) RotateAPIKey(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	var req rotation
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	text, err := a.svc.APIKeys.Rotate(c.Request.Context(), by, req.ID, seconds(req.OverlapSeconds))
	if err != nil {
		return err
	}
	return ok(c, rotatedAPIKey{Key: text, ID: req.ID})
}

// DeleteAPIKey deletes one of the caller's keys.
func (a *API) DeleteAPIKey(c *gin.Context) error { return onAPIKey(c, a.svc.APIKeys.Delete) }

// onAPIKey does something with the key that the query names.
func onAPIKey(c *gin.Context, act func(ctx context.Context, by access.Caller, id int64) error) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	if err := noBody(c); err != nil {
		return err
	}
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	if err := act(c.Request.Context(), by, id); err != nil {
		return err
	}
	return ok(c, nil)
}

// lesson is what a key learnt.
type lesson struct {
	Needed   []string   `json:"needed"`
	Refused  []string   `json:"refused"`  // of those needed
	Proposed []string   `json:"proposed"` // the smallest set that the caller could give for the same
	Until    *time.Time `json:"until"`    // null: it never learnt
	Link     string     `json:"link"`     // makes such a key; empty: nothing is proposed
}

// LearnedByAPIKey says which scopes one of the caller's keys turned out to need.
func (a *API) LearnedByAPIKey(c *gin.Context) error {
	by, err := member(c)
	if err != nil {
		return err
	}
	id, err := web.ID(c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	key, err := a.svc.APIKeys.Get(ctx, by.Account.Key, id)
	if err != nil {
		return err
	}
	l, err := a.svc.APIKeys.Learned(ctx, by, id)
	if err != nil {
		return err
	}
	reply := lesson{
		Needed: l.Needed.Names(), Refused: l.Refused.Names(), Proposed: l.Proposal.Names(), Until: instant(l.Until),
	}
	if len(l.Proposal) > 0 {
		reply.Link = a.svc.KeyLink(key.Name, l.Proposal)
	}
	return ok(c, reply)
}
