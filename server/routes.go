package server

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"latchkey/docs"
	"latchkey/middleware"
	"latchkey/server/alist"
	"latchkey/server/mailed"
	"latchkey/server/newkey"
	"latchkey/server/openid"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
)

const (
	get  = http.MethodGet
	post = http.MethodPost
	put  = http.MethodPut
	del  = http.MethodDelete
	each = "*" // every method
)

// guard is what stands before a handler and says who may pass.
type guard []gin.HandlerFunc

type route struct {
	method string
	path   string
	guard  guard
	scope  access.Scope // what a delegated credential needs for it
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
		{each, "/ping", public, access.Open, ping},

		{post, "/api/auth/login", public, access.Open, api.SignIn},
		{post, "/api/auth/login/hash", public, access.Open, api.SignInHashed},
		{post, "/api/auth/login/ldap", public, access.Open, alist.Refuse(alist.ErrNoLDAP)},
		{post, "/api/auth/register", public, access.Open, api.Register},
		{get, "/api/auth/logout", anyDevice, access.FirstParty, api.Logout},
		{post, "/api/auth/2fa/generate", enrolling, access.FirstParty, api.GenerateTwoFactor},
		{post, "/api/auth/2fa/verify", enrolling, access.FirstParty, api.VerifyTwoFactor},

		{get, "/api/me", enrolling, access.MeRead, api.Me},
		{post, "/api/me/update", caller, access.MeUpdate, api.UpdateMe},
		{get, "/api/me/sessions", enrolling, access.SessionRead, api.Sessions},
		{post, "/api/me/sessions/evict", enrolling, access.SessionEvict, api.Evict},
		{get, "/api/me/connections", caller, access.SessionRead, api.Connections},
		{get, "/api/me/sshkey/list", caller, access.SSHKeyRead, api.SSHKeys},
		{post, "/api/me/sshkey/add", caller, access.SSHKeyCreate, api.AddSSHKey},
		{post, "/api/me/sshkey/update", caller, access.SSHKeyUpdate, api.UpdateSSHKey},
		{post, "/api/me/sshkey/lift", caller, access.SSHKeyUpdate, api.LiftSSHKey},
		{post, "/api/me/sshkey/delete", caller, access.SSHKeyDelete, api.DeleteSSHKey},

		{each, "/api/public/settings", public, access.Open, api.PublicSettings},
		{each, "/api/public/archive_extensions", public, access.Open, api.Nothing},
		{each, "/api/public/offline_download_tools", public, access.Open, api.Nothing},

		{get, "/api/openapi.json", public, access.Open, openAPI},
	}
	return slices.Concat(rows, a.administered(admin), a.stepUp(enrolling, caller), a.factor(caller), a.throttled(caller, admin),
		a.history(caller, admin), a.linked(caller), a.registered(), a.delegating(), a.paired(), a.signedInto(), a.consenting(),
		a.absent(public, caller), a.named(public, caller, admin))
}

// administered are the routes of admins.
func (a *App) administered(admin guard) []route {
	api := a.api
	return []route{
		{get, "/api/admin/user/list", admin, access.AdminUserRead, api.Users},
		{get, "/api/admin/user/get", admin, access.AdminUserRead, api.User},
		{post, "/api/admin/user/create", admin, access.AdminUserCreate, api.CreateUser},
		{post, "/api/admin/user/update", admin, access.AdminUserUpdate, api.UpdateUser},
		{post, "/api/admin/user/delete", admin, access.AdminUserDelete, api.DeleteUser},
		{post, "/api/admin/user/cancel_2fa", admin, access.FirstParty, api.CancelTwoFactor},
		{post, "/api/admin/user/del_cache", admin, access.AdminUserUpdate, api.ForgetUser},
		{get, "/api/admin/user/sshkey/list", admin, access.AdminSSHKeyRead, api.UserSSHKeys},
		{post, "/api/admin/user/sshkey/delete", admin, access.AdminSSHKeyDelete, api.DeleteUserSSHKey},

		{get, "/api/admin/role/list", admin, access.AdminRoleRead, api.Roles},
		{get, "/api/admin/role/get", admin, access.AdminRoleRead, api.Role},
		{post, "/api/admin/role/create", admin, access.AdminRoleUpdate, api.CreateRole},
		{post, "/api/admin/role/update", admin, access.AdminRoleUpdate, api.UpdateRole},
		{post, "/api/admin/role/require_2fa", admin, access.FirstParty, api.RequireTwoFactor},
		{post, "/api/admin/role/delete", admin, access.AdminRoleUpdate, api.DeleteRole},

		{get, "/api/admin/setting/list", admin, access.AdminSettingRead, api.SettingList},
		{get, "/api/admin/setting/get", admin, access.AdminSettingRead, api.SettingGet},
		{post, "/api/admin/setting/save", admin, access.AdminSettingUpdate, api.SettingSave},
		{post, "/api/admin/setting/delete", admin, access.AdminSettingUpdate, api.SettingDelete},
		{post, "/api/admin/setting/reset_token", admin, access.FirstParty, api.ResetToken},
		{post, "/api/admin/setting/set_token", admin, access.FirstParty, api.SetToken},

		{get, "/api/admin/connections", admin, access.AdminSessionRead, api.AdminConnections},
		{get, "/api/admin/session/list", admin, access.AdminSessionRead, api.AdminSessions},
		{post, "/api/admin/session/evict", admin, access.AdminSessionEvict, api.AdminEvict},
		{post, "/api/admin/session/clean", admin, access.AdminSessionEvict, api.AdminClean},
	}
}

