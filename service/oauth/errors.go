package oauth

import (
	"net/url"

	"latchkey/service/fault"
)

// What is wrong with a request for access before it is known whose it is. It is
// shown on a page and never redirected: nobody knows where to (O-01).
var (
	// ErrPageClient says that there is no such app, or that it is switched off.
	ErrPageClient = fault.New(fault.Invalid, "oauth_client_unknown", "This app is not registered here")
	// ErrPageRedirect says that the app did not register the redirect URI.
	ErrPageRedirect = fault.New(fault.Invalid, "oauth_redirect_unknown", "The app asked to be answered at an address that it did not register")
	// ErrPageRequest says that the request cannot be read at all: a parameter
	// that it hangs on is missing or given twice.
	ErrPageRequest = fault.New(fault.Invalid, "oauth_request_malformed", "The app's request is malformed")
	// ErrNoIssuer says that nobody told the server its address.
	ErrNoIssuer = fault.New(fault.Unavailable, "oauth_no_issuer", "OAuth needs the server's address: start it with --site-url")
)

// RedirectError is a failure that the app is told by redirecting the browser
// (RFC 6749 §4.1.2.1).
type RedirectError struct {
	Code        string // error
	Description string // error_description
	RedirectURI string
	State       string
	Issuer      string
}

// Error is the description.
func (e *RedirectError) Error() string { return e.Code + ": " + e.Description }

// Location is where the browser is sent.
func (e *RedirectError) Location() string {
	return answerTo(e.RedirectURI, url.Values{
		"error": {e.Code}, "error_description": {e.Description}, "state": {e.State}, "iss": {e.Issuer},
	})
}

// answerTo is a redirect URI with what the app is told. Empty values are left out;
// what the URI's own query holds stays (RFC 6749 §3.1.2).
func answerTo(redirectURI string, told url.Values) string {
	for key, values := range told {
		if values[0] == "" {
			told.Del(key)
		}
	}
	between := "?"
	if i := len(redirectURI); i > 0 {
		for j := range i {
			if redirectURI[j] == '?' {
				between = "&"
				break
			}
		}
	}
	return redirectURI + between + told.Encode()
}

// What the flow refuses with prompt=none (OpenID Connect Core 1.0 §3.1.2.6).
const (
	LoginRequired   = "login_required"
	ConsentRequired = "consent_required"
)

// ErrUserCode says that no device waits for this code: it was mistyped, used or
// is too old.
var ErrUserCode = fault.New(fault.NotFound, "oauth_user_code_unknown", "No device waits for this code")
