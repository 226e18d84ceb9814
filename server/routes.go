package server

import (
	"net/http"
	"slices"
	"time"

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
		public    = guard{}                                      // anybody; no credential is looked at
		caller    = guard{middleware.Authenticate(a.who, false)} // whoever a credential stands for, the guest included
		anyDevice = guard{middleware.Authenticate(a.who, true)}  // the same, with a token under any Client-Id
		admin     = guard{middleware.Authenticate(a.who, false), middleware.RequireAdmin()}
	)
	return []route{
		{each, "/ping", public, ping},

		{post, "/api/auth/login", public, api.SignIn},
		{post, "/api/auth/login/hash", public, api.SignInHashed},
		{get, "/api/auth/logout", anyDevice, api.Logout},
		{post, "/api/auth/2fa/generate", caller, api.GenerateTwoFactor},
		{post, "/api/auth/2fa/verify", caller, api.VerifyTwoFactor},

		{get, "/api/me", caller, api.Me},
		{post, "/api/me/update", caller, api.UpdateMe},
		{get, "/api/me/sessions", caller, api.Sessions},
		{post, "/api/me/sessions/evict", caller, api.Evict},
		{get, "/api/me/sshkey/list", caller, api.SSHKeys},
		{post, "/api/me/sshkey/add", caller, api.AddSSHKey},
		{post, "/api/me/sshkey/delete", caller, api.DeleteSSHKey},

		{get, "/api/admin/session/list", admin, api.AdminSessions},
		{post, "/api/admin/session/evict", admin, api.AdminEvict},
		{post, "/api/admin/session/clean", admin, api.AdminClean},

		{each, "/api/public/settings", public, api.PublicSettings},
		{each, "/api/public/archive_extensions", public, api.Nothing},
		{each, "/api/public/offline_download_tools", public, api.Nothing},
		{get, "/api/openapi.json", public, openAPI},
	}
}

// requestTimeout bounds the work for one request.
const requestTimeout = 30 * time.Second

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
		middleware.Timeout(requestTimeout),
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
