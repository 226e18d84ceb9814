package oauth_test

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/service/audit"
	"latchkey/service/client"
	"latchkey/service/client/clienttest"
	"latchkey/service/oauth"
)

const (
	issuer = "https://login.example.org"
	back   = "https://photos.example/cb"
)

// registered is the flow with one app, and what that app asks when all is well.
func registered(t *testing.T, disabled bool) (*oauth.Service, url.Values) {
	t.Helper()
	apps := client.New(client.Deps{
		Store: clienttest.New(), Pepper: []byte(strings.Repeat("p", 32)),
		Now:    func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) },
		Record: func(context.Context, audit.Event) error { return nil },
		Ended:  func(context.Context, string) error { return nil },
	})
	app, _, err := apps.Register(t.Context(), client.Registration{Name: "Photos", RedirectURIs: []string{back}, Scopes: []string{"openid", "me.read"}})
	if err != nil {
		t.Fatal(err)
	}
	if disabled {
		if _, err := apps.Update(t.Context(), app.ID, client.Edit{Disabled: new(true)}); err != nil {
			t.Fatal(err)
		}
	}
	return oauth.New(oauth.Deps{Clients: apps, Now: time.Now}), url.Values{
		"client_id": {app.ID}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"openid"}, "state": {"x"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, // RFC 7636 appendix B
	}
}

// O-01: as long as nobody knows whose request it is, it is refused on a page;
// after that the app is told, with its state and who says so (RFC 9207).
func TestWhoIsToldOfABadRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		change   url.Values // an empty list takes the parameter away
		nowhere  bool       // nobody told the server its address
		disabled bool
		page     error  // what a page says
		told     string // what the app is told
	}{
		"nothing is wrong":                 {},
		"the server has no address":        {nowhere: true, page: oauth.ErrNoIssuer},
		"no app":                           {change: url.Values{"client_id": nil}, page: oauth.ErrPageRequest},
		"two apps":                         {change: url.Values{"client_id": {"a", "b"}}, page: oauth.ErrPageRequest},
		"an unknown app":                   {change: url.Values{"client_id": {"nobody"}}, page: oauth.ErrPageClient},
		"an app that is off":               {disabled: true, page: oauth.ErrPageClient},
		"no redirect URI":                  {change: url.Values{"redirect_uri": nil}, page: oauth.ErrPageRequest},
		"two redirect URIs":                {change: url.Values{"redirect_uri": {back, back}}, page: oauth.ErrPageRequest},
		"somebody else's redirect URI":     {change: url.Values{"redirect_uri": {"https://evil.example/cb"}}, page: oauth.ErrPageRedirect},
		"a redirect URI with a slash more": {change: url.Values{"redirect_uri": {back + "/"}}, page: oauth.ErrPageRedirect},
		"wrong in all: the page, still":    {change: url.Values{"redirect_uri": {back + "?x"}, "scope": {"me.fly"}}, page: oauth.ErrPageRedirect},
		"no response type":                 {change: url.Values{"response_type": nil}, told: "invalid_request"},
		"a token from the front":           {change: url.Values{"response_type": {"token"}}, told: "unsupported_response_type"},
		"no PKCE":                          {change: url.Values{"code_challenge": nil, "code_challenge_method": nil}, told: "invalid_request"},
		"plain PKCE":                       {change: url.Values{"code_challenge_method": {"plain"}}, told: "invalid_request"},
		"a scope twice over":               {change: url.Values{"scope": {"openid", "me.read"}}, told: "invalid_request"},
		"an unknown scope":                 {change: url.Values{"scope": {"me.fly"}}, told: "invalid_scope"},
		"a scope of other apps":            {change: url.Values{"scope": {"session.evict"}}, told: "invalid_scope"},
		"a request object":                 {change: url.Values{"request": {"eyJ"}}, told: "request_not_supported"},
	} {
		t.Run(name, func(t *testing.T) {
			flow, asked := registered(t, tt.disabled)
			maps.Copy(asked, tt.change)
			at := issuer
			if tt.nowhere {
				at = ""
			}
			_, err := flow.Begin(t.Context(), at, asked)
			told, isTold := errors.AsType[*oauth.RedirectError](err)
			switch {
			case tt.told != "":
				if !isTold || told.Code != tt.told || told.State != "x" || told.Issuer != issuer || told.RedirectURI != back {
					t.Errorf("Begin = %v (%+v), want the app to be told %s", err, told, tt.told)
				}
			case !errors.Is(err, tt.page) || isTold:
				t.Errorf("Begin = %v, want %v on a page", err, tt.page)
			}
		})
	}
}
