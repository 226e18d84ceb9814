package newkey

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/page"
	"latchkey/service/access"
)

//go:embed form.html
var formText string

// data is what the page's body shows: one of the two.
type data struct {
	Form *form
	Made *made
}

// form is a key that is proposed or asked for.
type form struct {
	Action   string
	Proposed bool
	Name     string
	Scopes   []offer
	Days     int // 0: for ever
	Username string
	AsksCode bool
}

type offer struct {
	access.ScopeText

	Ticked  bool
	Warning string
}

// made is a key that was made.
type made struct{ Key, Base string }

// ask shows the form.
func (a *API) ask(c *gin.Context, status int, r request, alert string) error {
	f := &form{Action: Path, Proposed: r.proposed, Name: r.name, Days: r.days, Username: r.username, AsksCode: r.asksCode}
	for _, s := range access.Vocabulary() {
		if r.offers(s.Scope) {
			f.Scopes = append(f.Scopes, offer{ScopeText: s, Ticked: r.ticks(s.Scope), Warning: warning(s.Scope)})
		}
	}
	v := page.View{Heading: "Make an API key", Alert: alert, Data: data{Form: f}, Warning: page.Unprotected(c)}
	if r.proposed {
		v.Lines = []string{
			"Some program proposes this key. Anybody can make such a link: go on only if you know which program will have the key, and trust it.",
		}
	}
	return a.page.Show(c, status, v)
}

// warning is what a person should know before giving the scope; often nothing.
func warning(s access.Scope) string {
	switch {
	case s == access.All:
		return "Everything you may do. If you are an admin, everything an admin may do."
	case s.IsAdmin():
		return "Concerns everybody's accounts. Works for admins only."
	}
	return ""
}

// show shows a key, this once.
func (a *API) show(c *gin.Context, r request, text string, key model.APIKey) error {
	until := "you delete it"
	if !key.ExpiresAt.IsZero() {
		until = key.ExpiresAt.UTC().Format("2 January 2006, 15:04 UTC")
	}
	facts := []page.Fact{{Name: "Account", Value: r.username}, {Name: "Name", Value: key.Name}, {Name: "Works until", Value: until}}
	for _, s := range access.Vocabulary() {
		if r.ticks(s.Scope) {
			facts = append(facts, page.Fact{Name: "It may", Value: s.Text})
		}
	}
	return a.page.Show(c, http.StatusOK, page.View{
		Heading: "Your API key", Facts: facts, Data: data{Made: &made{Key: text, Base: a.base()}},
		Warning: "Give it to that program and to nobody else. It does not end when you change your password: delete it when you do not need it any more.",
	})
}

// base is how programs reach the server. What the request calls it is not said:
// a key that follows it would go wherever Host leads (H-11).
func (a *API) base() string {
	if a.SiteURL == "" {
		return "$SERVER"
	}
	return a.SiteURL
}
