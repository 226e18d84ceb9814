package openid

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
	"latchkey/service/client"
	"latchkey/service/fault"
	"latchkey/service/oauth"
)

// Where the endpoints are.
const (
	PathAuthorize  = "/session/authorize"          // a page
	PathDevice     = "/session/device"             // a page
	PathToken      = "/api/v4/session/oauth/token" //nolint:gosec // G101: a path
	PathUserInfo   = "/api/v4/session/oauth/userinfo"
	PathRevoke     = "/api/v4/session/oauth/revoke"
	PathIntrospect = "/api/v4/session/oauth/introspect"
	PathDeviceCode = "/api/v4/session/oauth/device_authorization"
	PathKeys       = "/api/v4/session/oauth/jwks"
	PathOpenID     = "/.well-known/openid-configuration"
	PathServer     = "/.well-known/oauth-authorization-server"
)

// Provider is the handlers of OAuth's own endpoints, and of token pairs. It is
// safe for concurrent use.
type Provider struct {
	flow    *oauth.Service
	siteURL string
}

// NewProvider makes the handlers of a server at that address; an empty one is
// found from requests of this machine (web.Origin).
func NewProvider(flow *oauth.Service, siteURL string) *Provider {
	return &Provider{flow: flow, siteURL: siteURL}
}

// IsProtocol reports whether a path is an endpoint whose answers have the form
// that OAuth's standards give them.
func IsProtocol(path string) bool {
	return slices.Contains([]string{
		PathToken, PathUserInfo, PathRevoke, PathIntrospect, PathDeviceCode, PathKeys, PathOpenID, PathServer,
	}, path)
}

// RenderOAuth answers a failure as RFC 6749 §5.2 does, with a real status.
func RenderOAuth(c *gin.Context, f *fault.Error, requestID string) {
	code, status, text := oauthError(f), web.Status(f.Kind), f.Text
	switch {
	case f.Kind == fault.Internal:
		text = "internal error, request " + requestID
	case code == "invalid_grant":
		status = http.StatusBadRequest
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	switch code {
	case client.ErrClient.Code:
		h.Set("WWW-Authenticate", `Basic realm="Latchkey", charset="UTF-8"`)
	case oauth.ErrToken.Code:
		h.Set("WWW-Authenticate", `Bearer realm="Latchkey", error="invalid_token", error_description="`+described(text)+`"`)
	case oauth.ErrInsufficient.Code:
		h.Set("WWW-Authenticate", `Bearer realm="Latchkey", error="insufficient_scope", scope="openid"`)
	}
	c.AbortWithStatusJSON(status, oauthFailure{Error: code, Description: described(text)})
}

type oauthFailure struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// oauthError is the code of a failure: its own where the standards know it.
func oauthError(f *fault.Error) string {
	if slices.Contains([]string{ // RFC 6749 §5.2, RFC 6750 §3.1, RFC 8628 §3.5, RFC 8707 §2
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"invalid_token", "insufficient_scope", "authorization_pending", "slow_down", "access_denied", "expired_token", "invalid_target",
	}, f.Code) {
		return f.Code
	}
	switch f.Kind { //nolint:exhaustive // the others are mistakes of the request
	case fault.Internal:
		return "server_error"
	case fault.Unavailable, fault.TooMany:
		return "temporarily_unavailable"
	case fault.Unauthenticated, fault.Forbidden: // the account went away meanwhile
		return "invalid_grant"
	}
	return "invalid_request"
}

// described is a text with the characters that a description may have (RFC 6749
// §5.2).
func described(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"', r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return '?'
		}
		return r
	}, text)
}

// noStore keeps an answer out of every cache (RFC 6749 §5.1).
func noStore(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Pragma", "no-cache")
}

// issuer is the server's address, or oauth.ErrNoIssuer.
func (p *Provider) issuer(c *gin.Context) (string, error) {
	if origin := web.Origin(c, p.siteURL); origin != "" {
		return origin, nil
	}
	return "", oauth.ErrNoIssuer
}

// params reads the body and finds which app calls (RFC 6749 §2.3.1): by Basic, by
// the body, or by its id alone. Basic with an empty password is its id alone.
// Both ways at once are refused.
func params(c *gin.Context) (url.Values, oauth.ClientProof, error) {
	proof := oauth.ClientProof{Address: middleware.ClientIP(c), UserAgent: web.UserAgent(c)}
	form, err := web.FormValues(c)
	if err != nil {
		return nil, proof, err
	}
	proof.ID, proof.Secret = form.Get("client_id"), form.Get("client_secret")
	if form.Has("client_assertion") || form.Has("client_assertion_type") {
		return nil, proof, client.ErrClient.WithText("Client assertions are not supported")
	}
	if values := c.Request.Header["Authorization"]; len(values) > 0 {
		id, secret, ok := basic(values)
		switch {
		case !ok:
			return nil, proof, client.ErrClient
		case form.Has("client_secret"), form.Has("client_id") && form.Get("client_id") != id:
			return nil, proof, oauth.ErrRequest.WithText("The client was named in two ways")
		}
		proof.ID, proof.Secret = id, secret
	}
	if proof.ID == "" {
		return nil, proof, client.ErrClient.WithText("client_id is missing")
	}
	return form, proof, nil
}

// basic reads HTTP Basic credentials, each part of which is urlencoded.
func basic(values []string) (id, secret string, ok bool) {
	if len(values) != 1 {
		return "", "", false
	}
	r := http.Request{Header: http.Header{"Authorization": values}}
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", false
	}
	id, err := url.QueryUnescape(user)
	if err != nil {
		return "", "", false
	}
	secret, err = url.QueryUnescape(password)
	return id, secret, err == nil
}

// bearer is the token of the header Authorization (RFC 6750 §2.1): nothing else
// carries one here.
func bearer(c *gin.Context) (string, error) {
	values := c.Request.Header["Authorization"]
	if len(values) != 1 {
		return "", oauth.ErrToken.WithText("Send the access token in the header Authorization: Bearer")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", oauth.ErrToken.WithText("Send the access token in the header Authorization: Bearer")
	}
	return token, nil
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
