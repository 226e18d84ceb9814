package oauth

import (
	"errors"
	"net/url"
	"strings"

	"latchkey/service/client"
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
	ErrNoIssuer = fault.New(fault.Unavailable, "oauth_no_issuer", "OAuth needs this server's address: set it with --site-url")
)

// What apps are told. The codes are those of RFC 6749 §5.2, RFC 6750 §3.1 and
// RFC 8707 §2.
var (
	// ErrRequest says that a request lacks something or gives it twice.
	ErrRequest = fault.New(fault.Invalid, "invalid_request", "The request is malformed")
	// ErrGrantType says that there is no such way to tokens.
	ErrGrantType = fault.New(fault.Invalid, "unsupported_grant_type",
		"grant_type must be authorization_code, refresh_token or urn:ietf:params:oauth:grant-type:device_code")
	// ErrToken says that an access token is malformed, unknown, expired or ended.
	ErrToken = fault.New(fault.Unauthenticated, "invalid_token", "The access token is invalid, expired or revoked")
	// ErrInsufficient says that an access token lacks the scope.
	ErrInsufficient = fault.New(fault.Forbidden, "insufficient_scope", "The access token lacks the scope openid")
	// ErrTarget says that a resource is malformed.
	ErrTarget = fault.New(fault.Invalid, "invalid_target", "resource must be one absolute URI without a fragment")
)

// What is refused with prompt=none (OpenID Connect Core 1.0 §3.1.2.6).
const (
	LoginRequired   = "login_required"
	ConsentRequired = "consent_required"
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

// Error is the failure in words.
func (e *RedirectError) Error() string { return e.Code + ": " + e.Description }

// Location is where the browser is sent.
func (e *RedirectError) Location() string {
	return answerTo(e.RedirectURI, url.Values{
		"error": {e.Code}, "error_description": {e.Description}, "state": {e.State}, "iss": {e.Issuer},
	})
}

// answerTo is a redirect URI with what the app is told. Empty values are left
// out; what the URI's own query holds stays as it is (RFC 6749 §3.1.2).
func answerTo(redirectURI string, told url.Values) string {
	for name, values := range told {
		if values[0] == "" {
			told.Del(name)
		}
	}
	between := "?"
	if strings.Contains(redirectURI, "?") {
		between = "&"
	}
	return redirectURI + between + told.Encode()
}

// scopeFault is why scopes are refused, in words.
func scopeFault(err error) string {
	if errors.Is(err, client.ErrScope) {
		return fault.Of(err).Text
	}
	return "The app may not ask for this scope"
}
