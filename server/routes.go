package server

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"latchkey/docs"
	"latchkey/middleware"
	"latchkey/server/alist"
	"latchkey/server/mailed"
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
		public    = guard{} // anybody; no credential is looked at
		enrolled  = middleware.RequireEnrolled()
		enrolling = guard{who, middleware.Recheck(who)}           // like caller, and those too who must first enrol a second factor
		caller    = guard{who, middleware.Recheck(who), enrolled} // whoever a credential stands for, the guest included
		anyDevice = guard{middleware.Authenticate(a.who, true)}   // the same, with a token under any Client-Id; for GET
		admin     = guard{who, enrolled, middleware.RequireAdmin(), middleware.Recheck(who), enrolled, middleware.RequireAdmin()}
	)
	rows := []route{
		{each, "/ping", public, ping},

		{post, "/api/auth/login", public, api.SignIn},
		{post, "/api/auth/login/hash", public, api.SignInHashed},
		{post, "/api/auth/login/ldap", public, alist.Refuse(alist.ErrNoLDAP)},
		{post, "/api/auth/register", public, api.Register},
		{get, "/api/auth/logout", anyDevice, api.Logout},
		{post, "/api/auth/2fa/generate", enrolling, api.GenerateTwoFactor},
		{post, "/api/auth/2fa/verify", enrolling, api.VerifyTwoFactor},

		{get, "/api/me", enrolling, api.Me},
		{post, "/api/me/update", caller, api.UpdateMe},
		{get, "/api/me/sessions", enrolling, api.Sessions},
		{post, "/api/me/sessions/evict", enrolling, api.Evict},
		{get, "/api/me/connections", caller, api.Connections},
		{get, "/api/me/sshkey/list", caller, api.SSHKeys},
		{post, "/api/me/sshkey/add", caller, api.AddSSHKey},
		{post, "/api/me/sshkey/update", caller, api.UpdateSSHKey},
		{post, "/api/me/sshkey/lift", caller, api.LiftSSHKey},
		{post, "/api/me/sshkey/delete", caller, api.DeleteSSHKey},

		{each, "/api/public/settings", public, api.PublicSettings},
		{each, "/api/public/archive_extensions", public, api.Nothing},
		{each, "/api/public/offline_download_tools", public, api.Nothing},

		{get, "/api/openapi.json", public, openAPI},
	}
	return slices.Concat(rows, a.administered(admin), a.stepUp(enrolling, caller), a.factor(caller), a.throttled(caller, admin),
		a.history(caller, admin), a.linked(caller), a.absent(public, caller))
}

// administered are the routes of admins.
func (a *App) administered(admin guard) []route {
	api := a.api
	return []route{
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
		{post, "/api/admin/role/require_2fa", admin, api.RequireTwoFactor},
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
	}
}

// stepUp are the routes by which callers prove who they are once more, and what
// they do then.
func (a *App) stepUp(enrolling, caller guard) []route {
	return []route{
		{post, "/api/auth/reauth", enrolling, a.api.Reauthenticate},
		{post, "/api/me/password", enrolling, a.api.ChangePassword},
		{post, "/api/me/sessions/evict_others", caller, a.api.EvictOthers},
	}
}

// factor are the routes of a second factor that is on. AList has none of them.
func (a *App) factor(caller guard) []route {
	return []route{
		{post, "/api/auth/2fa/disable", caller, a.api.DisableTwoFactor},
		{post, "/api/auth/2fa/recovery_codes", caller, a.api.RenewRecoveryCodes},
		{get, "/api/auth/2fa/status", caller, a.api.TwoFactorStatus},
	}
}

// throttled are the routes of those whose sign-ins are refused.
func (a *App) throttled(caller, admin guard) []route {
	return []route{
		{post, "/api/me/throttle/lift", caller, a.api.LiftMine},
		{get, "/api/admin/throttle/list", admin, a.api.Throttled},
		{post, "/api/admin/throttle/lift", admin, a.api.Lift},
	}
}

// history is what happened.
func (a *App) history(caller, admin guard) []route {
	return []route{
		{get, "/api/me/activity", caller, a.api.Activity},
		{get, "/api/admin/audit", admin, a.api.AuditEvents},
	}
}

// linked are one's own address, and the pages that links in mail lead to.
// Anybody may open them, and failures are pages, too.
func (a *App) linked(caller guard) []route {
	pages := a.pages
	page := guard{middleware.Recovery(a.opts.Log, pages.Render), middleware.Errors(a.opts.Log, pages.Render)}
	return []route{
		{post, "/api/me/email", caller, a.api.SetEmail},

		{get, mailed.PathConfirmEmail, page, pages.AskConfirmEmail},
		{post, mailed.PathConfirmEmail, page, pages.ConfirmEmail},
		{get, mailed.PathNotMe, page, pages.AskNotMe},
		{post, mailed.PathNotMe, page, pages.NotMe},
		{get, mailed.PathSetPassword, page, pages.AskPassword},
		{post, mailed.PathSetPassword, page, pages.SetPassword},
	}
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
		middleware.BodyLimit("/api/auth/", "/account/"),
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
