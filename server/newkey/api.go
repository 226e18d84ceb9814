package newkey

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/profile"
)

// Path is where links lead.
const Path = "/account/api-key"

// Deps are what the page works with.
type Deps struct {
	Profile *profile.Service
	Title   func() string // what the site calls itself
	SiteURL string        // scheme://host[:port]; empty: people know it
	Now     func() time.Time
}

// API is the page. It is safe for concurrent use.
type API struct {
	Deps

	page *page.Page
}

// New makes the page.
func New(d Deps) (*API, error) {
	p, err := page.New(d.Title, formText)
	return &API{Deps: d, page: p}, err
}

// Render answers a failure with a page in words. It is a web.Renderer.
func (a *API) Render(c *gin.Context, f *fault.Error, requestID string) {
	a.page.Render(c, f, requestID)
}

// Ask shows what a link proposes, and asks who wants it.
func (a *API) Ask(c *gin.Context) error {
	r, err := proposal(c)
	if err != nil {
		return err
	}
	return a.ask(c, http.StatusOK, r, "")
}

// Make makes the key and shows it, this once. What can be mended in the form is
// asked for again, with all but the password kept.
func (a *API) Make(c *gin.Context) error {
	r, err := answer(c)
	if err != nil {
		return err
	}
	if len(r.ticked) == 0 {
		return a.ask(c, http.StatusBadRequest, r, "Tick at least one thing that the key may do.")
	}
	wanted := apikey.Wanted{Name: r.name, Scopes: access.Scopes(r.ticked).Names()}
	if r.days > 0 {
		wanted.ExpiresAt = a.Now().AddDate(0, 0, r.days)
	}
	text, key, err := a.Profile.MakeAPIKey(middleware.Stranger(c), login.Request{
		Username: r.username, Password: r.password, Code: r.code, UserAgent: web.UserAgent(c), Address: middleware.ClientIP(c),
	}, wanted)
	if err != nil {
		return a.again(c, r, err)
	}
	return a.show(c, r, text, key)
}

// again shows the form once more where that helps.
func (a *API) again(c *gin.Context, r request, err error) error {
	f, alert := fault.Of(err), ""
	switch f.Kind { //nolint:exhaustive // the others are not the person's to mend
	case fault.CodeRequired:
		if r.code == "" {
			alert = "The password is right. Type it once more, and the code with it."
		}
	case fault.Invalid, fault.Forbidden, fault.Conflict, fault.TooMany:
	default:
		return err
	}
	if alert == "" {
		alert = page.Sentence(c, f)
	}
	r.asksCode = r.code != "" || f.Kind == fault.CodeRequired
	return a.ask(c, web.Status(f.Kind), r, alert)
}
