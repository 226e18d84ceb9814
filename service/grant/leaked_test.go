package grant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/grant"
	"latchkey/service/secret"
)

// Whoever finds one token of a family may have them all.
func TestATokenThatWasFoundEndsItsLogin(t *testing.T) {
	access := func(_ *house, at grant.Tokens) string { return at.Access }
	for name, tt := range map[string]struct {
		token func(h *house, at grant.Tokens) string
		own   bool // the owner's pair
		stays bool
	}{
		"an app's access token":    {token: access},
		"the owner's access token": {token: access, own: true},
		"a refresh token":          {token: func(_ *house, at grant.Tokens) string { return at.Refresh }},
		"a used refresh token": {token: func(h *house, at grant.Tokens) string {
			h.refreshed(at.Refresh)
			return at.Refresh
		}},
		"an access token past its time": {token: func(h *house, at grant.Tokens) string { h.advance(2 * time.Hour); return at.Access }, stays: true},
		"an unknown token":              {token: func(*house, grant.Tokens) string { return bearer(secret.RefreshToken) }, stays: true},
		"a code":                        {token: func(h *house, _ grant.Tokens) string { return h.code("openid") }, stays: true},
		"what is no token":              {token: func(*house, grant.Tokens) string { return "x" }, stays: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			var at grant.Tokens
			if tt.own {
				at = h.pair("p")
			} else {
				at = h.tokens(strings.Fields(full)...)
			}
			_, err := h.Resolve(t.Context(), at.Access) // it is remembered
			h.wants(err, nil, "Resolve")
			token := tt.token(h, at)
			h.heard()
			h.wants(h.Leaked(t.Context(), token), nil, "Leaked")
			var ended model.EndReason
			var want []string
			if !tt.stays {
				ended, want = model.EndRevoked, []string{"ended a11ce", "oauth_token_revoked"}
			}
			h.over(at.LoginID, ended)
			if told := h.heard(); !slices.Equal(told, want) {
				t.Errorf("told %q, want %q", told, want)
			}
			h.wants(h.Leaked(t.Context(), token), nil, "second Leaked")
			if told := h.heard(); slices.Contains(told, "oauth_token_revoked") {
				t.Errorf("told again: %q", told)
			}
		})
	}
}
