package openid

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/login"
	"latchkey/service/oauth"
)

// pairRow is a pair of tokens. Times are RFC 3339.
type pairRow struct {
	Access         string `json:"access_token"`
	Refresh        string `json:"refresh_token"`
	AccessExpires  string `json:"access_expires"`
	RefreshExpires string `json:"refresh_expires"`
}

func pairOf(p oauth.Pair) pairRow {
	return pairRow{
		Access: p.Access, Refresh: p.Refresh,
		AccessExpires: p.AccessExpires.UTC().Format(time.RFC3339), RefreshExpires: p.RefreshExpires.UTC().Format(time.RFC3339),
	}
}

// ownerRow is who signed in.
type ownerRow struct {
	ID        string   `json:"id"` // what userinfo calls sub
	Username  string   `json:"username"`
	Nickname  string   `json:"nickname"`
	Email     string   `json:"email"` // empty: none
	CreatedAt string   `json:"created_at"`
	RoleNames []string `json:"role_names"`
}

func signedIn(c *gin.Context, p oauth.Pair) error {
	noStore(c)
	return ok(c, struct {
		User  ownerRow `json:"user"`
		Token pairRow  `json:"token"`
	}{ownerOf(p.Owner), pairOf(p)})
}

func ownerOf(a *access.Account) ownerRow {
	return ownerRow{
		ID: a.Key, Username: a.Username, Nickname: a.Username, Email: a.Email,
		CreatedAt: a.CreatedAt.UTC().Format(time.RFC3339), RoleNames: a.RoleNames,
	}
}

