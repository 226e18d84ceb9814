package openid

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/authn"
	"latchkey/service/fault"
	"latchkey/service/grant"
	"latchkey/service/login"
	"latchkey/service/oauth"
	"latchkey/service/totp"
)

// Prefix begins the paths whose failures have the envelope of this package.
const Prefix = "/api/v4/"

// envelope is every answer but those that OAuth itself gives a form. All three
// keys are always there.
type envelope struct {
	Code int    `json:"code"` // 0: success
	Data any    `json:"data"`
	Msg  string `json:"msg"` // empty on success
}

// The codes of the envelope that are no HTTP statuses.
const (
	codeTwoFactor  = 203
	codeParameter  = 40001
	codeBlocked    = 40017
	codeCredential = 40020
	codeWrongCode  = 40022
	codeWrongLogin = 40080
	codeScope      = 40089
)

// ErrLogin says that a route is for those who are signed in.
var ErrLogin = fault.New(fault.Unauthenticated, "login_required", "Login required")

// ok answers success with data, or with null.
func ok(c *gin.Context, data any) error {
	c.JSON(http.StatusOK, envelope{Data: data})
	return nil
}

// RequireLogin refuses guests: it makes a route's auth type "Required". It
// stands after middleware.Authenticate.
func RequireLogin() gin.HandlerFunc {
	return func(c *gin.Context) {
		if access.From(c.Request.Context()).Kind == access.Guest {
			web.Abort(c, ErrLogin)
		}
	}
}

// Render answers a failure in the envelope. Clients of this dialect look at the
// code in the body, so the status is 200 wherever a handler had its say; a
// program with an API key or an OAuth token gets a real one (contract "API
// keys", status).
func Render(c *gin.Context, f *fault.Error, requestID string) {
	status, text := http.StatusOK, textOf(f)
	switch {
	case f.Kind == fault.Internal:
		text = "internal error, request " + requestID
		status = http.StatusInternalServerError
	case f.Kind == fault.Unavailable, f.Kind == fault.TooLarge, f.Kind == fault.Unsupported,
		web.AnswersByStatus(c), access.From(c.Request.Context()).IsDelegated():
		if status = web.Status(f.Kind); status == http.StatusUnauthorized {
			web.Challenge(c, "invalid_token", text, "")
		}
	}
	code := codeOf(f)
	web.SetBodyCode(c, code)
	c.AbortWithStatusJSON(status, envelope{Code: code, Msg: text})
}

// codeOf is the dialect's code for a failure.
func codeOf(f *fault.Error) int {
	switch {
	case f.Is(access.ErrScope):
		return codeScope
	case f.Is(account.ErrDisabled):
		return codeBlocked
	case f.Is(login.ErrCredentials):
		return codeWrongLogin
	case f.Is(totp.ErrWrongCode):
		return codeWrongCode
	case f.Is(grant.ErrGrant), f.Is(oauth.ErrTicket):
		return codeCredential
	case f.Kind == fault.Invalid:
		return codeParameter
	case f.Kind == fault.CodeRequired:
		return codeTwoFactor
	}
	return web.Status(f.Kind)
}

// textOf is the failure in the dialect's words.
func textOf(f *fault.Error) string {
	switch {
	case f.Is(authn.ErrGuestDisabled):
		return ErrLogin.Text
	case f.Is(totp.ErrWrongCode):
		return "Incorrect 2FA code"
	case f.Is(access.ErrScope):
		_, scope, _ := strings.Cut(f.Text, ": ")
		return "Insufficient scope: " + scope
	}
	return f.Text
}
