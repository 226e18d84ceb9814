package server

import (
	"strings"

	"latchkey/middleware"
	"latchkey/server/signin"
	"latchkey/service/access"
	"latchkey/service/login"
	"latchkey/service/setting"
)

// openBrowse opens the doors of people with a browser.
func (a *App) openBrowse(logins *login.Service) error {
	var err error
	a.signin, err = signin.New(signin.Deps{
		Login: logins, Sessions: a.Sessions, Who: a.who, Sealer: a.Ring, Now: a.opts.Now,
		Title:  func() string { return a.Settings.Get(setting.KeySiteTitle) },
		Leaves: func(path string) bool { return strings.HasPrefix(path, "/session/") },
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
