package server

import "latchkey/service/apikey"

// APIKeys are the API keys, for tests of what no door shows.
func (a *App) APIKeys() *apikey.Service { return a.apiKeys }
