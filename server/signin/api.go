package signin

import (
	_ "embed"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/authn"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/session"
)

// Where the pages are.
const (
	PathSignIn  = "/account/sign-in"
	PathSignOut = "/account/sign-out"
	PathConfirm = "/account/confirm"
)

//go:embed page.html
var pageText string

// Sealer hides and protects what a form carries.
type Sealer interface {
	Seal(aad string, plain []byte) (string, error)
	Open(aad, sealed string) ([]byte, error)
}

// Deps are what the pages ask.
type Deps struct {
	Login    *login.Service
	Sessions *session.Service
	Who      *authn.Service
	Sealer   Sealer
	Title    func() string
	Now      func() time.Time
	// Leaves reports whether a page may send the browser on to another site: a
	// form's answer must not, see page.Forward. nil: none does.
	Leaves func(path string) bool
}

// API is the pages. It is safe for concurrent use.
type API struct {
	deps Deps
	page *page.Page
}

// New makes the pages.
func New(d Deps) (*API, error) {
	made, err := page.New(d.Title, pageText)
	if err != nil {
		return nil, err
	}
	return &API{deps: d, page: made.WithOrigin()}, nil
}

// Render answers a failure with a page in words.
func (a *API) Render(c *gin.Context, f *fault.Error, requestID string) {
	v := page.Failure(c, f, requestID)
	v.Data = body{}
	a.page.Fail(c, f, v)
}

// body is what a page shows: one of them.
type body struct {
	SignIn  *form
	Confirm *confirmForm
	SignOut *signOutForm
	Link    *link
}

// form asks for a name and a password or, with a ticket, for a code.
type form struct{ Next, Username, Ticket string }

// confirmForm asks somebody who is signed in to prove it.
type confirmForm struct {
	Next, Username string
	AsksCode       bool
}

// signOutForm offers to sign out.
type signOutForm struct{ Who, Next string }

type link struct{ To, Text string }

func (a *API) show(c *gin.Context, status int, v page.View) error {
	v.Warning = page.Unprotected(c)
	return a.page.Show(c, status, v)
}

// AskSignIn asks for a name and a password.
func (a *API) AskSignIn(c *gin.Context) error {
	next, err := nextOf(c)
	if err != nil {
		return err
	}
	hint, err := web.Text(c, "name")
	if err != nil {
		return err
	}
	caller, err := a.Caller(c)
	switch {
	case err == nil && next != "":
		redirect(c, next)
		return nil
	case err == nil:
		return a.signedIn(c, caller)
	case fault.Of(err).Kind != fault.Unauthenticated:
		return err
	}
	if cookie(c, sessionName) != "" {
		dropCookie(c, sessionName) // it is said once why
	}
	return a.askPassword(c, http.StatusOK, whyOut(err), form{Next: next, Username: hint})
}

func nextOf(c *gin.Context) (string, error) {
	next, err := web.Text(c, "next")
	return local(next), err
}

func (a *API) signedIn(c *gin.Context, caller access.Caller) error {
	return a.show(c, http.StatusOK, page.View{
		Heading: "You are signed in",
		Data:    body{SignOut: &signOutForm{Who: caller.Account.Username}},
	})
}

func (a *API) askPassword(c *gin.Context, status int, alert string, f form) error {
	f.Ticket = ""
	return a.show(c, status, page.View{Heading: "Sign in", Alert: alert, Data: body{SignIn: &f}})
}

func (a *API) askCode(c *gin.Context, status int, alert string, f form) error {
	return a.show(c, status, page.View{Heading: "Enter your code", Alert: alert, Data: body{SignIn: &f}})
}

// typed is what somebody typed into the form.
type typed struct{ username, password, code, ticket, next string }

func bind(c *gin.Context) (typed, error) {
	f, err := web.FormFields(c, web.Fields{Once: []string{"username", "password", "code", "ticket", "next"}})
	return typed{
		username: f.Get("username"), password: f.Get("password"), code: strings.TrimSpace(f.Get("code")),
		ticket: f.Get("ticket"), next: local(f.Get("next")),
	}, err
}

// SignIn signs the browser in as AList's clients are signed in, and leads on.
func (a *API) SignIn(c *gin.Context) error {
	in, err := bind(c)
	if err != nil {
		return err
	}
	clientID := nameDevice(c)
	request := login.Request{
		Username: in.username, Password: in.password, Code: in.code,
		ClientID: clientID, UserAgent: web.UserAgent(c), Address: middleware.ClientIP(c),
		Presented: cookie(c, sessionName),
	}
	before, wasIn := a.Caller(c)
	opened, half, err := a.open(c, request, &in)
	if errors.Is(err, errTooSlow) {
		return a.askPassword(c, http.StatusBadRequest, tooSlow, form{Next: in.next, Username: in.username})
	}
	if err != nil {
		return a.refused(c, in, half, err)
	}
	if wasIn == nil && before.Account.Key != opened.AccountKey {
		if err := a.deps.Sessions.Logout(c.Request.Context(), before); err != nil { // nobody could use that login any more
			return err
		}
	}
	setCookie(c, sessionName, opened.Token, opened.ExpiresAt.Sub(a.deps.Now()))
	return a.goOn(c, in.next, "You are signed in")
}

// open makes the login: of a name and a password, or of a ticket and a code.
// With login.ErrCodeNeeded it says what was proven.
func (a *API) open(c *gin.Context, r login.Request, in *typed) (session.Opened, login.Half, error) {
	ctx := middleware.Stranger(c)
	if in.ticket == "" {
		return a.deps.Login.Begin(ctx, r)
	}
	t, ok := a.openTicket(r.ClientID, in.ticket)
	if !ok {
		return session.Opened{}, login.Half{}, errTooSlow
	}
	in.username = t.Username
	opened, err := a.deps.Login.Finish(ctx, t.half(), r)
	return opened, t.half(), err
}

// goOn leads to the next page, or to the one of who is signed in.
func (a *API) goOn(c *gin.Context, next, heading string) error {
	if next == "" {
		next = PathSignIn
	}
	path, _, _ := strings.Cut(next, "?")
	if a.deps.Leaves != nil && a.deps.Leaves(path) {
		return a.page.Forward(c, page.View{Heading: heading, Data: body{}}, next)
	}
	redirect(c, next)
	return nil
}
