package server_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/servertest"
	"latchkey/service/account"
)

const mustEnrolV4 = `{"code":403,"data":null,"msg":"Your role requires 2FA: enable it first"}`

const mustEnrol = `{"code":403,"message":"Your role requires 2FA: enable it first","data":null}`

// servedToEverybody is all that an account which must enrol a second factor is
// served: what it needs for that, and what guards its logins meanwhile.
func servedToEverybody() []string {
	return []string{
		"GET /api/me",
		"GET /api/auth/logout",
		"POST /api/auth/2fa/generate",
		"POST /api/auth/2fa/verify",
		"GET /api/me/sessions",
		"POST /api/me/sessions/evict",
		"POST /api/me/password",
		"POST /api/auth/reauth",
		"GET /api/v4/session/oauth/app/:id", // which strangers are served, too
	}
}

// Every route of the engine is tried, so that a new one is either held back or
// named above. Nothing else stops an admin; others hear of the factor first, too.
func TestWhoMustEnrolIsServedNothingElse(t *testing.T) {
	s := servertest.Open(t)
	require(t, s, model.RoleAdmin)
	s.AddUser(t, "alice")
	require(t, s, account.RoleGeneral)
	held := 0
	for _, r := range routesOf(t, s) {
		path := strings.ReplaceAll(r.Path, ":id", "1")
		send := func(token string) servertest.Reply {
			request := servertest.Request{Method: r.Method, Path: path, Token: token}
			if r.Method != http.MethodGet {
				request.Body = "{}"
			}
			return s.Do(t, request)
		}
		looksAtCredentials := send("no token of ours").Code == http.StatusUnauthorized
		name := r.Method + " " + r.Path
		exempt := !looksAtCredentials || slices.Contains(servedToEverybody(), name)
		for _, who := range []string{"admin", "alice"} {
			reply := send(s.SignIn(t, who, servertest.AdminPassword, "").Token)
			if refused := (reply.Text == mustEnrol || reply.Text == mustEnrolV4) && reply.Status == http.StatusOK; refused == exempt {
				t.Errorf("%s by %s: exempt is %t, the answer %d %s", name, who, exempt, reply.Status, reply.Text)
			}
		}
		if !exempt {
			held++
		}
		if !looksAtCredentials && !isPublic(r.Path) {
			t.Errorf("%s looks at no credential: does everybody need it?", name)
		}
		if text := send(s.App.AdminToken()).Text; text == mustEnrol || text == mustEnrolV4 {
			t.Errorf("%s: the static token must enrol", name)
		}
	}
	if held < 30 {
		t.Errorf("%d routes are held back, want the most of them", held)
	}
}

func isPublic(path string) bool {
	return slices.ContainsFunc([]string{
		"/ping", "/api/public/", "/api/openapi.json", "/api/label/list", "/api/auth/login", "/api/auth/register",
		"/api/auth/sso", "/api/auth/get_sso_id", "/api/authn/webauthn_begin_login", "/api/authn/webauthn_finish_login",
		"/.well-known/", "/api/v4/session/token", "/api/v4/session/oauth/", // the app's proof, or the token, is looked at by the endpoint
		"/account/", "/session/", // pages, which look at a cookie where they need somebody
	}, func(public string) bool { return strings.HasPrefix(path, public) })
}

func routesOf(t *testing.T, s *servertest.Server) gin.RoutesInfo {
	t.Helper()
	engine, ok := s.App.Handler().(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is %T, want *gin.Engine", s.App.Handler())
	}
	var routes gin.RoutesInfo
	for _, r := range engine.Routes() {
		switch r.Method {
		case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete:
			routes = append(routes, r)
		}
	}
	return routes
}

func require(t *testing.T, s *servertest.Server, role int64) {
	t.Helper()
	if err := s.App.Accounts.RequireTwoFactor(t.Context(), role, true); err != nil {
		t.Fatal(err)
	}
}

// The rule may be switched on while a body is under way: what it asks for is
// not done any more.
func TestRuleThatComesWhileABodyIsReadHolds(t *testing.T) {
	for path, body := range map[string]string{
		"/api/me/update":         `{"username":"mallory","sso_id":"x"}`,
		"/api/admin/role/create": `{"name":"mole"}`,
	} {
		s := servertest.Open(t)
		token := s.Admin(t, "").Token
		listener := httptest.NewServer(s.App.Handler())
		defer listener.Close()
		request := holdBack(t, listener.Listener.Addr().String(), path, token, body)
		require(t, s, model.RoleAdmin)
		if got := request.send(t); got != http.StatusForbidden {
			t.Errorf("%s: code %d, want 403", path, got)
		}
		if roles, err := s.App.Roles(t.Context()); err != nil || len(roles) != 3 {
			t.Errorf("%s: the roles are %v, %v", path, roles, err)
		}
	}
}