// stepUp are the routes by which callers prove who they are once more, and what
// they do then.
func (a *App) stepUp(enrolling, caller guard) []route {
	return []route{
		{post, "/api/auth/reauth", enrolling, access.FirstParty, a.api.Reauthenticate},
		{post, "/api/me/password", enrolling, access.FirstParty, a.api.ChangePassword},
		{post, "/api/me/sessions/evict_others", caller, access.FirstParty, a.api.EvictOthers},
	}
}

// factor are the routes of a second factor that is on. AList has none of them.
func (a *App) factor(caller guard) []route {
	return []route{
		{post, "/api/auth/2fa/disable", caller, access.FirstParty, a.api.DisableTwoFactor},
		{post, "/api/auth/2fa/recovery_codes", caller, access.FirstParty, a.api.RenewRecoveryCodes},
		{get, "/api/auth/2fa/status", caller, access.MeRead, a.api.TwoFactorStatus},
	}
}

// throttled are the routes of those whose sign-ins are refused.
func (a *App) throttled(caller, admin guard) []route {
	return []route{
		{post, "/api/me/throttle/lift", caller, access.FirstParty, a.api.LiftMine},
		{get, "/api/admin/throttle/list", admin, access.AdminThrottleRead, a.api.Throttled},
		{post, "/api/admin/throttle/lift", admin, access.AdminThrottleUpdate, a.api.Lift},
	}
}

// history is what happened.
func (a *App) history(caller, admin guard) []route {
	return []route{
		{get, "/api/me/activity", caller, access.ActivityRead, a.api.Activity},
		{get, "/api/admin/audit", admin, access.AdminAuditRead, a.api.AuditEvents},
	}
}

// linked are one's own address, and the pages that links in mail lead to.
// Anybody may open them, and failures are pages, too.
func (a *App) linked(caller guard) []route {
	pages := a.pages
	page := guard{middleware.Recovery(a.opts.Log, pages.Render), middleware.Errors(a.opts.Log, pages.Render)}
	return []route{
		{post, "/api/me/email", caller, access.FirstParty, a.api.SetEmail},

		{get, mailed.PathConfirmEmail, page, access.Open, pages.AskConfirmEmail},
		{post, mailed.PathConfirmEmail, page, access.Open, pages.ConfirmEmail},
		{get, mailed.PathNotMe, page, access.Open, pages.AskNotMe},
		{post, mailed.PathNotMe, page, access.Open, pages.NotMe},
		{get, mailed.PathSetPassword, page, access.Open, pages.AskPassword},
		{post, mailed.PathSetPassword, page, access.Open, pages.SetPassword},
	}
}

