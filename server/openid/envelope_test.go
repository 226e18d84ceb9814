package openid_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"latchkey/server/openid"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/authn"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/totp"
)

func TestRender(t *testing.T) {
	delegated := access.Caller{Kind: access.APIKey, Account: &access.Account{}, Scopes: access.Scopes{access.MeRead}}
	for name, tt := range map[string]struct {
		by     access.Caller
		fault  *fault.Error
		status int
		text   string
	}{
		"nobody":          {access.Caller{}, authn.ErrGuestDisabled, 200, `{"code":401,"data":null,"msg":"Login required"}`},
		"disabled":        {access.Caller{}, account.ErrDisabled, 200, `{"code":40017,"data":null,"msg":"Current user is disabled, replace please"}`},
		"wrong password":  {access.Caller{}, login.ErrCredentials, 200, `{"code":40080,"data":null,"msg":"username or password is incorrect"}`},
		"code wanted":     {access.Caller{}, login.ErrCodeNeeded, 200, `{"code":203,"data":null,"msg":"Invalid 2FA code"}`},
		"wrong code":      {access.Caller{}, totp.ErrWrongCode, 200, `{"code":40022,"data":null,"msg":"Incorrect 2FA code"}`},
		"invalid":         {access.Caller{}, fault.New(fault.Invalid, "x", "No."), 200, `{"code":40001,"data":null,"msg":"No."}`},
		"unknown":         {access.Caller{}, fault.New(fault.NotFound, "x", "No."), 200, `{"code":404,"data":null,"msg":"No."}`},
		"too much":        {access.Caller{}, fault.New(fault.TooLarge, "x", "No."), 413, `{"code":413,"data":null,"msg":"No."}`},
		"our own fault":   {access.Caller{}, fault.New(fault.Internal, "x", "SELECT"), 500, `{"code":500,"data":null,"msg":"internal error, request r1"}`},
		"storage gone":    {access.Caller{}, fault.New(fault.Unavailable, "x", "Later."), 503, `{"code":503,"data":null,"msg":"Later."}`},
		"a key's scope":   {delegated, scopeFault(t, delegated), 403, `{"code":40089,"data":null,"msg":"Insufficient scope: admin.oauth.read"}`},
		"a key, unknown":  {delegated, fault.New(fault.NotFound, "x", "No."), 404, `{"code":404,"data":null,"msg":"No."}`},
		"a key, by owner": {delegated, fault.Of(delegated.CheckScope(access.FirstParty)), 403, `{"code":403,"data":null,"msg":"Sign in to do this: API keys and OAuth tokens may not"}`},
	} {
		t.Run(name, func(t *testing.T) {
			reply := httptest.NewRecorder()
			c, _ := gin.CreateTestContext(reply)
			request := httptest.NewRequest(http.MethodGet, "/api/v4/x", http.NoBody)
			c.Request = request.WithContext(access.With(request.Context(), tt.by))
			openid.Render(c, tt.fault, "r1")
			if reply.Code != tt.status || reply.Body.String() != tt.text {
				t.Errorf("%d %s, want %d %s", reply.Code, reply.Body, tt.status, tt.text)
			}
		})
	}
}

func scopeFault(t *testing.T, by access.Caller) *fault.Error {
	t.Helper()
	f := fault.Of(by.CheckScope(access.AdminOAuthRead))
	if !f.Is(access.ErrScope) {
		t.Fatalf("CheckScope = %v", f)
	}
	return f
}
