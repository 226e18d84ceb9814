package web

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"latchkey/service/access"
	"latchkey/service/secret"
)

// maxAuthorization bounds the header in bytes; a session token has about 400.
const maxAuthorization = 8 << 10

const blanks = " \t"

// Sent is the credential that a request carries.
type Sent struct {
	Text  string // empty: there is none
	Place access.Place

	// Delegated says that by its place or its looks it is an API key or an OAuth
	// token, right or wrong: whoever sends one is no AList client.
	Delegated bool
}

// Credential is what a request carries where contract "API keys" lets one stand;
// empty headers and parameters count as absent, and the same text in two places
// as one. Whether it is any good, and whether it may stand there, is not decided
// here. A Basic header whose password is no API key is a proxy's, and only looked
// at where there is nothing else (rulings 29).
//
// Sent.Delegated is filled in for every failure, too: ErrTwoCredentials for two
// headers Authorization, or one of more than 8 KiB, where nobody can say what a
// proxy before us has judged; ErrManyPlaces for two credentials that differ;
// ErrParameter for a parameter that is malformed or given twice.
func Credential(c *gin.Context) (Sent, error) {
	query, queryErr := keyInQuery(c.Request.URL.RawQuery)
	f := found{Sent: Sent{Delegated: queryErr != nil}}
	f.add(query, access.InQuery)
	authErr := f.authorization(c.Request.Header["Authorization"])
	for _, text := range c.Request.Header["X-Api-Key"] {
		f.add(strings.Trim(text, blanks), access.InKeyHeader)
	}
	f.add(f.basic, access.InBasic)
	switch {
	case authErr != nil:
		return Sent{Delegated: f.Delegated}, authErr
	case queryErr != nil:
		return Sent{Delegated: true}, queryErr
	case f.many:
		return Sent{Delegated: true}, ErrManyPlaces
	case f.Text != "":
		return f.Sent, nil
	case f.other.Text != "":
		return f.other, nil
	}
	return stray(c.Request), nil
}

// found is what was found so far.
type found struct {
	Sent

	basic string // the password of Basic, if it is an API key by its prefix
	other Sent   // of a Basic header that is not
	many  bool   // two that differ
}

// add takes the text of a place. Of equal ones the first place is told, so they
// are asked for from the strictest to the most lenient: a key in the URL is there
// whatever else it stands in, and a token that stands in Authorization is right.
func (f *found) add(text string, place access.Place) {
	if text == "" {
		return
	}
	f.Delegated = f.Delegated || place != access.InAuthorization || looksDelegated(text)
	switch f.Text {
	case "":
		f.Text, f.Place = text, place
	case text:
	default:
		f.many = true
	}
}

func (f *found) authorization(values []string) error {
	switch {
	case len(values) == 0:
		return nil
	case len(values) > 1, len(values[0]) > maxAuthorization:
		for _, value := range values {
			f.Delegated = f.Delegated || looksDelegated(strings.Trim(value, blanks))
		}
		return ErrTwoCredentials
	}
	whole := strings.Trim(values[0], blanks)
	if encoded, ok := afterScheme(whole, "basic"); ok {
		f.addBasic(whole, encoded)
	} else if rest, ok := afterScheme(whole, "bearer"); ok {
		f.add(rest, access.InAuthorization)
	} else {
		f.add(whole, access.InAuthorization)
	}
	return nil
}

// addBasic notes what a Basic header holds, for when it is known what else there
// is.
func (f *found) addBasic(whole, encoded string) {
	name, password, ok := basic(encoded)
	switch {
	case ok && hasPrefix(password, secret.APIKey):
		f.basic = password
	case ok && hasPrefix(name, secret.APIKey):
		f.other = Sent{Text: name, Place: access.InBasicName, Delegated: true}
	case ok && password != "":
		f.other = Sent{Text: password, Place: access.InBasic, Delegated: looksDelegated(password)}
	default:
		f.other = Sent{Text: whole, Place: access.InAuthorization}
	}
}

// afterScheme is what follows the scheme, whose case does not matter (RFC 9110
// §11.1).
func afterScheme(text, scheme string) (rest string, ok bool) {
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return "", false
	}
	rest = text[len(scheme):]
	if rest != "" && !strings.ContainsRune(blanks, rune(rest[0])) {
		return "", false // a token that happens to begin like this
	}
	return strings.Trim(rest, blanks), true
}

// basic reads the credentials of RFC 7617.
func basic(encoded string) (name, password string, ok bool) {
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// keyInQuery is the parameter api_key or apiKey, "" if there is none.
func keyInQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	text, _, err := parameter(raw, "api_key", "apiKey")
	return text, err
}

// looksDelegated reports whether text is an API key or an OAuth token by its
// prefix, with or without a word before it.
func looksDelegated(text string) bool {
	text = lastWord(text)
	return hasPrefix(text, secret.APIKey) || hasPrefix(text, secret.OAuthToken) || hasPrefix(text, secret.SessionAccess)
}

// lastWord is what follows the last blank. Most credentials have none, and every
// request asks.
func lastWord(text string) string {
	if strings.IndexByte(text, ' ') < 0 && strings.IndexByte(text, '\t') < 0 {
		return text
	}
	return text[strings.LastIndexAny(text, blanks)+1:]
}

func hasPrefix(text string, p secret.Prefix) bool { return strings.HasPrefix(text, string(p)) }

// stray is an API key that stands where none belongs, for a hint to whoever sent
// it so. Cookies are not looked at: browsers send them to whoever set them.
func stray(r *http.Request) Sent {
	for name, values := range r.Header {
		for _, value := range values {
			if value = lastWord(value); name != "Cookie" && secret.IsBearer(secret.APIKey, value) {
				return Sent{Text: value, Place: access.Elsewhere, Delegated: true}
			}
		}
	}
	for rest := r.URL.RawQuery; rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		if _, value, _ := strings.Cut(pair, "="); secret.IsBearer(secret.APIKey, value) {
			return Sent{Text: value, Place: access.Elsewhere, Delegated: true}
		}
	}
	return Sent{}
}
