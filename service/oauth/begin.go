package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/client"
)

const (
	maxNonce    = 1 << 10 // bytes
	maxState    = 4 << 10 // bytes
	maxResource = 2000    // bytes
	maxHint     = 256     // bytes
	maxAgeChars = 10      // digits of max_age
)

// Begin reads an app's request for access (RFC 6749 §4.1.1, OpenID Connect Core
// 1.0 §3.1.2.1). Client and redirect URI are looked at first: what is wrong with
// them is ErrPageClient, ErrPageRedirect or ErrPageRequest, for a page. All that
// is wrong with the rest is a *RedirectError. issuer is the server's address;
// without one it fails with ErrNoIssuer.
func (s *Service) Begin(ctx context.Context, issuer string, asked url.Values) (Request, error) {
	if issuer == "" {
		return Request{}, ErrNoIssuer
	}
	c, redirectURI, err := s.answerable(ctx, asked)
	if err != nil {
		return Request{}, err
	}
	r := Request{App: appOf(c), Issuer: issuer, RedirectURI: redirectURI, State: asked.Get("state")}
	if len(asked["state"]) > 1 || len(r.State) > maxState {
		r.State = "" // nobody can say which one is meant
		return Request{}, r.refused("invalid_request", "state is given twice, or too long")
	}
	if err := r.read(asked, c); err != nil {
		return Request{}, err
	}
	if r.Scopes, err = s.Clients.CheckScopes(c, strings.Fields(asked.Get("scope"))); err != nil {
		return Request{}, r.refused("invalid_scope", scopeFault(err))
	}
	texts, err := s.Clients.Describe(ctx, r.Scopes)
	if err != nil {
		return Request{}, err
	}
	r.Texts, r.Grants = texts, lifeOf(c, r.Scopes)
	return r, nil
}

// answerable finds the app and where it may be answered (O-01).
func (s *Service) answerable(ctx context.Context, asked url.Values) (model.OAuthClient, string, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if values := asked[name]; len(values) != 1 || values[0] == "" {
			return model.OAuthClient{}, "", ErrPageRequest.WithText("The app's request must give " + name + " once")
		}
	}
	c, err := s.Clients.Get(ctx, asked.Get("client_id"))
	switch {
	case errors.Is(err, client.ErrUnknown), errors.Is(err, client.ErrDisabled):
		return c, "", ErrPageClient
	case err != nil:
		return c, "", err
	}
	uri := asked.Get("redirect_uri")
	if !client.MatchRedirect(c.RedirectURIs, uri) {
		return c, "", ErrPageRedirect
	}
	return c, uri, nil
}

// read reads all that needs no look-up.
func (r *Request) read(asked url.Values, c model.OAuthClient) error {
	if err := r.readForm(asked); err != nil {
		return err
	}
	if err := r.readChallenge(asked, c.PKCERequired); err != nil {
		return err
	}
	if err := r.readPrompt(asked.Get("prompt")); err != nil {
		return err
	}
	if text := asked.Get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 32)
		if err != nil || len(text) > maxAgeChars {
			return r.refused("invalid_request", "max_age must be a number of seconds")
		}
		age := time.Duration(seconds) * time.Second
		r.MaxAge = &age
	}
	if r.Nonce = asked.Get("nonce"); len(r.Nonce) > maxNonce {
		return r.refused("invalid_request", "nonce is too long")
	}
	if r.Resource = asked.Get("resource"); !isResource(r.Resource) {
		return r.refused("invalid_target", "resource must be one absolute URI without a fragment")
	}
	if hint := asked.Get("login_hint"); len(hint) <= maxHint {
		r.LoginHint = hint
	}
	return nil
}

// readForm judges the shape of the request: each parameter once (RFC 6749 §3.1),
// none that would change what is asked behind our back, and the one way of
// answering there is.
func (r *Request) readForm(asked url.Values) error {
	for name, values := range asked {
		if len(values) < 2 {
			continue
		}
		if name == "resource" { // RFC 8707 allows several; we keep one
			return r.refused("invalid_target", "name one resource only")
		}
		return r.refused("invalid_request", "a parameter is given twice")
	}
	for _, name := range []string{"request", "request_uri", "registration"} { // OpenID Connect Core 1.0 §3.1.2.6
		if asked.Get(name) != "" {
			return r.refused(name+"_not_supported", name+" is not supported")
		}
	}
	switch asked.Get("response_type") {
	case "code":
	case "":
		return r.refused("invalid_request", "response_type is missing")
	default:
		return r.refused("unsupported_response_type", "response_type must be code")
	}
	if mode := asked.Get("response_mode"); mode != "" && mode != "query" {
		return r.refused("invalid_request", "response_mode must be query")
	}
	return nil
}

// readChallenge reads the PKCE challenge (RFC 7636 §4.3): S256, said so, because
// without a method it would mean plain (O-04).
func (r *Request) readChallenge(asked url.Values, required bool) error {
	challenge, method := asked.Get("code_challenge"), asked.Get("code_challenge_method")
	switch {
	case challenge == "" && method == "" && !required:
		return nil
	case challenge == "":
		return r.refused("invalid_request", "code_challenge is required")
	case method != "S256":
		return r.refused("invalid_request", "code_challenge_method must be S256")
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(raw) != 32 || len(challenge) != 43 {
		return r.refused("invalid_request", "code_challenge must be 43 characters of base64url")
	}
	r.Challenge = challenge
	return nil
}

// readPrompt reads prompt (OpenID Connect Core 1.0 §3.1.2.1). Who may choose an
// account signs in.
func (r *Request) readPrompt(text string) error {
	wishes := strings.Fields(text)
	for _, wish := range wishes {
		switch wish {
		case "none":
			r.PromptNone = true
		case "login", "select_account":
			r.PromptLogin = true
		case "consent":
			r.PromptConsent = true
		default:
			return r.refused("invalid_request", "prompt must be none, login, consent or select_account")
		}
	}
	if r.PromptNone && len(wishes) > 1 {
		return r.refused("invalid_request", "prompt=none goes with nothing else")
	}
	return nil
}

// isResource reports whether text may name a resource server (RFC 8707 §2), or
// is empty.
func isResource(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxResource && u.IsAbs() && u.Host != "" && u.User == nil && !strings.Contains(text, "#") &&
		!strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
}

// refused is a failure that the app is told.
func (r *Request) refused(code, description string) error {
	return &RedirectError{Code: code, Description: description, RedirectURI: r.RedirectURI, State: r.State, Issuer: r.Issuer}
}

// AfterSignIn is a request without its wish for a new sign-in, once that was
// granted.
func AfterSignIn(asked url.Values) url.Values {
	left := maps.Clone(asked)
	left.Del("prompt")
	if strings.Trim(asked.Get("max_age"), "0") == "" { // 0, or 00: would always be too long ago
		left.Del("max_age")
	}
	for wish := range strings.FieldsSeq(asked.Get("prompt")) {
		if wish == "consent" || wish == "none" {
			left.Set("prompt", wish)
		}
	}
	return left
}
