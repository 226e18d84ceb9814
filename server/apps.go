package server

import (
	"context"

	"latchkey/middleware"
	"latchkey/server/openid"
	"latchkey/service/access"
	"latchkey/service/client"
)

// openApps opens the service of registered OAuth apps.
func (a *App) openApps() error {
	pepper, err := a.Ring.Derived("oauth client secrets")
	if err != nil {
		return err
	}
	a.Apps = client.New(client.Deps{
		Store: a.db.OAuthClients(), Now: a.opts.Now, Record: a.audit.Record, Pepper: pepper, Ended: a.endApp,
	})
	return nil
}

// endApp ends what an app was given.
func (a *App) endApp(ctx context.Context, clientID string) error {
	return a.Grants.EndClient(ctx, clientID)
}

// registered are the routes by which admins look after OAuth apps.
func (a *App) registered() []route {
	var (
		api   = a.openid
		who   = middleware.Authenticate(a.who, false)
		login = openid.RequireLogin()
		held  = middleware.RequireEnrolled()
		role  = middleware.RequireAdmin()
		admin = guard{who, login, held, role, middleware.Recheck(who), login, held, role}
	)
	return []route{
		{get, "/api/v4/admin/oauthClient", admin, access.AdminOAuthRead, api.Apps},
		{post, "/api/v4/admin/oauthClient", admin, access.FirstParty, api.CreateApp},
		{get, "/api/v4/admin/oauthClient/:id", admin, access.AdminOAuthRead, api.App},
		{put, "/api/v4/admin/oauthClient/:id", admin, access.FirstParty, api.UpdateApp},
		{del, "/api/v4/admin/oauthClient/:id", admin, access.FirstParty, api.DeleteApp},
		{post, "/api/v4/admin/oauthClient/:id/secret", admin, access.FirstParty, api.RotateAppSecret},
		{get, "/api/v4/admin/oauthScope", admin, access.AdminOAuthRead, api.Scopes},
		{post, "/api/v4/admin/oauthScope", admin, access.FirstParty, api.DeclareScope},
		{del, "/api/v4/admin/oauthScope", admin, access.FirstParty, api.WithdrawScope},
	}
}
