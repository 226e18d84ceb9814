package server

import (
	"context"
	"time"

	"latchkey/model"
	"latchkey/service/grant"
	"latchkey/service/session"
	"latchkey/service/watch"
)

// openGrants opens what apps are given. The apps must be open.
func (a *App) openGrants(watcher *watch.Service) error {
	cfg := grant.Defaults()
	cfg.Family, cfg.CacheSize = a.cfg.GrantLifetime, a.cfg.CacheSize
	if err := cfg.Validate(); err != nil {
		return err
	}
	a.Grants = grant.New(cfg, grant.Deps{
		Store: a.db.Grants(), Hub: a.hub, Now: a.opts.Now, Log: a.opts.Log, Seal: a.Ring.Seal, Open: a.Ring.Open,
		Record: a.audit.Record, Note: a.audit.Note, App: a.appOf, Opening: a.openingOf, Use: a.use,
		Reused: func(ctx context.Context, r grant.Reuse) { watcher.TokenReused(ctx, a.reusedOf(ctx, r)) },
		Device: func(accountKey, clientID string) string {
			return a.Sessions.DeviceKey(accountKey, session.OAuthClient(clientID))
		},
	})
	return nil
}

// reusedOf is a used token that came again, as its owner is told of it. An app
// that cannot be read now is told by its id.
func (a *App) reusedOf(ctx context.Context, r grant.Reuse) watch.ReusedToken {
	told := watch.ReusedToken{AccountKey: r.AccountKey, DeviceKey: r.DeviceKey, App: r.ClientID}
	if r.ClientID == "" {
		return told
	}
	if c, err := a.Apps.Find(ctx, r.ClientID); err == nil {
		told.App = c.Name
	}
	return told
}

// appOf is what grants need to know of an app that is in use.
func (a *App) appOf(ctx context.Context, clientID string) (grant.App, error) {
	c, err := a.Apps.Get(ctx, clientID)
	return grant.App{
		ID: c.ID, Name: c.Name, Scopes: c.Scopes, RefreshFor: time.Duration(c.RefreshTTL) * time.Second,
	}, err
}

// openingOf is how the login of an app is opened.
func (a *App) openingOf(o grant.Opening) model.LoginOpening {
	return a.Sessions.Granted(session.Granting{
		AccountKey: o.AccountKey, Epoch: o.Epoch, ClientID: o.App.ID, App: o.App.Name,
		Address: o.Address, Lifetime: o.For, At: o.At,
	})
}

// use judges the login of a token.
func (a *App) use(ctx context.Context, u grant.Use) error {
	_, err := a.Sessions.Use(ctx, session.Use{
		LoginID: u.LoginID, AccountKey: u.AccountKey, AnyDevice: true, Address: u.Address, UserAgent: u.UserAgent,
	})
	return err
}
