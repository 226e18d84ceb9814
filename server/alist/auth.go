package alist

import (
	"errors"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/login"
	"latchkey/service/secret"
	"latchkey/service/setting"
)

// signIn is the body, form or query of a sign-in.
type signIn struct {
	Username string   `json:"username"`
	Password string   `json:"password"`
	OTPCode  web.Code `json:"otp_code"`
	OptCode  web.Code `json:"opt_code"` // a published client spells it so
}

// Validate asks for a name; an empty password is merely wrong.
func (s *signIn) Validate() error {
	if s.OTPCode == "" {
		s.OTPCode = s.OptCode
	}
	return web.Required("username", s.Username)
}

type signedIn struct {
	DeviceKey string `json:"device_key"`
	Token     string `json:"token"`
}

// SignIn takes the password as typed (contract §5.1).
func (a *API) SignIn(c *gin.Context) error { return a.signIn(c, false) }

// SignInHashed takes the password's static hash (contract §5.2).
func (a *API) SignInHashed(c *gin.Context) error { return a.signIn(c, true) }

func (a *API) signIn(c *gin.Context, hashed bool) error {
	var req signIn
	err := web.JSONOrForm(c, &req,
		web.Param{Key: "username", Alias: "Username"},
		web.Param{Key: "password", Alias: "Password"},
		web.Param{Key: "otp_code", Alias: "OtpCode"})
	if err != nil {
		return err
	}
	clientID, err := web.ClientID(c)
	if err != nil {
		return err
	}
	sent, err := web.Credential(c)
	if err != nil || sent.Place != access.InAuthorization {
		sent.Text = "" // a stale or broken credential must not stand in the way of a new one
	}
	opened, err := a.svc.Login.SignIn(middleware.Stranger(c), login.Request{
		Username: req.Username, Password: req.Password, Hashed: hashed, Code: string(req.OTPCode),
		ClientID: clientID, UserAgent: web.UserAgent(c), Address: middleware.ClientIP(c),
		Presented: sent.Text,
	})
	if errors.Is(err, login.ErrCredentials) && (isAPIKey(req.Username) || isAPIKey(req.Password)) {
		return login.ErrCredentials.WithText(login.ErrCredentials.Text + ": this is an API key, send it in x-api-key instead of signing in")
	}
	if err != nil {
		return err
	}
	return ok(c, signedIn{DeviceKey: opened.DeviceKey, Token: opened.Token})
}

// isAPIKey looks at the form alone. Whoever mistakes a key for a password is told
// so after all else was done as for any wrong one: that tells nothing about the
// key, nor about the account.
func isAPIKey(text string) bool { return secret.IsBearer(secret.APIKey, text) }

// Logout ends the caller's device (contract §5.7).
func (a *API) Logout(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := a.svc.Sessions.Logout(ctx, access.From(ctx)); err != nil {
		return err
	}
	return ok(c, nil)
}

type enrolment struct {
	QR     string `json:"qr"`
	Secret string `json:"secret"`
}

// generation is a body that AList's frontends do not send.
type generation struct {
	Replace bool `json:"replace"` // make one beside the enrolled one, to replace it
}

// GenerateTwoFactor issues a secret to enrol (contract §5.5).
func (a *API) GenerateTwoFactor(c *gin.Context) error {
	var req generation
	if err := maybeBody(c, &req); err != nil {
		return err
	}
	generate := a.svc.Factors.Generate
	if req.Replace {
		generate = a.svc.Factors.GenerateReplacement
	}
	ctx := c.Request.Context()
	e, err := generate(ctx, access.From(ctx), a.svc.Settings.Get(setting.KeySiteTitle))
	if err != nil {
		return err
	}
	return ok(c, enrolment{QR: e.QR, Secret: e.Secret})
}

// noBody is for routes that need no body. One that comes anyway must be a JSON
// object: other media types reach a server without its page's leave (H-09).
func noBody(c *gin.Context) error { return maybeBody(c, &struct{}{}) }

// maybeBody binds the body, if there is one.
func maybeBody(c *gin.Context, req any) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	return web.JSON(c, req)
}

type verification struct {
	Code   web.Code `json:"code"`
	Secret string   `json:"secret"`
}

// Validate asks for both fields.
func (v *verification) Validate() error {
	if err := web.Required("code", string(v.Code)); err != nil {
		return err
	}
	return web.Required("secret", v.Secret)
}

// VerifyTwoFactor enrols the issued secret (contract §5.6).
func (a *API) VerifyTwoFactor(c *gin.Context) error {
	var req verification
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := a.svc.Profile.EnableTwoFactor(ctx, access.From(ctx), req.Secret, string(req.Code)); err != nil {
		return err
	}
	return ok(c, nil)
}
