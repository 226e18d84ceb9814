package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server/servertest"
	"latchkey/service/client"
)

// The auth types of the contract "OAuth": None looks at no header, Required takes
// a signed-in person, Optional takes anybody but whoever shows a bad credential.
// Each route of the two tables is of one type, and a new one must be named here.
func TestAuthTypesOfRoutes(t *testing.T) {
	const none, required, optional = "none", "required", "optional"
	types := map[string]string{
		"GET /.well-known/openid-configuration":           none,
		"GET /.well-known/oauth-authorization-server":     none,
		"GET /api/v4/session/oauth/jwks":                  none,
		"POST /api/v4/session/oauth/device_authorization": none,
		"POST /api/v4/session/token":                      none,
		"POST /api/v4/session/token/2fa":                  none,
		"POST /api/v4/session/token/refresh":              none,
		"DELETE /api/v4/session/token":                    none,
		"GET /api/v4/session/oauth/app/:id":               optional,
		"POST /api/v4/session/oauth/consent":              required,
		"DELETE /api/v4/session/oauth/grant/:id":          required,
		"POST /api/v4/session/oauth/token":                "", // the app's own proof stands in the header; see server/openid
		"POST /api/v4/session/oauth/revoke":               "",
		"POST /api/v4/session/oauth/introspect":           "",
		"GET /api/v4/session/oauth/userinfo":              "", // the access token does
		"POST /api/v4/session/oauth/userinfo":             "",
	}
	f := besiege(t)
	app, _, err := f.App.Apps.Register(t.Context(), client.Registration{Name: "Reader", Scopes: []string{"openid"}})
	if err != nil {
		t.Fatal(err)
	}
	live := f.Admin(t, "").Token
	for _, r := range allRoutesOf(t, f.Server) {
		name := r.Method + " " + r.Path
		if !strings.HasPrefix(r.Path, "/api/v4/session/") && !strings.HasPrefix(r.Path, "/.well-known/") {
			continue
		}
		kind, named := types[name]
		delete(types, name)
		if !named {
			t.Errorf("%s has no auth type here", name)
		}
		if kind == "" {
			continue
		}
		send := func(token string) servertest.Reply {
			t.Helper()
			request := servertest.Request{Method: r.Method, Path: strings.ReplaceAll(r.Path, ":id", app.ID), Token: token}
			if r.Method != http.MethodGet && !strings.HasSuffix(r.Path, ":id") {
				request.Body = "{}"
			}
			return f.unchecked(t, request)
		}
		refused := func(token string) bool { return send(token).Code == http.StatusUnauthorized }
		without, bad, good := refused(""), refused("Bearer nothing.of.ours"), refused("Bearer "+live)
		if want := kind == required; without != want {
			t.Errorf("%s: refused without a credential is %t, want %t", name, without, want)
		}
		if want := kind != none; bad != want {
			t.Errorf("%s: refused with a bad credential is %t, want %t", name, bad, want)
		}
		if good {
			t.Errorf("%s: a live credential is refused", name)
		}
		if kind == none {
			one, other := send(""), send("Basic "+strings.Repeat("x", 9000))
			if one.Status != other.Status {
				t.Errorf("%s: the header changes HTTP %d to %d", name, one.Status, other.Status)
			}
		}
	}
	for name := range types {
		t.Errorf("%s is not there", name)
	}
}

// allRoutesOf is every route of the engine, whatever its method.
func allRoutesOf(t *testing.T, s *servertest.Server) gin.RoutesInfo {
	t.Helper()
	engine, ok := s.App.Handler().(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is %T, want *gin.Engine", s.App.Handler())
	}
	return engine.Routes()
}
