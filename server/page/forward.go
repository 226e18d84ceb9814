package page

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// Forward answers with a page that leads on by itself, at once. It stands where
// a form leads to another site, or may: browsers hold a form's redirects against
// form-action, through every hop, and nobody knows where the other site sends
// them on to. A page that was drawn begins anew, so that form-action can name
// this server alone. It needs no script (HTML, "Refresh" header), and has a link
// for browsers that will not follow it, such as to an app's own scheme.
func (p *Page) Forward(c *gin.Context, v View, to string) error {
	u, err := url.Parse(to)
	if err != nil || strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("forward: no address to send a browser to")
	}
	if slices.Contains([]string{"javascript", "data", "vbscript", "blob", "file", "about"}, u.Scheme) {
		return errors.New("forward: an address that browsers would run")
	}
	v.onward = template.URL(to) //nolint:gosec // G203: judged above, escaped for the attribute
	c.Header("Refresh", "0; url="+to)
	return p.Show(c, http.StatusOK, v)
}

// Onward is where the page leads by itself, if it does.
func (v View) Onward() template.URL { return v.onward }

// Redirect sends the browser on with a GET, and no words, in which the address
// would stand once more.
func Redirect(c *gin.Context, to string) {
	c.Header("Cache-Control", "no-store")
	c.Header("Location", to)
	c.Status(http.StatusSeeOther)
}
