package server

import (
	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/consent"
	"latchkey/server/signin"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/login"
	"latchkey/service/setting"
)

// openBrowse opens the doors of people with a browser.
func (a *App) openBrowse(logins *login.Service) error {
	var err error
	title := func() string { return a.Settings.Get(setting.KeySiteTitle) }
	a.signin, err = signin.New(signin.Deps{
		Login: logins, Sessions: a.Sessions, Who: a.who, Sealer: a.Ring, Now: a.opts.Now, Title: title,
		Leaves: func(path string) bool { return path == consent.PathAuthorize },
	})
	if err != nil {
		return err
	}
	a.consent, err = consent.New(consent.Deps{
		Flow: a.OAuth, People: a.signin, Sealer: a.Ring, Now: a.opts.Now, Title: title, SignOut: signin.PathSignOut,
		Issuer: func(c *gin.Context) string { return web.Origin(c, a.cfg.SiteURL) },
	})
	return err
}

// pageGuard stands before pages with forms: failures are pages, and other
// sites' forms are refused.
func (a *App) pageGuard() guard {
	return guard{
		middleware.Recovery(a.opts.Log, a.signin.Render),
		middleware.Errors(a.opts.Log, a.signin.Render),
		middleware.FindHTTPS(a.cfg.TrustedProxies, a.cfg.SiteURL),
		middleware.SameOrigin(),
	}
}

// signedInto are the pages by which people sign in and out with a browser.
func (a *App) signedInto() []route {
	pages, page := a.signin, a.pageGuard()
	return []route{
		{get, signin.PathSignIn, page, access.Open, pages.AskSignIn},
		{post, signin.PathSignIn, page, access.Open, pages.SignIn},
		{get, signin.PathSignOut, page, access.Open, signin.Moved},
		{post, signin.PathSignOut, page, access.Open, pages.SignOut},
		{get, signin.PathConfirm, page, access.Open, pages.AskConfirm},
		{post, signin.PathConfirm, page, access.Open, pages.Confirm},
	}
}

// consenting are the pages at which people let apps in.
func (a *App) consenting() []route {
	pages, page := a.consent, a.pageGuard()
	return []route{
		{get, consent.PathAuthorize, page, access.Open, pages.Authorize},
		{post, consent.PathAuthorize, page, access.Open, pages.Decide},
		{get, consent.PathDevice, page, access.Open, pages.AskDevice},
		{post, consent.PathDevice, page, access.Open, pages.DecideDevice},
	}
}
