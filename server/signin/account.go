package signin

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/totp"
)

// SignOut ends the login and its device. A browser that is signed out already is
// told the same.
func (a *API) SignOut(c *gin.Context) error {
	in, err := bind(c)
	if err != nil {
		return err
	}
	caller, err := a.Caller(c)
	switch {
	case err == nil:
		if err := a.deps.Sessions.Logout(c.Request.Context(), caller); err != nil {
			return err
		}
	case fault.Of(err).Kind != fault.Unauthenticated:
		return err
	}
	dropCookie(c, sessionName)
	if in.next != "" {
		return a.goOn(c, in.next, "You are signed out")
	}
	return a.show(c, http.StatusOK, page.View{
		Heading: "You are signed out",
		Lines:   []string{"This browser is not signed in any more. Apps that you gave access keep it."},
		Data:    body{Link: &link{To: PathSignIn, Text: "Sign in again"}},
	})
}

// AskConfirm asks somebody who is signed in for the password once more.
func (a *API) AskConfirm(c *gin.Context) error {
	next, err := nextOf(c)
	if err != nil {
		return err
	}
	caller, ok, err := a.Required(c, with(PathConfirm, next))
	if err != nil || !ok {
		return err
	}
	return a.askConfirm(c, http.StatusOK, "", caller, next)
}

// askConfirm asks for all that is needed at once: it is known who they are.
func (a *API) askConfirm(c *gin.Context, status int, alert string, caller access.Caller, next string) error {
	return a.show(c, status, page.View{
		Heading: "Confirm that it is you", Alert: alert,
		Lines: []string{"What comes next asks for your password once more, though you are signed in."},
		Data: body{
			Confirm: &confirmForm{Next: next, Username: caller.Account.Username, AsksCode: caller.Account.TwoFactor},
		},
	})
}

// Confirm makes the login fresh (security.md, step-up) and leads on.
func (a *API) Confirm(c *gin.Context) error {
	in, err := bind(c)
	if err != nil {
		return err
	}
	caller, ok, err := a.Required(c, with(PathConfirm, in.next))
	if err != nil || !ok {
		return err
	}
	_, err = a.deps.Login.Reauthenticate(c.Request.Context(), caller, login.Proof{Password: in.password, Code: in.code})
	f := fault.Of(err)
	switch {
	case err == nil:
		return a.goOn(c, in.next, "Confirmed")
	case f.Kind == fault.Unauthenticated: // the login ended meanwhile
		redirect(c, with(PathSignIn, in.next))
		return nil
	case f.Kind == fault.Internal, f.Kind == fault.Unavailable:
		return err
	case errors.Is(err, login.ErrMustChange):
		return a.mustChange(c, web.Status(f.Kind))
	}
	return a.askConfirm(c, web.Status(f.Kind), confirmWords(c, err), caller, in.next)
}

// confirmWords is what is said above the password.
func confirmWords(c *gin.Context, err error) string {
	switch {
	case isWrong(err):
		return wrongWord
	case errors.Is(err, login.ErrCodeNeeded):
		return "Enter a code, too."
	case errors.Is(err, totp.ErrWrongCode):
		return wrongCode
	}
	return page.Sentence(c, fault.Of(err))
}

// Moved sends those who open the address of a form to a page.
func Moved(c *gin.Context) error {
	redirect(c, PathSignIn)
	return nil
}
