package server_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"

	"latchkey/docs"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/password"
	"latchkey/service/totp/totptest"
)

func TestOpenAPIIsServed(t *testing.T) {
	reply := servertest.Open(t).Do(t, servertest.Request{Path: "/api/openapi.json"})
	want, err := docs.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if reply.Status != http.StatusOK || reply.Text != string(want) {
		t.Errorf("answered %d with %d bytes, want 200 with the %d bytes of the document", reply.Status, len(reply.Text), len(want))
	}
	if media, _, _ := strings.Cut(reply.Header.Get("Content-Type"), ";"); media != "application/json" {
		t.Errorf("Content-Type is %q, want application/json", media)
	}
}

// The document has the routes that the engine has, and no others. Of routes that
// take every method it has GET and POST, and says so.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	s := servertest.Open(t)
	engine, ok := s.App.Handler().(*gin.Engine)
	if !ok {
		t.Fatalf("the handler is %T, want *gin.Engine", s.App.Handler())
	}
	methods, parameter := map[string][]string{}, regexp.MustCompile(`:(\w+)`)
	for _, r := range engine.Routes() {
		path := parameter.ReplaceAllString(r.Path, "{$1}")
		methods[path] = append(methods[path], r.Method)
	}
	var have []string
	for path, of := range methods {
		if len(of) > 3 {
			of = []string{http.MethodGet, http.MethodPost, "every method"}
		}
		for _, method := range of {
			have = append(have, path+" "+method)
		}
	}
	var described []string
	for path, item := range s.Contract(t).Doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, path+" "+method)
		}
		if every, _ := item.Extensions["x-any-method"].(bool); every {
			described = append(described, path+" every method")
		}
	}
	slices.Sort(have)
	slices.Sort(described)
	if diff := cmp.Diff(described, have); diff != "" {
		t.Errorf("docs/openapi.yaml (-) and the routes (+) differ:\n%s", diff)
	}
}

// visit walks through a server and notes which operations it saw do their part.
type visit struct {
	*testing.T

	server    *servertest.Server
	contract  *servertest.Contract
	succeeded map[string]bool // by operationId
}

// ok sends a request that is as the document wants it and has to succeed.
func (v *visit) ok(r servertest.Request) servertest.Reply {
	v.Helper()
	path, _, _ := strings.Cut(r.Path, "?")
	code := http.StatusOK
	if strings.HasPrefix(path, "/api/v4/") {
		code = 0 // as Cloudreve has it
	}
	if path == "/ping" || path == "/api/openapi.json" || strings.HasPrefix(path, "/account/") || strings.HasPrefix(path, "/.well-known/") {
		code = 0 // no envelope
	}
	return v.answers(r, code)
}

// answers is ok for an operation whose part is to answer another code.
func (v *visit) answers(r servertest.Request, code int) servertest.Reply {
	v.Helper()
	if err := v.contract.Request(v, r); err != nil {
		v.Errorf("%s: the request is not as described: %v", r.Path, err)
	}
	reply := v.server.Do(v, r)
	path, _, _ := strings.Cut(r.Path, "?")
	if reply.Status != http.StatusOK || reply.Code != code {
		v.Fatalf("%s: %d %s", r.Path, reply.Status, reply.Text)
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
		if r.Body != nil {
			method = http.MethodPost
		}
	}
	if op := v.contract.Operation(method, path); op != nil {
		v.succeeded[op.OperationID] = true
	}
	return reply
}

type object = map[string]any

// One walk through everything: each operation of the document is seen to work as
// it is described.
func TestOpenAPIOperationsWork(t *testing.T) {
	clock := servertest.NewClock()
	mail := servertest.NewMailServer(t, nil)
	s := servertest.Open(t, func(_ *config.Config, o *server.Options) { o.Now = clock.Now }, mail.Use)
	v := &visit{T: t, server: s, contract: s.Contract(t), succeeded: map[string]bool{}}
	s.AddUser(t, "alice")

	v.public()
	in := v.signIn()
	token := in.Token
	v.account(in)
	v.sshKeys(token)
	v.admin(in.DeviceKey)
	v.stepUp(token)
	v.accounts()
	v.throttle()
	v.roles()
	v.settings()
	v.apps()
	v.oauth(token)
	v.pairs()
	v.absent(token)
	token = v.pages(mail, token)
	v.browser()
	v.secondFactor(token, clock)
	v.ok(servertest.Request{Path: "/api/auth/logout", Token: token})

	for path, item := range v.contract.Doc.Paths.Map() {
		for method, op := range item.Operations() {
			if !v.succeeded[op.OperationID] {
				t.Errorf("%s %s was not seen to do its part", method, path)
			}
		}
	}
}

