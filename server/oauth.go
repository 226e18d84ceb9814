package server

import (
	"latchkey/middleware"
	"latchkey/server/openid"
	"latchkey/service/access"
	"latchkey/service/login"
	"latchkey/service/oauth"
)

// openOAuth opens the flow by which apps get access, and its endpoints.
func (a *App) openOAuth(logins *login.Service) {
	a.OAuth = oauth.New(oauth.Deps{
		Clients: a.Apps, Grants: a.Grants, Accounts: a.Accounts, Sessions: a.Sessions, Login: logins, Throttle: a.guesses,
		Ring: a.Ring, Now: a.opts.Now,
	})
	a.provider = openid.NewProvider(a.OAuth, a.cfg.SiteURL)
}

// delegating are the endpoints of OAuth: apps prove who they are by what they
// send, and no credential of a person is looked at.
func (a *App) delegating() []route {
	var (
		p    = a.provider
		none = guard{}
	)
	return []route{
		{get, openid.PathOpenID, none, access.Open, p.Discovery},
		{get, openid.PathServer, none, access.Open, p.Discovery},
		{get, openid.PathKeys, none, access.Open, p.Keys},
		{post, openid.PathToken, none, access.Open, p.Token},
		{post, openid.PathRevoke, none, access.Open, p.Revoke},
		{post, openid.PathIntrospect, none, access.Open, p.Introspect},
		{post, openid.PathDeviceCode, none, access.Open, p.DeviceCode},
		{get, openid.PathUserInfo, none, access.Open, p.UserInfo},
		{post, openid.PathUserInfo, none, access.Open, p.UserInfo},
	}
}

// paired are the routes of people who sign in by pairs of tokens, and of those
// who decide what apps may do.
func (a *App) paired() []route {
	var (
		p        = a.provider
		who      = middleware.Authenticate(a.who, false)
		signedIn = openid.RequireLogin()
		held     = middleware.RequireEnrolled()
		none     = guard{}
		optional = guard{middleware.Optional(who)}
		required = guard{who, signedIn, held, middleware.Recheck(who), signedIn, held}
		here     = append(guard{middleware.SameOrigin()}, required...)
	)
	return []route{
		{post, "/api/v4/session/token", none, access.Open, p.SignIn},
		{post, "/api/v4/session/token/2fa", none, access.Open, p.FinishSignIn},
		{post, "/api/v4/session/token/refresh", none, access.Open, p.RefreshPair},
		{del, "/api/v4/session/token", none, access.Open, p.EndPair},
		{get, "/api/v4/session/oauth/app/:id", optional, access.Open, p.AppFor},
		{post, "/api/v4/session/oauth/consent", here, access.FirstParty, p.Consent},
		{del, "/api/v4/session/oauth/grant/:id", required, access.FirstParty, p.Withdraw},
	}
}
