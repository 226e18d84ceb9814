package openid

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/oauth"
)

// Token is the token endpoint (RFC 6749 §3.2).
func (p *Provider) Token(c *gin.Context) error {
	issuer, err := p.issuer(c)
	if err != nil {
		return err
	}
	form, proof, err := params(c)
	if err != nil {
		return err
	}
	a, err := p.flow.Token(c.Request.Context(), issuer, proof, oauth.TokenRequest{
		GrantType: form.Get("grant_type"), Code: form.Get("code"), RedirectURI: form.Get("redirect_uri"),
		Verifier: form.Get("code_verifier"), RefreshToken: form.Get("refresh_token"), DeviceCode: form.Get("device_code"),
		Scope: form.Get("scope"), Resource: form.Get("resource"),
	})
	if err != nil {
		return err
	}
	noStore(c)
	c.JSON(http.StatusOK, struct {
		AccessToken    string `json:"access_token"`
		TokenType      string `json:"token_type"`
		ExpiresIn      int64  `json:"expires_in"` // seconds
		RefreshToken   string `json:"refresh_token,omitempty"`
		RefreshExpires int64  `json:"refresh_token_expires_in,omitempty"` // seconds
		IDToken        string `json:"id_token,omitempty"`
		Scope          string `json:"scope"`
	}{a.AccessToken, "Bearer", a.ExpiresIn, a.RefreshToken, a.RefreshExpires, a.IDToken, a.Scope})
	return nil
}

// Revoke ends a token (RFC 7009). What is not there is ended.
func (p *Provider) Revoke(c *gin.Context) error {
	form, proof, err := params(c)
	if err != nil {
		return err
	}
	if !form.Has("token") {
		return oauth.ErrRequest.WithText("token is missing")
	}
	if err := p.flow.Revoke(c.Request.Context(), proof, form.Get("token")); err != nil {
		return err
	}
	noStore(c)
	c.JSON(http.StatusOK, struct{}{})
	return nil
}

// introspection is what an app is told of a token (RFC 7662 §2.2).
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"` // Unix seconds
	IssuedAt  int64  `json:"iat,omitempty"` // Unix seconds
	Subject   string `json:"sub,omitempty"`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
}

// Introspect tells an app of its own token.
func (p *Provider) Introspect(c *gin.Context) error {
	issuer, err := p.issuer(c)
	if err != nil {
		return err
	}
	form, proof, err := params(c)
	if err != nil {
		return err
	}
	if !form.Has("token") {
		return oauth.ErrRequest.WithText("token is missing")
	}
	t, err := p.flow.Introspect(c.Request.Context(), proof, form.Get("token"))
	if err != nil {
		return err
	}
	noStore(c)
	told := introspection{Active: t.Active}
	if t.Active {
		told = introspection{
			Active: true, Scope: t.Scope, ClientID: t.ClientID, Username: t.Username, TokenType: "Bearer",
			Expires: unix(t.ExpiresAt), IssuedAt: unix(t.IssuedAt), Subject: t.Subject, Audience: t.Audience, Issuer: issuer,
		}
		if t.Refresh {
			told.TokenType = "refresh_token"
		}
	}
	c.JSON(http.StatusOK, told)
	return nil
}

// DeviceCode begins a device authorization (RFC 8628 §3.1).
func (p *Provider) DeviceCode(c *gin.Context) error {
	issuer, err := p.issuer(c)
	if err != nil {
		return err
	}
	form, proof, err := params(c)
	if err != nil {
		return err
	}
	d, err := p.flow.DeviceStart(c.Request.Context(), proof, form.Get("scope"), form.Get("resource"))
	if err != nil {
		return err
	}
	noStore(c)
	page := issuer + PathDevice
	c.JSON(http.StatusOK, struct {
		DeviceCode string `json:"device_code"`
		UserCode   string `json:"user_code"`
		Page       string `json:"verification_uri"`
		WithCode   string `json:"verification_uri_complete"`
		Expires    int64  `json:"expires_in"` // seconds
		Interval   int64  `json:"interval"`   // seconds
	}{d.DeviceCode, d.UserCode, page, page + "?user_code=" + d.UserCode, int64(d.For.Seconds()), int64(d.Interval.Seconds())})
	return nil
}

// UserInfo tells whose an access token is (OpenID Connect Core 1.0 §5.3).
func (p *Provider) UserInfo(c *gin.Context) error {
	token, err := bearer(c)
	if err != nil {
		return err
	}
	info, err := p.flow.UserInfo(c.Request.Context(), oauth.Holder{
		Token: token, Address: middleware.ClientIP(c), UserAgent: web.UserAgent(c),
	})
	if err != nil {
		return err
	}
	noStore(c)
	claims := gin.H{"sub": info.Subject}
	if info.Profile {
		claims["name"], claims["preferred_username"], claims["updated_at"] = info.Name, info.Name, info.ChangedAt.Unix()
	}
	if info.Mail && info.Email != "" {
		claims["email"], claims["email_verified"] = info.Email, info.EmailVerified
	}
	c.JSON(http.StatusOK, claims)
	return nil
}

// Keys are the keys that id_tokens are checked with. They may be remembered for
// five minutes; a client that meets a new key's id looks again.
func (p *Provider) Keys(c *gin.Context) error {
	set, err := p.flow.PublicKeys(c.Request.Context())
	if err != nil {
		return fmt.Errorf("read keys of id_tokens: %w", err)
	}
	c.Header("Cache-Control", "public, max-age=300")
	c.JSON(http.StatusOK, set)
	return nil
}