func (v *visit) public() {
	v.ok(servertest.Request{Path: "/api/openapi.json"})
	for _, path := range []string{
		"/ping", "/api/public/settings", "/api/public/archive_extensions", "/api/public/offline_download_tools",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			v.ok(servertest.Request{Method: method, Path: path})
		}
	}
}

// signIn signs alice in on four devices, and returns the first.
func (v *visit) signIn() servertest.SignedIn {
	const route, form = "/api/auth/login", "application/x-www-form-urlencoded"
	var in servertest.SignedIn
	v.ok(servertest.Request{
		Path: route, ClientID: "web", Header: map[string]string{"User-Agent": "Mozilla/5.0"},
		Body: object{"username": "alice", "password": servertest.AdminPassword, "otp_code": nil},
	}).Into(v, &in)
	v.ok(servertest.Request{
		Path: route, ClientID: "form", Header: map[string]string{"Content-Type": form},
		Body: "username=alice&password=correct+horse+battery",
	})
	v.ok(servertest.Request{
		Path: route, ClientID: "form", Header: map[string]string{"Content-Type": form},
		Body: "Username=alice&Password=correct+horse+battery&OtpCode=",
	})
	v.ok(servertest.Request{
		Method: http.MethodPost,
		Path:   route + "?Username=alice&Password=correct+horse+battery&client_id=query",
	})
	v.ok(servertest.Request{
		Path: route + "/hash", ClientID: "hashed",
		Body: object{"username": "alice", "password": password.Static(servertest.AdminPassword)},
	})
	return in
}

func (v *visit) account(in servertest.SignedIn) {
	token := in.Token
	v.ok(servertest.Request{Path: "/api/me", Token: token, ClientID: "web"})
	v.ok(servertest.Request{Path: "/api/me", Token: "Bearer " + token})
	v.ok(servertest.Request{
		Path: "/api/me/update", Token: token,
		Body: object{"username": "alicia", "password": servertest.AdminPassword, "sso_id": "a-1"},
	})
	v.ok(servertest.Request{Path: "/api/me/activity?page=1&per_page=20", Token: token})
	v.ok(servertest.Request{Path: "/api/me/connections", Token: token})
	others := v.devices("/api/me/sessions", token, in.DeviceKey)
	if len(others) != 3 {
		v.Fatalf("alice has %d other devices, want 3", len(others))
	}
	for i, key := range []string{"session_id", "device_key"} {
		v.ok(servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: object{key: others[i]}})
	}
}

// devices are the session ids of a list, but for one.
func (v *visit) devices(path, token, but string) []string {
	var rows []struct {
		SessionID string `json:"session_id"`
	}
	v.ok(servertest.Request{Path: path, Token: token}).Into(v, &rows)
	var ids []string
	for _, row := range rows {
		if row.SessionID != but {
			ids = append(ids, row.SessionID)
		}
	}
	return ids
}

// stepUp has alice prove who she is and change her password, and back.
func (v *visit) stepUp(token string) {
	const other = "another horse battery"
	v.server.SignIn(v, "alicia", servertest.AdminPassword, "spare")
	for _, proof := range []object{
		{"password": servertest.AdminPassword, "otp_code": nil},
		{"password": password.Static(servertest.AdminPassword), "hashed": true},
	} {
		v.ok(servertest.Request{Path: "/api/auth/reauth", Token: token, Body: proof})
	}
	v.ok(servertest.Request{Method: http.MethodPost, Path: "/api/me/sessions/evict_others", Token: token})
	v.ok(servertest.Request{Path: "/api/me/password", Token: token, Body: object{
		"old_password": servertest.AdminPassword, "new_password": other, "keep_current": nil,
	}})
	v.ok(servertest.Request{Path: "/api/me/password", Token: token, Body: object{"new_password": servertest.AdminPassword, "keep_current": true}})
}

