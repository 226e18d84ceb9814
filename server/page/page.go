package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

//go:embed layout.html
var layoutText string

//go:embed style.css
var styleText string

// View is what one page says. The template escapes all of it.
type View struct {
	Heading string // of the page and its title
	Alert   string // what was wrong with what was typed; said to screen readers at once
	Lines   []string
	Facts   []Fact
	Warning string // what people should know before they type; at the end of the page
	Data    any    // what the body shows
}

// Fact is a line of two columns.
type Fact struct{ Name, Value string }

// Page is a page with a body of its own. It is safe for concurrent use.
type Page struct {
	text     *template.Template
	title    func() string
	policy   string
	referrer string // Referrer-Policy
}

// New makes pages of a site with that title, which is asked anew for each. The
// body is an html/template below the heading, the lines and the facts; it sees
// the View.
func New(title func() string, body string) (*Page, error) {
	text, err := template.New("page").
		Funcs(template.FuncMap{"style": func() template.CSS { return template.CSS(styleText) }}). //nolint:gosec // G203: our own file
		Parse(layoutText)
	if err != nil {
		return nil, fmt.Errorf("read layout: %w", err)
	}
	if _, err := text.Parse(`{{define "body"}}` + body + `{{end}}`); err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	return &Page{text: text, title: title, policy: policy(), referrer: "no-referrer"}, nil
}

// WithOrigin is the page with forms that say where they come from, to this
// server and to nobody else. Without a Referer browsers send "Origin: null",
// and http.CrossOriginProtection could not tell the form from a foreign one
// (Fetch, "append a request Origin header").
func (p *Page) WithOrigin() *Page {
	said := *p
	said.referrer = "same-origin"
	return &said
}

// policy allows nothing but the one style, and forms that go to this server
// (CSP 3).
func policy() string {
	sum := sha256.Sum256([]byte(styleText))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}

// shown is a View and what every page says.
type shown struct {
	View

	Site string
}

// Show answers with the page. Nobody stores it, and no other site is told where
// a link on it was followed.
func (p *Page) Show(c *gin.Context, status int, v View) error {
	var text bytes.Buffer
	if err := p.text.Execute(&text, shown{View: v, Site: p.title()}); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", p.referrer)
	c.Data(status, "text/html; charset=utf-8", text.Bytes())
	return nil
}

// Failure is what a page says of a failure. requestID finds it in the log.
func Failure(f *fault.Error, requestID string) View {
	v := View{Heading: "This did not work", Lines: []string{f.Text}}
	if f.Kind == fault.Internal {
		v.Lines = []string{"Something went wrong on this server. Please try again later, or tell an admin: request " + requestID + "."}
	}
	return v
}

// Fail answers a failure with the view of it, and a plain text if even that
// fails.
func (p *Page) Fail(c *gin.Context, f *fault.Error, v View) {
	c.Abort()
	if err := p.Show(c, web.Status(f.Kind), v); err != nil {
		c.String(http.StatusInternalServerError, "Something went wrong on this server.")
	}
}

// Render answers a failure with a page in words. It is a web.Renderer.
func (p *Page) Render(c *gin.Context, f *fault.Error, requestID string) {
	p.Fail(c, f, Failure(f, requestID))
}
