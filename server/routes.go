package server

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"latchkey/docs"
	"latchkey/middleware"
	"latchkey/server/alist"
	"latchkey/server/web"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	each = "*" // every method
)

// guard is what stands before a handler and says who may pass.
type guard []gin.HandlerFunc

type route struct {
	method string
	path   string
	guard  guard
	handle web.Handler
}

// table is the whole HTTP surface.
func (a *App) table() []route {
	var (
		api       = a.api
		who       = middleware.Authenticate(a.who, false)
		public    = guard{}                                     // anybody; no credential is looked at
		caller    = guard{who, middleware.Recheck(who)}         // whoever a credential stands for, the guest included
		anyDevice = guard{middleware.Authenticate(a.who, true)} // the same, with a token under any Client-Id; for GET
		admin     = guard{who, middleware.RequireAdmin(), middleware.Recheck(who), middleware.RequireAdmin()}
	)
	rows := []route{
		{each, "/ping", public, ping},

		{post, "/api/auth/login", public, api.SignIn},
		{post, "/api/auth/login/hash", public, api.SignInHashed},
		{post, "/api/auth/login/ldap", public, alist.Refuse(alist.ErrNoLDAP)},
		{post, "/api/auth/register", public, api.Register},
		{get, "/api/auth/logout", anyDevice, api.Logout},
		{post, "/api/auth/2fa/generate", caller, api.GenerateTwoFactor},
		{post, "/api/auth/2fa/verify", caller, api.VerifyTwoFactor},

		{get, "/api/me", caller, api.Me},
		{post, "/api/me/update", caller, api.UpdateMe},
		{get, "/api/me/sessions", caller, api.Sessions},
		{post, "/api/me/sessions/evict", caller, api.Evict},
		{get, "/api/me/connections", caller, api.Connections},
		{get, "/api/me/sshkey/list", caller, api.SSHKeys},
		{post, "/api/me/sshkey/add", caller, api.AddSSHKey},
		{post, "/api/me/sshkey/delete", caller, api.DeleteSSHKey},

		{get, "/api/admin/user/list", admin, api.Users},
		{get, "/api/admin/user/get", admin, api.User},
		{post, "/api/admin/user/create", admin, api.CreateUser},
		{post, "/api/admin/user/update", admin, api.UpdateUser},
		{post, "/api/admin/user/delete", admin, api.DeleteUser},
		{post, "/api/admin/user/cancel_2fa", admin, api.CancelTwoFactor},
		{post, "/api/admin/user/del_cache", admin, api.ForgetUser},
		{get, "/api/admin/user/sshkey/list", admin, api.UserSSHKeys},
		{post, "/api/admin/user/sshkey/delete", admin, api.DeleteUserSSHKey},

		{get, "/api/admin/role/list", admin, api.Roles},
		{get, "/api/admin/role/get", admin, api.Role},
		{post, "/api/admin/role/create", admin, api.CreateRole},
		{post, "/api/admin/role/update", admin, api.UpdateRole},
		{post, "/api/admin/role/delete", admin, api.DeleteRole},

		{get, "/api/admin/setting/list", admin, api.SettingList},
		{get, "/api/admin/setting/get", admin, api.SettingGet},
		{post, "/api/admin/setting/save", admin, api.SettingSave},
		{post, "/api/admin/setting/delete", admin, api.SettingDelete},
		{post, "/api/admin/setting/reset_token", admin, api.ResetToken},
		{post, "/api/admin/setting/set_token", admin, api.SetToken},

		{get, "/api/admin/connections", admin, api.AdminConnections},
		{get, "/api/admin/session/list", admin, api.AdminSessions},
		{post, "/api/admin/session/evict", admin, api.AdminEvict},
		{post, "/api/admin/session/clean", admin, api.AdminClean},

		{each, "/api/public/settings", public, api.PublicSettings},
		{each, "/api/public/archive_extensions", public, api.Nothing},
		{each, "/api/public/offline_download_tools", public, api.Nothing},

		{get, "/api/openapi.json", public, openAPI},
	}
	return append(rows, a.absent(public, caller)...)
}

// absent are the routes of what AList has and Latchkey has not, so that its
// clients are told so in the words they know.
func (a *App) absent(public, caller guard) []route {
	api := a.api
	return []route{
		{get, "/api/label/list", public, api.EmptyPage},
		{post, "/api/fs/list", caller, alist.Refuse(alist.ErrNoStorage)},
		{post, "/api/fs/get", caller, alist.Refuse(alist.ErrNoStorage)},
		{post, "/api/fs/dirs", caller, alist.Refuse(alist.ErrNoStorage)},
		{get, "/api/auth/sso", public, alist.Refuse(alist.ErrNoSSO)},
		{get, "/api/auth/sso_callback", public, alist.Refuse(alist.ErrNoSSOReturn)},
		{get, "/api/auth/get_sso_id", public, alist.Refuse(alist.ErrNoSSOReturn)},
		{get, "/api/auth/sso_get_token", public, alist.Refuse(alist.ErrNoSSOReturn)},
		{get, "/api/authn/webauthn_begin_login", public, alist.Refuse(alist.ErrNoPasskeys)},
		{post, "/api/authn/webauthn_finish_login", public, alist.Refuse(alist.ErrNoPasskeys)},
		{get, "/api/authn/webauthn_begin_registration", caller, alist.Refuse(alist.ErrNoPasskeys)},
		{post, "/api/authn/webauthn_finish_registration", caller, alist.Refuse(alist.ErrNoPasskeys)},
		{post, "/api/authn/delete_authn", caller, alist.Refuse(alist.ErrNoPasskeys)},
		{get, "/api/authn/getcredentials", caller, api.Nothing},
	}
}

// routes builds the handler of the table.
func (a *App) routes() (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false // a redirect would lose a POST's body
	if err := engine.SetTrustedProxies(nil); err != nil {
		return nil, err
	}
	cors, err := middleware.CORS(a.cfg.CORSOrigins)
	if err != nil {
		return nil, err
	}
	log := a.opts.Log
	engine.Use(middleware.RequestID(), middleware.FindClientIP(a.cfg.TrustedProxies, log))
	if a.cfg.AccessLog {
		engine.Use(middleware.AccessLog(log, a.opts.Now))
	}
	engine.Use(
		middleware.Headers(),
		middleware.Framing(),
		middleware.Recovery(log, alist.Render),
		middleware.Errors(log, alist.Render),
		cors,
		middleware.BodyLimit("/api/auth/"),
	)
	engine.NoRoute(web.Handle(func(*gin.Context) error { return alist.ErrNoRoute }))
	engine.NoMethod(web.Handle(func(*gin.Context) error { return alist.ErrMethod }))
	for _, r := range a.table() {
		chain := append(slices.Clone(r.guard), web.Handle(r.handle))
		if r.method == each {
			engine.Any(r.path, chain...)
			continue
		}
		engine.Handle(r.method, r.path, chain...)
	}
	return engine, nil
}

func ping(c *gin.Context) error {
	c.String(http.StatusOK, "pong")
	return nil
}

func openAPI(c *gin.Context) error {
	text, err := docs.OpenAPI()
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "application/json; charset=utf-8", text)
	return nil
}
