package server

import (
	"time"

	"latchkey/server/newkey"
	"latchkey/service/access"
	"latchkey/service/leak"
	"latchkey/service/secret"
	"latchkey/service/setting"
)

// openNewKey opens the page on which people make API keys.
func (a *App) openNewKey() (*newkey.API, error) {
	title := func() string { return a.Settings.Get(setting.KeySiteTitle) }
	return newkey.New(newkey.Deps{Profile: a.Profile, Title: title, SiteURL: a.cfg.SiteURL, Now: a.opts.Now})
}

// keyLink leads to that page.
func (a *App) keyLink(name string, scopes access.Scopes) string {
	return newkey.Link(a.cfg.SiteURL, name, scopes)
}

// How long the answer to a report of leaked secrets takes at least: several
// times what ending one takes on a slow disk.
const (
	leakAnswer  = 100 * time.Millisecond
	leakPerText = 10 * time.Millisecond
)

// newLeaks takes reports of each kind of secret that can be ended.
func (a *App) newLeaks() *leak.Service {
	return leak.New(leak.Deps{
		Ends: map[secret.Prefix]leak.End{
			secret.APIKey:        a.apiKeys.Leaked,
			secret.OAuthToken:    a.Grants.Leaked,
			secret.SessionAccess: a.Grants.Leaked,
			secret.RefreshToken:  a.Grants.Leaked,
		},
		Count: a.guesses.Report, Least: leakAnswer, Each: leakPerText,
	})
}
