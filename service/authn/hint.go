package authn

import (
	"strings"

	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/secret"
)

// ErrMisplaced says that a credential stands where its kind does not belong; the
// text says where it does (contract "API keys": no riddles). It is told from
// the looks alone, so that it tells nothing about whether the credential is good.
var ErrMisplaced = fault.New(fault.Unauthenticated, "credential_misplaced", "Invalid API key")

// misplaced is the hint for what is presented in a wrong place, or nil.
func misplaced(p Presented) error {
	switch p.Place {
	case access.InBasicName:
		return hint("in Basic authentication the key is the password, not the user name")
	case access.Elsewhere:
		return hint("send it in the header x-api-key, or in Authorization after Bearer")
	case access.InAuthorization:
		if word, text, ok := worded(p.Text); ok && isPrefixed(text, secret.APIKey) {
			return hint("in Authorization it stands alone or after Bearer, not after " + word)
		}
	case access.InKeyHeader, access.InQuery, access.InBasic:
		return inKeysPlace(p.Text)
	case access.Nowhere, access.InCookie:
	}
	return nil
}

// inKeysPlace is the hint for what stands where only API keys may.
func inKeysPlace(text string) error {
	if isPrefixed(text, secret.APIKey) {
		return nil
	}
	word, bare, ok := worded(text)
	if !ok {
		bare = text
	}
	switch {
	case ok && isPrefixed(bare, secret.APIKey):
		return hint("send the key alone, without " + word)
	case isPrefixed(bare, secret.OAuthToken), isPrefixed(bare, secret.SessionAccess):
		return hint("this is an access token, send it in Authorization after Bearer")
	case isPrefixed(bare, secret.RefreshToken):
		return hint("this is a refresh token, which only gets access tokens")
	case looksSigned(bare):
		return hint("this is a login token, send it in Authorization")
	case strings.HasPrefix(bare, secret.StaticTokenPrefix):
		return hint("this is the static token, send it in Authorization")
	}
	return nil
}

func hint(text string) error { return ErrMisplaced.WithText(ErrMisplaced.Text + ": " + text) }

// schemes are the words that people put before a key and that a hint repeats; any
// other one may be half of a secret.
func schemes() []string {
	return []string{"Bearer", "Token", "ApiKey", "Api-Key", "Key", "Basic", "JWT"}
}

// worded is a text of two words of which the first is, or may be, a scheme.
func worded(text string) (word, rest string, ok bool) {
	first, rest, ok := strings.Cut(text, " ")
	if !ok {
		return "", "", false
	}
	for _, scheme := range schemes() {
		if strings.EqualFold(first, scheme) {
			return scheme, strings.TrimLeft(rest, " \t"), true
		}
	}
	return "another word", strings.TrimLeft(rest, " \t"), true
}

func isPrefixed(text string, p secret.Prefix) bool { return strings.HasPrefix(text, string(p)) }

// looksSigned reports whether text has the form of a JSON Web Token (RFC 7519 §3):
// three parts, the first of which begins with `{"` in Base64.
func looksSigned(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}
