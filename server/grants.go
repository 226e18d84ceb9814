package server

import (
	"context"
	"time"

	"latchkey/model"
	"latchkey/service/grant"
	"latchkey/service/session"
)

// openGrants opens the service of what apps are given.
func (a *App) openGrants() error {
	cfg := grant.Defaults()
	cfg.CacheSize = a.cfg.CacheSize
	if err := cfg.Validate(); err != nil {
		return err
	}
	a.Grants = grant.New(cfg, grant.Deps{
		Store: a.db.Grants(), Hub: a.hub, Now: a.opts.Now, Seal: a.Ring.Seal, Open: a.Ring.Open,
		Record: a.audit.Record, Note: a.audit.Note, Log: a.opts.Log,
		App: func(ctx context.Context, id string) (grant.App, error) { return appOf(a.Apps.Get(ctx, id)) },
		Device: func(accountKey, clientID string) string {
			return a.Sessions.DeviceKey(accountKey, session.OAuthClient(clientID))
		},
		Opening: func(o grant.Opening) model.LoginOpening {
			return a.Sessions.Granted(session.Granting{
				AccountKey: o.AccountKey, Epoch: o.Epoch, ClientID: o.App.ID, App: o.App.Name,
				Address: o.Address, Lifetime: o.For, At: o.At,
			})
		},
		Use: func(ctx context.Context, u grant.Use) error {
			_, err := a.Sessions.Use(ctx, session.Use{
				LoginID: u.LoginID, AccountKey: u.AccountKey, AnyDevice: true, Address: u.Address, UserAgent: u.UserAgent,
			})
			return err
		},
	})
	return nil
}

// appOf is a registered app as grants know it.
func appOf(c model.OAuthClient, err error) (grant.App, error) {
	return grant.App{
		ID: c.ID, Name: c.Name, Scopes: c.Scopes, RefreshFor: time.Duration(c.RefreshTTL) * time.Second,
	}, err
}
