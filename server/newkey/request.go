package newkey

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
)

// What is wrong with a link, in words for the person who opened it.
var (
	// ErrScope says that the link proposes a permission that there is none of.
	ErrScope = fault.New(fault.Invalid, "key_link_scope", "The link asks for a permission that does not exist here")
	// ErrName says that the name is too long, or cannot be seen.
	ErrName = fault.New(fault.Invalid, "key_link_name", "The name in the link is longer than 64 characters, or cannot be shown")
	// ErrDays says that the number of days is none.
	ErrDays = fault.New(fault.Invalid, "key_link_days", "The link must say for how many days the key works: 1 to 3650, or nothing")
	// ErrForeign says that another site sent the form.
	ErrForeign = fault.New(fault.Forbidden, "key_form_foreign", "This form was sent by another site: nothing was done")
)

const (
	maxName = 64   // characters
	maxDays = 3650 // ten years
)

// The fields of links and forms.
const (
	fieldName     = "name"
	fieldScope    = "scope" // several: proposed by a link, ticked in a form
	fieldOffer    = "offer" // several: what the form offers, ticked or not
	fieldDays     = "expires_in_days"
	fieldUsername = "username"
	fieldPassword = "password"
	fieldCode     = "otp_code"
	fieldProposed = "proposed" // 1: the form came from a link that proposed a key
)

// request is a key that somebody proposes or asks for.
type request struct {
	name     string
	offered  []access.Scope // in the order of the vocabulary
	ticked   []access.Scope
	days     int // 0: for ever
	proposed bool
	asksCode bool

	username, password, code string
}

// proposal reads a link. Without a scope everything is offered, and nothing is
// ticked; what makes a key mighty is offered unticked.
func proposal(c *gin.Context) (request, error) {
	values, err := web.QueryFields(c, web.Fields{Once: []string{fieldName, fieldDays}, Many: []string{fieldScope}})
	if err != nil {
		return request{}, err
	}
	r, err := read(values, values[fieldScope])
	r.proposed = len(values) > 0
	r.ticked = slices.DeleteFunc(slices.Clone(r.offered), isMighty)
	if len(r.offered) == 0 {
		for _, s := range access.Vocabulary() {
			r.offered = append(r.offered, s.Scope)
		}
	}
	return r, err
}

// answer reads the form.
func answer(c *gin.Context) (request, error) {
	if site := c.GetHeader("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" { // browsers set it where they may
		return request{}, ErrForeign
	}
	values, err := web.FormFields(c, web.Fields{
		Once: []string{fieldName, fieldDays, fieldUsername, fieldPassword, fieldCode, fieldProposed}, Many: []string{fieldScope, fieldOffer},
	})
	if err != nil {
		return request{}, err
	}
	r, err := read(values, slices.Concat(values[fieldOffer], values[fieldScope]))
	for _, s := range r.offered {
		if slices.Contains(values[fieldScope], string(s)) {
			r.ticked = append(r.ticked, s)
		}
	}
	r.proposed = values.Get(fieldProposed) != ""
	r.username, r.password = values.Get(fieldUsername), values.Get(fieldPassword)
	r.code = strings.TrimSpace(values.Get(fieldCode))
	return r, err
}

// read checks what links and forms have in common.
func read(values url.Values, scopes []string) (request, error) {
	r := request{name: strings.TrimSpace(values.Get(fieldName))}
	if utf8.RuneCountInString(r.name) > maxName || strings.ContainsFunc(r.name, func(c rune) bool { return !strconv.IsPrint(c) }) {
		return request{}, ErrName
	}
	if text := values.Get(fieldDays); text != "" {
		days, err := strconv.ParseUint(text, 10, 16)
		if err != nil || days < 1 || days > maxDays {
			return request{}, ErrDays
		}
		r.days = int(days)
	}
	for _, name := range scopes {
		if !access.Scope(name).IsKnown() {
			_, err := access.ParseScopes([]string{name}) // says which, and cuts it
			return request{}, ErrScope.WithText(ErrScope.Text + ". " + err.Error())
		}
	}
	for _, s := range access.Vocabulary() {
		if slices.Contains(scopes, string(s.Scope)) {
			r.offered = append(r.offered, s.Scope)
		}
	}
	return r, nil
}

func (r request) offers(s access.Scope) bool { return slices.Contains(r.offered, s) }
func (r request) ticks(s access.Scope) bool  { return slices.Contains(r.ticked, s) }

// isMighty reports whether a person should think twice before giving the scope.
func isMighty(s access.Scope) bool { return s == access.All || s.IsAdmin() }

// Link leads to the page for a key of that name with those scopes; base is
// scheme://host[:port], or empty for a path alone.
func Link(base, name string, scopes access.Scopes) string {
	return base + Path + "?" + url.Values{fieldName: {name}, fieldScope: scopes.Names()}.Encode()
}