// named are the routes of API keys, the page on which people make one, and the
// desk where anybody leaves one that they found.
func (a *App) named(public, caller, admin guard) []route {
	api := a.api
	page := guard{
		middleware.Recovery(a.opts.Log, a.newKey.Render), middleware.Errors(a.opts.Log, a.newKey.Render),
		middleware.FindHTTPS(a.cfg.TrustedProxies, a.cfg.SiteURL),
	}
	return []route{
		{get, "/api/me/apikey/list", caller, access.APIKeyRead, api.APIKeys},
		{get, "/api/me/apikey/current", caller, access.APIKeyRead, api.CurrentAPIKey},
		{get, "/api/me/apikey/scopes", caller, access.APIKeyRead, api.Scopes},
		{get, "/api/me/apikey/learned", caller, access.APIKeyRead, api.LearnedByAPIKey},
		{post, "/api/me/apikey/create", caller, access.FirstParty, api.CreateAPIKey},
		{post, "/api/me/apikey/update", caller, access.FirstParty, api.UpdateAPIKey},
		{post, "/api/me/apikey/rotate", caller, access.FirstParty, api.RotateAPIKey},
		{post, "/api/me/apikey/delete", caller, access.FirstParty, api.DeleteAPIKey},
		{get, "/api/admin/user/apikey/list", admin, access.AdminAPIKeyRead, api.UserAPIKeys},
		{post, "/api/admin/user/apikey/delete", admin, access.AdminAPIKeyDelete, api.DeleteUserAPIKey},

		{get, newkey.Path, page, access.Open, a.newKey.Ask},
		{post, newkey.Path, page, access.Open, a.newKey.Make},
		{post, "/api/leaks", public, access.Open, api.ReportLeaks},
	}
}

// absent are the routes of what AList has and Latchkey has not, so that its
// clients are told so in the words they know.
func (a *App) absent(public, caller guard) []route {
	api := a.api
	return []route{
		{get, "/api/label/list", public, access.Open, api.EmptyPage},
		{post, "/api/fs/list", caller, access.MeRead, alist.Refuse(alist.ErrNoStorage)},
		{post, "/api/fs/get", caller, access.MeRead, alist.Refuse(alist.ErrNoStorage)},
		{post, "/api/fs/dirs", caller, access.MeRead, alist.Refuse(alist.ErrNoStorage)},
		{get, "/api/auth/sso", public, access.Open, alist.Refuse(alist.ErrNoSSO)},
		{get, "/api/auth/sso_callback", public, access.Open, alist.Refuse(alist.ErrNoSSOReturn)},
		{get, "/api/auth/get_sso_id", public, access.Open, alist.Refuse(alist.ErrNoSSOReturn)},
		{get, "/api/auth/sso_get_token", public, access.Open, alist.Refuse(alist.ErrNoSSOReturn)},
		{get, "/api/authn/webauthn_begin_login", public, access.Open, alist.Refuse(alist.ErrNoPasskeys)},
		{post, "/api/authn/webauthn_finish_login", public, access.Open, alist.Refuse(alist.ErrNoPasskeys)},
		{get, "/api/authn/webauthn_begin_registration", caller, access.FirstParty, alist.Refuse(alist.ErrNoPasskeys)},
		{post, "/api/authn/webauthn_finish_registration", caller, access.FirstParty, alist.Refuse(alist.ErrNoPasskeys)},
		{post, "/api/authn/delete_authn", caller, access.FirstParty, alist.Refuse(alist.ErrNoPasskeys)},
		{get, "/api/authn/getcredentials", caller, access.MeRead, api.Nothing},
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
		middleware.Statuses(),
		middleware.Headers(),
		middleware.Framing(),
		middleware.Recovery(log, render),
		middleware.Errors(log, render),
		cors,
		middleware.BodyLimit("/api/auth/", "/api/v4/session/", "/account/", "/session/", "/api/leaks"),
	)
	engine.NoRoute(web.Handle(func(*gin.Context) error { return alist.ErrNoRoute }))
	engine.NoMethod(web.Handle(func(*gin.Context) error { return alist.ErrMethod }))
	for _, r := range a.table() {
		chain := append(slices.Clone(r.guard), middleware.RequireScope(r.scope, a.apiKeys.Learn), web.Handle(r.handle))
		if r.method == each {
			engine.Any(r.path, chain...)
			continue
		}
		engine.Handle(r.method, r.path, chain...)
	}
	return engine, nil
}

// render answers a failure in the dialect of the path. Of paths and methods that
// are not there, nobody knows whose dialect was meant.
func render(c *gin.Context, f *fault.Error, requestID string) {
	if openid.IsProtocol(c.Request.URL.Path) && !f.Is(alist.ErrMethod) {
		openid.RenderOAuth(c, f, requestID)
		return
	}
	if strings.HasPrefix(c.Request.URL.Path, openid.Prefix) && !f.Is(alist.ErrNoRoute) && !f.Is(alist.ErrMethod) {
		openid.Render(c, f, requestID)
		return
	}
	alist.Render(c, f, requestID)
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
