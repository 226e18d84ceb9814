package consent

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/oauth"
)

// question is what a person decides, and the form that carries the answer.
type question struct {
	App      string
	Initials string
	Homepage string // its host
	Scopes   []scope
	Lifetime string
	Lines    []string // what to know before a yes
	Place    string   // where the answer goes, "" for a device

	Action, Request, UserCode, Ticket string
	Who, Next, SignOut                string // who is signed in, and the form for others
}

// scope is a scope in words, and a mark where it needs a second look.
type scope struct{ Text, Name, Mark string }

// sheet is how a question is asked.
type sheet struct {
	raw    string // the app's request, as it came
	status int
	alert  string
}

// ask shows the page of an app's request.
func (a *API) ask(c *gin.Context, by access.Caller, r oauth.Request, s sheet) error {
	sealed, err := a.seal(forApp, by, s.raw)
	if err != nil {
		return err
	}
	q := a.about(by, r.App, r.Texts, r.Grants)
	q.Action, q.Request, q.Ticket = PathAuthorize, s.raw, sealed
	q.Next = PathAuthorize + "?" + s.raw
	q.Place = place(r.RedirectURI)
	if r.App.Public && !strings.HasPrefix(r.RedirectURI, "https:") {
		q.Lines = append(q.Lines, "Any program on this device can say that it is "+r.App.Name+". Go on only if you have just started it yourself.")
	}
	return a.show(c, s.status, page.View{Heading: r.App.Name + " asks for access", Alert: s.alert, Data: body{Question: q}})
}

// about is what both kinds of question say.
func (a *API) about(by access.Caller, app oauth.App, texts []client.ScopeText, grants time.Duration) *question {
	q := &question{
		App: app.Name, Initials: initials(app.Name), Lifetime: page.Span(grants),
		Who: by.Account.Username, SignOut: a.deps.SignOut,
	}
	if u, err := url.Parse(app.Homepage); err == nil {
		q.Homepage = u.Host
	}
	for _, t := range texts {
		q.Scopes = append(q.Scopes, scope{Text: t.Text, Name: t.Name, Mark: mark(t.Name)})
	}
	return q
}

// mark is what is said beside a scope that does more than look.
func mark(name string) string {
	s := access.Scope(name)
	switch {
	case s == access.All:
		return "everything"
	case s.IsAdmin() && changes(name):
		return "changes things for everybody"
	case s.IsAdmin():
		return "admin"
	case changes(name):
		return "changes things"
	}
	return ""
}

// changes reports whether what the scope allows is more than reading. Of scopes
// that the operator declared, the name is all that is known.
func changes(name string) bool {
	at := strings.LastIndexAny(name, ".:/")
	return at >= 0 && !slices.Contains([]string{"read", "list", "view", "get"}, strings.ToLower(name[at+1:]))
}

// place is where the browser goes after the answer, as people would say it.
func place(redirectURI string) string {
	u, err := url.Parse(redirectURI)
	switch {
	case err != nil:
		return "the app"
	case u.Scheme == "https":
		return u.Host
	case u.Scheme == "http":
		return "a program on this device (" + u.Host + ")"
	}
	return "an app on this device (" + u.Scheme + ")"
}

const maxInitials = 2

// initials stand for an app's icon: ours are the only pictures on our pages.
func initials(name string) string {
	var text []rune
	for word := range strings.FieldsSeq(name) {
		for _, r := range word {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				text = append(text, unicode.ToUpper(r))
				break
			}
		}
		if len(text) == maxInitials {
			break
		}
	}
	if len(text) == 0 {
		return "?"
	}
	return string(text)
}
