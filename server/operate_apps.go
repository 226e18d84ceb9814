package server

import (
	"context"

	"latchkey/model"
)

// RegisteredApps lists the registered OAuth apps, oldest first.
func (a *App) RegisteredApps(ctx context.Context) ([]model.OAuthClient, error) {
	return all(ctx, a.Apps.List)
}