// admin throws alice out of all devices but one, with the static token.
func (v *visit) admin(keep string) {
	token := v.server.App.AdminToken()
	v.ok(servertest.Request{Path: "/api/admin/connections", Token: token})
	others := v.devices("/api/admin/session/list", token, keep)
	if len(others) != 1 {
		v.Fatalf("%d other devices are left, want 1", len(others))
	}
	v.ok(servertest.Request{Path: "/api/admin/session/evict", Token: token, Body: object{"session_id": others[0]}})
	for _, body := range []object{{"session_id": others[0]}, {"user_id": 3}, {}} {
		v.ok(servertest.Request{Path: "/api/admin/session/clean", Token: token, Body: body})
	}
}

// accounts has bob register himself, and the operator make, change and delete
// carol.
func (v *visit) accounts() {
	token := v.server.App.AdminToken()
	const form = "/api/admin/user/"
	by := func(path string, body any) servertest.Request {
		return servertest.Request{Method: http.MethodPost, Path: form + path, Token: token, Body: body}
	}
	v.ok(servertest.Request{Path: "/api/admin/setting/save", Token: token, Body: []object{{"key": "allow_register", "value": "true"}}})
	v.ok(servertest.Request{Path: "/api/auth/register", Body: object{"username": "bob", "password": servertest.AdminPassword}})
	v.ok(by("create", object{"id": 50, "username": "carol", "role": []int{3}, "max_devices": 2, "disabled": false}))
	v.ok(by("update", object{"id": 50, "username": "caroline", "role": 0, "max_devices": nil, "session_ttl": 60}))
	v.ok(servertest.Request{Path: form + "list?page=1&per_page=2", Token: token})
	v.ok(servertest.Request{Path: form + "get?id=50", Token: token})
	v.ok(by("cancel_2fa?id=50", nil))
	v.ok(by("del_cache?username=caroline", nil))

	in := v.server.SignIn(v, "bob", servertest.AdminPassword, "")
	v.ok(servertest.Request{Path: "/api/me/sshkey/add", Token: in.Token, Body: object{
		"title": "b", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP9+9vjqD8+IllfsM8Ucbt7urEiEJuecTXa+P0VD7EgW",
	}})
	var keys struct{ Content []struct{ ID int64 } }
	v.ok(servertest.Request{Path: form + "sshkey/list?uid=4", Token: token}).Into(v, &keys)
	if len(keys.Content) != 1 {
		v.Fatalf("bob has %d keys, want 1", len(keys.Content))
	}
	v.ok(by(fmt.Sprintf("sshkey/delete?uid=4&id=%d", keys.Content[0].ID), nil))
	v.ok(by("delete?id=50", nil))
	v.ok(servertest.Request{Path: "/api/admin/audit?username=caroline&event=account_deleted&since=2026-01-01T00:00:00Z&page=1&per_page=20", Token: token})
}

func (v *visit) roles() {
	token := v.server.App.AdminToken()
	const form = "/api/admin/role/"
	scopes := []object{{"path": "a/b/", "permission": 264}}
	v.ok(servertest.Request{Path: form + "create", Token: token, Body: object{"id": 9, "name": "team", "permission_scopes": scopes}})
	v.ok(servertest.Request{Path: form + "update", Token: token, Body: object{"id": 9, "name": "crew", "default": false}})
	v.ok(servertest.Request{Path: form + "list", Token: token})
	v.ok(servertest.Request{Path: form + "get?id=9", Token: token})
	v.ok(servertest.Request{Path: form + "require_2fa", Token: token, Body: object{"id": 9, "require": true}})
	v.ok(servertest.Request{Method: http.MethodPost, Path: form + "delete?id=9", Token: token})
}

