package alist

import (
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/admin"
	"latchkey/service/apikey"
	"latchkey/service/audit"
	"latchkey/service/connection"
	"latchkey/service/leak"
	"latchkey/service/login"
	"latchkey/service/profile"
	"latchkey/service/session"
	"latchkey/service/setting"
	"latchkey/service/sshkey"
	"latchkey/service/totp"
	"latchkey/service/watch"
)

// API is the handlers of the dialect. It is safe for concurrent use.
type API struct{ svc Deps }

// Deps are the services behind the handlers.
type Deps struct {
	Login    *login.Service
	Admin    *admin.Service
	Accounts *account.Service
	Profile  *profile.Service
	Sessions *session.Service
	Settings *setting.Service
	Factors  *totp.Service
	SSHKeys  *sshkey.Service
	APIKeys  *apikey.Service
	Leaks    *leak.Service
	Audit    *audit.Recorder
	Watch    *watch.Service

	Connections *connection.Registry

	KeyLink func(name string, scopes access.Scopes) string // leads to where such an API key is made
}

// New makes the handlers.
func New(d Deps) *API { return &API{svc: d} }
