package signin

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/session"
	"latchkey/service/totp"
)

const (
	tooSlow   = "That took too long, or something changed meanwhile. Please enter your password again."
	wrongCode = "This code is wrong, or was used already. Wait for the next one, or use a recovery code."
	wrongName = "The user name or the password is wrong."
	wrongWord = "The password is wrong."
)

// errTooSlow says that a ticket does not open any more.
var errTooSlow = fault.New(fault.Invalid, "sign_in_ticket_over", tooSlow)

// refused shows the sign-in again and says why: the password's form, or the
// code's where the password was right.
func (a *API) refused(c *gin.Context, in typed, half login.Half, err error) error {
	f := fault.Of(err)
	again := form{Next: in.next, Username: in.username, Ticket: in.ticket}
	if errors.Is(err, login.ErrCodeNeeded) {
		return a.nowCode(c, again, half)
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return err
	}
	status := web.Status(f.Kind)
	switch {
	case errors.Is(err, login.ErrMustChange):
		return a.mustChange(c, status)
	case errors.Is(err, totp.ErrWrongCode) && in.ticket != "":
		return a.askCode(c, status, wrongCode, again)
	case f.Kind == fault.TooMany && in.ticket != "":
		return a.askCode(c, status, page.Sentence(c, f), again)
	}
	return a.askPassword(c, status, words(c, err, in.ticket != ""), again)
}

func (a *API) mustChange(c *gin.Context, status int) error {
	return a.show(c, status, page.View{
		Heading: "Your password must be changed first",
		Lines: []string{
			"It lets nobody in any more, because a sign-in with it was reported as somebody else's.",
			"Open the link that was mailed to you and choose a new one, or ask an admin.",
		},
		Data: body{},
	})
}

// nowCode asks for the code that is missing.
func (a *API) nowCode(c *gin.Context, again form, half login.Half) error {
	if again.Ticket != "" {
		return a.askCode(c, http.StatusBadRequest, "Enter a code.", again)
	}
	sealed, err := a.sealTicket(nameDevice(c), again.Username, half)
	if err != nil {
		return err
	}
	again.Ticket = sealed
	return a.askCode(c, http.StatusOK, "", again)
}

// words is what is said above the name and the password.
func words(c *gin.Context, err error, hadTicket bool) string {
	switch {
	case isWrong(err) && hadTicket:
		return tooSlow
	case isWrong(err):
		return wrongName
	case errors.Is(err, totp.ErrWrongCode):
		return wrongCode
	}
	return page.Sentence(c, fault.Of(err))
}

func isWrong(err error) bool {
	return errors.Is(err, login.ErrCredentials) || errors.Is(err, session.ErrOvertaken)
}