// settings ends with a static token of the operator's choice.
func (v *visit) settings() {
	token := v.server.App.AdminToken()
	const form = "/api/admin/setting/"
	for _, query := range []string{"list", "list?group=1", "list?groups=1,4", "get?key=site_title", "get?keys=site_title,version"} {
		v.ok(servertest.Request{Path: form + query, Token: token})
	}
	v.answers(servertest.Request{Method: http.MethodPost, Path: form + "delete?key=version", Token: token}, http.StatusBadRequest)
	v.ok(servertest.Request{Method: http.MethodPost, Path: form + "reset_token", Token: token}).Into(v, &token)
	v.ok(servertest.Request{Path: form + "set_token", Token: token, Body: object{"token": "a-token-of-my-own-choice"}})
}

// absent asks for what there is not.
func (v *visit) absent(token string) {
	for _, r := range []struct {
		method, path string
		code         int
	}{
		{"POST", "/api/auth/login/ldap", http.StatusForbidden},
		{"GET", "/api/label/list", http.StatusOK},
		{"POST", "/api/fs/list", http.StatusInternalServerError},
		{"POST", "/api/fs/get", http.StatusInternalServerError},
		{"POST", "/api/fs/dirs", http.StatusInternalServerError},
		{"GET", "/api/auth/sso", http.StatusForbidden},
		{"GET", "/api/auth/sso_callback", http.StatusForbidden},
		{"GET", "/api/auth/get_sso_id", http.StatusForbidden},
		{"GET", "/api/auth/sso_get_token", http.StatusForbidden},
		{"GET", "/api/authn/webauthn_begin_login", http.StatusForbidden},
		{"POST", "/api/authn/webauthn_finish_login", http.StatusForbidden},
		{"GET", "/api/authn/webauthn_begin_registration", http.StatusForbidden},
		{"POST", "/api/authn/webauthn_finish_registration", http.StatusForbidden},
		{"POST", "/api/authn/delete_authn", http.StatusForbidden},
		{"GET", "/api/authn/getcredentials", http.StatusOK},
	} {
		v.answers(servertest.Request{Method: r.method, Path: r.path, Token: token}, r.code)
	}
}

// changeFactor makes recovery codes, signs in with one, replaces the factor and
// takes it off.
func (v *visit) changeFactor(token string, clock *servertest.Clock) {
	v.ok(servertest.Request{Path: "/api/auth/2fa/status", Token: token})
	var made struct{ Codes []string }
	v.ok(servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/recovery_codes", Token: token}).Into(v, &made)
	v.ok(servertest.Request{
		Path: "/api/auth/login", ClientID: "recovered",
		Body: object{"username": "alicia", "password": servertest.AdminPassword, "otp_code": made.Codes[0]},
	})
	v.ok(servertest.Request{Path: "/api/auth/2fa/status", Token: token})
	var next struct{ Secret string }
	v.ok(servertest.Request{Path: "/api/auth/2fa/generate", Token: token, Body: object{"replace": true}}).Into(v, &next)
	v.ok(servertest.Request{
		Path: "/api/auth/2fa/verify", Token: token,
		Body: object{"secret": next.Secret, "code": totptest.Code(next.Secret, clock.Now())},
	})
	v.ok(servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/disable", Token: token})
	v.ok(servertest.Request{Path: "/api/auth/2fa/status", Token: token})
}

func (v *visit) secondFactor(token string, clock *servertest.Clock) {
	var made struct{ Secret string }
	v.ok(servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(v, &made)
	v.ok(servertest.Request{
		Path: "/api/auth/2fa/verify", Token: token,
		Body: object{"secret": made.Secret, "code": totptest.Code(made.Secret, clock.Now())},
	})
	v.changeFactor(token, clock)
	var next struct{ Secret string }
	v.ok(servertest.Request{Path: "/api/auth/2fa/generate", Token: token, Body: object{"replace": nil}}).Into(v, &next)
	made = next
	v.ok(servertest.Request{
		Path: "/api/auth/2fa/verify", Token: token,
		Body: object{"secret": made.Secret, "code": totptest.Code(made.Secret, clock.Now())},
	})
	clock.Advance(30 * time.Second) // a code works once
	v.ok(servertest.Request{
		Path: "/api/auth/login", ClientID: "web",
		Body: object{
			"username": "alicia", "password": servertest.AdminPassword,
			"opt_code": totptest.Code(made.Secret, clock.Now()),
		},
	})
	clock.Advance(30 * time.Second)
	v.pairWithCode(made.Secret, clock)
}
