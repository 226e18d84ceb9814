package mailed

import (
	_ "embed"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/service/fault"
)

//go:embed page.html
var formText string

// form is a form with one button.
type form struct {
	Action       string // a path
	Token        string
	Button       string
	Harm         bool // the button takes something away
	AsksPassword bool
	Least        int    // characters of a password
	Username     string // for password managers
}

// Render answers a failure with a page in words.
func (a *API) Render(c *gin.Context, f *fault.Error, requestID string) {
	v := page.Failure(f, requestID)
	if f.Kind == fault.NotFound {
		v.Heading = "This link does not work any more"
		v.Lines = []string{
			"It works once, and only for a while. It may have been used, have expired, or be incomplete.",
			"An address is confirmed by another link: enter it again where you are signed in. For a new password ask an admin.",
		}
	}
	a.page.Fail(c, f, v)
}