// passwordForm is a sign-in. One of email and username is given; email may be a
// name, too, because there are clients that know no other field.
type passwordForm struct {
	Email    string `json:"email"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// Validate wants a name.
func (f passwordForm) Validate() error {
	switch {
	case f.Email != "" && f.Username != "":
		return web.ErrField.WithText(`give "email" or "username", not both`)
	case f.Email == "":
		return web.Required("username", f.Username)
	}
	return nil
}

// SignIn makes a pair of tokens of a password. Where a code is missing, data is
// the session id that FinishSignIn wants with it.
func (p *Provider) SignIn(c *gin.Context) error {
	var form passwordForm
	if err := web.JSON(c, &form); err != nil {
		return err
	}
	request, err := signInOf(c)
	if err != nil {
		return err
	}
	request.Username, request.ByEmail, request.Password = form.Username+form.Email, form.Email != "", form.Password
	pair, ticket, err := p.flow.SignIn(c.Request.Context(), request)
	if errors.Is(err, login.ErrCodeNeeded) && ticket != "" {
		noStore(c)
		web.SetBodyCode(c, codeTwoFactor)
		c.JSON(http.StatusOK, envelope{Code: codeTwoFactor, Data: ticket})
		return nil
	}
	if err != nil {
		return err
	}
	return signedIn(c, pair)
}

// signInOf is what a sign-in needs to know of a request.
func signInOf(c *gin.Context) (login.Request, error) {
	clientID, err := web.ClientID(c)
	return login.Request{ClientID: clientID, UserAgent: web.UserAgent(c), Address: middleware.ClientIP(c)}, err
}

type codeForm struct {
	Code   web.Code `json:"otp"`
	Ticket string   `json:"session_id"`
}

// Validate wants both.
func (f codeForm) Validate() error {
	if err := web.Required("otp", string(f.Code)); err != nil {
		return err
	}
	return web.Required("session_id", f.Ticket)
}

// FinishSignIn is the second request of a sign-in.
func (p *Provider) FinishSignIn(c *gin.Context) error {
	var form codeForm
	if err := web.JSON(c, &form); err != nil {
		return err
	}
	request, err := signInOf(c)
	if err != nil {
		return err
	}
	request.Code = string(form.Code)
	pair, err := p.flow.Finish(c.Request.Context(), form.Ticket, request)
	if err != nil {
		return err
	}
	return signedIn(c, pair)
}

type refreshForm struct {
	Token string `json:"refresh_token"`
}

// Validate wants a token.
func (f refreshForm) Validate() error { return web.Required("refresh_token", f.Token) }

// RefreshPair puts new tokens in the place of a refresh token.
func (p *Provider) RefreshPair(c *gin.Context) error {
	var form refreshForm
	if err := web.JSON(c, &form); err != nil {
		return err
	}
	pair, err := p.flow.RefreshPair(c.Request.Context(), oauth.Holder{
		Token: form.Token, Address: middleware.ClientIP(c), UserAgent: web.UserAgent(c),
	})
	if err != nil {
		return err
	}
	noStore(c)
	return ok(c, pairOf(pair))
}

// EndPair signs out the login of a refresh token.
func (p *Provider) EndPair(c *gin.Context) error {
	var form refreshForm
	if err := web.JSON(c, &form); err != nil {
		return err
	}
	if err := p.flow.EndPair(c.Request.Context(), form.Token); err != nil {
		return err
	}
	return ok(c, nil)
}

// AppFor is an app as a consent page needs it.
func (p *Provider) AppFor(c *gin.Context) error {
	app, err := p.flow.AppFor(c.Request.Context(), access.From(c.Request.Context()), c.Param("id"))
	if err != nil {
		return err
	}
	return ok(c, struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Homepage  string   `json:"homepage_url"`
		Icon      string   `json:"icon"`
		Public    bool     `json:"public"`
		Consented []string `json:"consented_scopes"` // null: nothing yet, or nobody is signed in
	}{app.ID, app.Name, app.Homepage, app.Icon, app.Public, app.Consented})
}

// consentForm is what an app asked the owner for.
type consentForm struct {
	ClientID        string `json:"client_id"`
	ResponseType    string `json:"response_type"`
	RedirectURI     string `json:"redirect_uri"`
	State           string `json:"state"`
	Scope           string `json:"scope"`
	Challenge       string `json:"code_challenge"`
	ChallengeMethod string `json:"code_challenge_method"`
	Nonce           string `json:"nonce"`
	MaxAge          string `json:"max_age"`
	Resource        string `json:"resource"`
}

func (f consentForm) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		"client_id": f.ClientID, "response_type": f.ResponseType, "redirect_uri": f.RedirectURI, "state": f.State,
		"scope": f.Scope, "code_challenge": f.Challenge, "code_challenge_method": f.ChallengeMethod, "nonce": f.Nonce,
		"max_age": f.MaxAge, "resource": f.Resource,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// Consent says yes to an app for the caller, who was asked by a page of theirs.
func (p *Provider) Consent(c *gin.Context) error {
	var form consentForm
	if err := web.JSON(c, &form); err != nil {
		return err
	}
	issuer, err := p.issuer(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	by := access.From(ctx)
	asked, err := p.flow.Begin(ctx, issuer, form.values())
	if err == nil && p.flow.NeedsSignIn(by, asked) {
		err = access.ErrNotFresh
		if by.Kind != access.SessionToken {
			err = access.ErrFirstParty
		}
	}
	var redirect string
	if err == nil {
		redirect, err = p.flow.Approve(ctx, by, asked)
	}
	if refused, isRefused := errors.AsType[*oauth.RedirectError](err); isRefused {
		return web.ErrParameter.WithText(refused.Description)
	}
	if err != nil {
		return err
	}
	noStore(c)
	return ok(c, struct {
		Code     string `json:"code"`
		State    string `json:"state"`
		Redirect string `json:"redirect"` // where the browser goes, with code, state and iss
	}{codeIn(redirect), form.State, redirect})
}

// codeIn is the code of an answer to an app.
func codeIn(redirect string) string {
	u, err := url.Parse(redirect)
	if err != nil {
		return ""
	}
	return u.Query().Get("code")
}

// Withdraw takes back what the caller lets an app do.
func (p *Provider) Withdraw(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	ctx := c.Request.Context()
	if err := p.flow.Withdraw(ctx, access.From(ctx), c.Param("id")); err != nil {
		return err
	}
	return ok(c, nil)
}
