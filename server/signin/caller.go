package signin

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/authn"
	"latchkey/service/fault"
	"latchkey/service/session"
)

// errNobody says that the browser brings no login.
var errNobody = fault.New(fault.Unauthenticated, "not_signed_in", "Nobody is signed in")

// Caller is who is signed in with this browser, and puts them into the request's
// context. It fails with a fault of kind Unauthenticated if nobody is, or as
// service/authn does. A form's body is read before: what it takes to send must
// not act on what was true when it began.
func (a *API) Caller(c *gin.Context) (access.Caller, error) {
	token, clientID := cookie(c, sessionName), device(c)
	if token == "" || clientID == "" {
		return access.Caller{}, errNobody
	}
	caller, err := a.deps.Who.Authenticate(c.Request.Context(), authn.Presented{
		Text: token, Place: access.InCookie, ClientID: clientID, UserAgent: web.UserAgent(c), Address: middleware.ClientIP(c),
		RequestID: middleware.RequestIDOf(c),
	})
	if err != nil {
		return access.Caller{}, err
	}
	c.Request = c.Request.WithContext(access.With(c.Request.Context(), caller))
	return caller, nil
}

// Required is Caller for pages that are for signed-in people. Where it reports
// false without an error, it has answered already: others are sent to sign in
// and come back to next, a page of this server, afterwards; those who must first
// enrol a second factor are told so.
func (a *API) Required(c *gin.Context, next string) (access.Caller, bool, error) {
	caller, err := a.Caller(c)
	switch {
	case err != nil && fault.Of(err).Kind == fault.Unauthenticated:
		redirect(c, with(PathSignIn, next))
		return caller, false, nil
	case err != nil:
		return caller, false, err
	case caller.MustEnrol():
		return caller, false, a.show(c, http.StatusForbidden, page.View{
			Heading: "A second factor comes first",
			Lines: []string{
				"Your role requires two-factor authentication, and your account does not have it yet.",
				"Turn it on in your profile, then come back to this page.",
			},
			Data: body{SignOut: &signOutForm{Who: caller.Account.Username, Next: next}},
		})
	}
	return caller, true, nil
}

// Ask sends the browser to sign in and on to next. name is what somebody else
// believes the account to be called: it is only typed in beforehand.
func (*API) Ask(c *gin.Context, next, name string) {
	values := url.Values{"next": {next}}
	if name != "" {
		values.Set("name", name)
	}
	redirect(c, PathSignIn+"?"+values.Encode())
}

// AskAgain sends somebody who is signed in to prove it once more and on to next.
func (*API) AskAgain(c *gin.Context, next string) { redirect(c, with(PathConfirm, next)) }

func redirect(c *gin.Context, to string) { page.Redirect(c, to) }

// whyOut is what a person is told whose login ended; "" if they had none.
func whyOut(err error) string {
	f := fault.Of(err)
	switch {
	case errors.Is(err, errNobody) || f.Kind != fault.Unauthenticated:
		return ""
	case errors.Is(err, session.ErrPasswordChanged):
		return "Your password was changed. Sign in with the new one."
	case errors.Is(err, session.ErrExpired):
		return "Your last sign-in is too long ago. Please sign in again."
	case errors.Is(err, session.ErrInactive):
		return "This device was signed out. If that was not you, look at your devices after signing in."
	}
	return "You are not signed in any more. Please sign in again."
}
