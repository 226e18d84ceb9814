package consent

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/oauth"
)

const (
	interactionRequired = "interaction_required" // OpenID Connect Core 1.0 §3.1.2.6
	askAgain            = "This page was open for too long, or somebody else signed in meanwhile. Please decide again."
)

// Authorize is where an app sends its user (RFC 6749 §4.1.1): they sign in if
// they must, are asked if they must be, and go back with a code. What is wrong
// with the app or with where it wants to be answered is said here; all else the
// app is told.
func (a *API) Authorize(c *gin.Context) error {
	raw := c.Request.URL.RawQuery
	s, err := a.begin(c, raw)
	if err != nil || s.answered {
		return err
	}
	r, by := s.request, s.by
	needed, err := a.deps.Flow.NeedsConsent(c.Request.Context(), by, r)
	switch {
	case err != nil:
		return err
	case !needed:
		return a.approve(c, by, r)
	case r.PromptNone:
		return a.leave(c, r, a.deps.Flow.Refuse(r, oauth.ConsentRequired))
	case a.deps.Flow.NeedsProof(by, r.Scopes):
		a.deps.People.AskAgain(c, PathAuthorize+"?"+raw)
		return nil
	}
	return a.ask(c, by, r, sheet{raw: raw, status: http.StatusOK})
}

// Decide is the answer of the page. The app's request is judged again from the
// start, as if it had just come; the form's ticket says that this login was shown
// this request.
func (a *API) Decide(c *gin.Context) error {
	f, err := web.FormFields(c, web.Fields{Once: []string{"request", "ticket", "answer"}})
	if err != nil {
		return err
	}
	raw := f.Get("request")
	s, err := a.begin(c, raw)
	if err != nil || s.answered {
		return err
	}
	r, by := s.request, s.by
	answer := f.Get("answer")
	if !a.isOpen(forApp, f.Get("ticket"), by, raw) || answer != "allow" && answer != "deny" {
		return a.ask(c, by, r, sheet{raw: raw, status: http.StatusBadRequest, alert: askAgain})
	}
	if answer == "deny" {
		return a.leave(c, r, a.deps.Flow.Deny(r))
	}
	if a.deps.Flow.NeedsProof(by, r.Scopes) { // the page stood open until the proof was old
		a.deps.People.AskAgain(c, PathAuthorize+"?"+raw)
		return nil
	}
	return a.approve(c, by, r)
}

// scene is an app's request and who answers it.
type scene struct {
	request  oauth.Request
	by       access.Caller
	answered bool // the browser was sent elsewhere, or was shown a page
}

// begin judges an app's request and finds out who answers it.
func (a *API) begin(c *gin.Context, raw string) (scene, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return scene{}, oauth.ErrPageRequest
	}
	r, err := a.deps.Flow.Begin(c.Request.Context(), a.deps.Issuer(c), values)
	if told, ok := errors.AsType[*oauth.RedirectError](err); ok {
		return scene{answered: true}, a.leave(c, r, told.Location())
	}
	if err != nil {
		return scene{}, err
	}
	by, err := a.deps.People.Caller(c)
	if err != nil && fault.Of(err).Kind != fault.Unauthenticated {
		return scene{}, err
	}
	s := scene{request: r, by: by, answered: true}
	next := PathAuthorize + "?" + oauth.AfterSignIn(values).Encode()
	isIn := err == nil
	switch {
	case isIn && !a.deps.Flow.NeedsSignIn(by, r):
		return a.enrolled(c, s, next)
	case r.PromptNone:
		return s, a.leave(c, r, a.deps.Flow.Refuse(r, oauth.LoginRequired))
	case isIn:
		a.deps.People.AskAgain(c, next)
	default:
		a.deps.People.Ask(c, next, r.LoginHint)
	}
	return s, nil
}

// enrolled lets those pass who have what their role asks for.
func (a *API) enrolled(c *gin.Context, s scene, next string) (scene, error) {
	s.answered = s.by.MustEnrol()
	if !s.answered {
		return s, nil
	}
	if s.request.PromptNone {
		return s, a.leave(c, s.request, a.deps.Flow.Refuse(s.request, interactionRequired))
	}
	_, _, err := a.deps.People.Required(c, next)
	return s, err
}

func (a *API) approve(c *gin.Context, by access.Caller, r oauth.Request) error {
	to, err := a.deps.Flow.Approve(c.Request.Context(), by, r)
	if told, ok := errors.AsType[*oauth.RedirectError](err); ok {
		return a.leave(c, r, told.Location())
	}
	if err != nil {
		return err
	}
	return a.leave(c, r, to)
}

// leave sends the browser back to the app: at once, or from a page where a form
// brought it here.
func (a *API) leave(c *gin.Context, r oauth.Request, to string) error {
	if c.Request.Method != http.MethodPost {
		page.Redirect(c, to)
		return nil
	}
	name := r.App.Name
	if name == "" {
		name = "the app"
	}
	return a.page.Forward(c, page.View{Heading: "Back to " + name, Data: body{}}, to)
}
