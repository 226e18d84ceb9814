package server

import (
	"context"

	"latchkey/service/apikey"
	"latchkey/service/watch"
)

// openAPIKeys opens the API keys. What their last requests left behind is
// written before the database is closed.
func (a *App) openAPIKeys(ctx context.Context, watcher *watch.Service) {
	a.apiKeys = apikey.New(apikey.Config{CacheSize: a.cfg.CacheSize}, apikey.Deps{
		Store: a.db.APIKeys(), Hub: a.hub, Log: a.opts.Log, Now: a.opts.Now, Record: a.audit.Record,
		UnusedFor: a.Settings.APIKeyUnused, SwitchOff: a.Settings.APIKeyOff,
		Expiring: watcher.APIKeyExpiring, Leaked: watcher.APIKeyLeaked,
	})
	a.closers = append(a.closers, func() error {
		a.apiKeys.Close(context.WithoutCancel(ctx))
		return nil
	})
}
