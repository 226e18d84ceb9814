package mailed

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

//go:embed page.html
var pageText string

// view is what one page shows. The template escapes all of it.
type view struct {
	Site    string
	Heading string
	Alert   string // what was wrong with what was typed
	Lines   []string
	Facts   []fact
	Form    *form
}

type fact struct{ Name, Value string }

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

// parse reads the page, and says which policy its one style needs: nothing but
// that style, and forms that go to this server (CSP 3).
func parse() (*template.Template, string, error) {
	page, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, "", fmt.Errorf("read page: %w", err)
	}
	_, rest, found := strings.Cut(pageText, "<style>")
	style, _, ends := strings.Cut(rest, "</style>")
	if !found || !ends {
		return nil, "", errors.New("the page has no style")
	}
	sum := sha256.Sum256([]byte(style))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	return page, policy, nil
}

// show answers with a page. The token in its address or form is for one reader:
// nobody stores the page, and no other site is told where it came from.
func (a *API) show(c *gin.Context, status int, v view) error {
	v.Site = a.title()
	var text bytes.Buffer
	if err := a.page.Execute(&text, v); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", a.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	c.Data(status, "text/html; charset=utf-8", text.Bytes())
	return nil
}

// Render answers a failure with a page in words.
func (a *API) Render(c *gin.Context, f *fault.Error, requestID string) {
	v := view{Heading: "This did not work", Lines: []string{f.Text}}
	switch f.Kind { //nolint:exhaustive // the others say it themselves
	case fault.Internal:
		v.Lines = []string{"Something went wrong on this server. Please try again later, or tell an admin: request " + requestID + "."}
	case fault.NotFound:
		v.Heading = "This link does not work any more"
		v.Lines = []string{
			"It works once, and only for a while. It may have been used, have expired, or be incomplete.",
			"An address is confirmed by another link: enter it again where you are signed in. For a new password ask an admin.",
		}
	}
	c.Abort()
	if err := a.show(c, web.Status(f.Kind), v); err != nil {
		c.String(http.StatusInternalServerError, "Something went wrong on this server.")
	}
}
