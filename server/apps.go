package server

import (
	"context"

	"latchkey/middleware"
	"latchkey/server/openid"
	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/revocation"
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

// endApp makes everybody forget what an app was given.
func (a *App) endApp(ctx context.Context, _ string) error {
	a.hub.Publish(ctx, revocation.Notice{})
	return nil
}

// registered are the routes by which admins look after OAuth apps. Their
// failures, also those of the guards, have the envelope of these doors.
func (a *App) registered() []route {
	var (
		api     = a.openid
		log     = a.opts.Log
		who     = middleware.Authenticate(a.who, false)
		login   = openid.RequireLogin()
		held    = middleware.RequireEnrolled()
		admin   = middleware.RequireAdmin()
		guarded = guard{
			middleware.Recovery(log, openid.Render), middleware.Errors(log, openid.Render),
			who, login, held, admin, middleware.Recheck(who), login, held, admin,
		}
	)
	return []route{
		{get, "/api/v4/admin/oauthClient", guarded, access.AdminOAuthRead, api.Apps},
		{post, "/api/v4/admin/oauthClient", guarded, access.FirstParty, api.CreateApp},
		{get, "/api/v4/admin/oauthClient/:id", guarded, access.AdminOAuthRead, api.App},
		{put, "/api/v4/admin/oauthClient/:id", guarded, access.FirstParty, api.UpdateApp},
		{del, "/api/v4/admin/oauthClient/:id", guarded, access.FirstParty, api.DeleteApp},
		{post, "/api/v4/admin/oauthClient/:id/secret", guarded, access.FirstParty, api.RotateAppSecret},
		{get, "/api/v4/admin/oauthScope", guarded, access.AdminOAuthRead, api.Scopes},
		{post, "/api/v4/admin/oauthScope", guarded, access.FirstParty, api.DeclareScope},
		{del, "/api/v4/admin/oauthScope", guarded, access.FirstParty, api.WithdrawScope},
	}
}
