package openid

import (
	"latchkey/service/admin"
	"latchkey/service/client"
)

// API is the handlers of the doors. It is safe for concurrent use.
type API struct{ svc Deps }

// Deps are the services behind the handlers.
type Deps struct {
	Admin *admin.Service
	Apps  *client.Service
}

// New makes the handlers.
func New(d Deps) *API { return &API{svc: d} }
