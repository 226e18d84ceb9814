package openid

import (
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/client"
)

// appRow is a registered app as admins see it: all but its secret.
type appRow struct {
	ID             string     `json:"id"` // client_id
	Name           string     `json:"name"`
	Icon           string     `json:"icon"`
	Homepage       string     `json:"homepage"`
	RedirectURIs   []string   `json:"redirect_uris"` // never null
	Scopes         []string   `json:"scopes"`        // never null
	Confidential   bool       `json:"confidential"`
	PKCERequired   bool       `json:"pkce_required"`
	RefreshTTL     int64      `json:"refresh_ttl"` // seconds
	Disabled       bool       `json:"disabled"`
	OldSecretUntil *time.Time `json:"old_secret_until"` // null: only the newest secret counts
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

func appRowOf(c model.OAuthClient) appRow {
	row := appRow{
		ID: c.ID, Name: c.Name, Icon: c.Icon, Homepage: c.Homepage,
		RedirectURIs: append([]string{}, c.RedirectURIs...), Scopes: append([]string{}, c.Scopes...),
		Confidential: c.Confidential, PKCERequired: c.PKCERequired, RefreshTTL: c.RefreshTTL, Disabled: c.Disabled,
		CreatedAt: c.CreatedAt.Time, UpdatedAt: c.UpdatedAt.Time,
	}
	if c.PreviousHash != "" {
		row.OldSecretUntil = &c.PreviousUntil.Time
	}
	return row
}

// Apps lists the registered apps, oldest first.
func (a *API) Apps(c *gin.Context) error {
	number, size, err := web.Paging(c)
	if err != nil {
		return err
	}
	list, total, err := a.svc.Apps.List(c.Request.Context(), number, size)
	if err != nil {
		return err
	}
	reply := struct {
		Content []appRow `json:"content"`
		Total   int64    `json:"total"`
	}{make([]appRow, len(list)), total}
	for i, app := range list {
		reply.Content[i] = appRowOf(app)
	}
	return ok(c, reply)
}

// App shows one app.
func (a *API) App(c *gin.Context) error {
	found, err := a.svc.Apps.Find(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	return ok(c, appRowOf(found))
}

type newApp struct {
	ClientID     string   `json:"client_id"` // empty: a new one
	Name         string   `json:"name"`
	Icon         string   `json:"icon"`
	Homepage     string   `json:"homepage"`
	RedirectURIs []string `json:"redirect_uris"`
	Scopes       []string `json:"scopes"`
	Confidential bool     `json:"confidential"`
	ClientSecret string   `json:"client_secret"` // empty: a new one
	PKCERequired *bool    `json:"pkce_required"` // absent is true
	RefreshTTL   int64    `json:"refresh_ttl"`   // seconds; 0: 90 days
}

// Validate asks for a name.
func (n *newApp) Validate() error { return web.Required("name", n.Name) }

// createdApp is an app with its secret, which is shown this once.
type createdApp struct {
	App          appRow `json:"app"`
	ClientSecret string `json:"client_secret"` // empty: a public app has none
}

// CreateApp registers an app.
func (a *API) CreateApp(c *gin.Context) error {
	var req newApp
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	made, text, err := a.svc.Admin.RegisterApp(ctx, access.From(ctx), client.Registration{
		ID: req.ClientID, Name: req.Name, Icon: req.Icon, Homepage: req.Homepage, RedirectURIs: req.RedirectURIs,
		Scopes: req.Scopes, Confidential: req.Confidential, Secret: req.ClientSecret,
		WithoutPKCE: req.PKCERequired != nil && !*req.PKCERequired, RefreshTTL: req.RefreshTTL,
	})
	if err != nil {
		return err
	}
	secretAhead(c)
	return ok(c, createdApp{App: appRowOf(made), ClientSecret: text})
}

// secretAhead keeps caches from an answer that holds a secret.
func secretAhead(c *gin.Context) { c.Header("Cache-Control", "no-store") }

// appEdit is a change of an app; what is absent or null stays as it is.
type appEdit struct {
	Name         *string   `json:"name"`
	Icon         *string   `json:"icon"`
	Homepage     *string   `json:"homepage"`
	RedirectURIs *[]string `json:"redirect_uris"`
	Scopes       *[]string `json:"scopes"`
	PKCERequired *bool     `json:"pkce_required"`
	RefreshTTL   *int64    `json:"refresh_ttl"`
	Disabled     *bool     `json:"disabled"`
	Confidential *bool     `json:"confidential"` // can only be what it is
}

// Validate asks for something to change.
func (e *appEdit) Validate() error {
	if *e == (appEdit{}) {
		return web.ErrField.WithText("name at least one field to change")
	}
	return nil
}

// UpdateApp changes an app.
func (a *API) UpdateApp(c *gin.Context) error {
	var req appEdit
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	changed, err := a.svc.Admin.UpdateApp(ctx, access.From(ctx), c.Param("id"), client.Edit(req))
	if err != nil {
		return err
	}
	return ok(c, appRowOf(changed))
}

// DeleteApp deletes an app and ends all that was issued to it.
func (a *API) DeleteApp(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Admin.DeleteApp(ctx, access.From(ctx), c.Param("id")); err != nil {
		return err
	}
	return ok(c, nil)
}

// rotation is a new secret of an app.
type rotation struct {
	ClientSecret   string `json:"client_secret"`   // empty: a new one
	OverlapSeconds int64  `json:"overlap_seconds"` // how long the old one counts
}

// Validate keeps the overlap within what can be told apart.
func (r *rotation) Validate() error {
	const day = int64(24 * time.Hour / time.Second)
	if r.OverlapSeconds < 0 || r.OverlapSeconds > day {
		return client.ErrOverlap
	}
	return nil
}

// RotateAppSecret gives an app another secret and shows it this once.
func (a *API) RotateAppSecret(c *gin.Context) error {
	var req rotation
	if err := maybeBody(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	overlap := time.Duration(req.OverlapSeconds) * time.Second
	text, err := a.svc.Admin.RotateAppSecret(ctx, access.From(ctx), c.Param("id"), req.ClientSecret, overlap)
	if err != nil {
		return err
	}
	secretAhead(c)
	return ok(c, struct {
		ClientSecret string `json:"client_secret"`
	}{text})
}

// noBody refuses a body that is not an empty object.
func noBody(c *gin.Context) error { return maybeBody(c, &struct{}{}) }

// maybeBody binds the body, if there is one.
func maybeBody(c *gin.Context, req any) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	return web.JSON(c, req)
}
