package grant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/grant"
	"latchkey/service/racetest"
	"latchkey/service/secret"
)

// O-11, RFC 7009.
func TestRevoking(t *testing.T) {
	for name, tt := range map[string]struct {
		token  func(h *house, at grant.Tokens) string
		client string
		scopes string
		ended  model.EndReason // of the login
		access bool            // the access token lives on
		told   []string
	}{
		"an access token ends alone": {
			token: func(_ *house, at grant.Tokens) string { return at.Access }, client: app,
			told: []string{"ended a11ce", "oauth_token_revoked"},
		},
		"an access token that nothing renews ends its login": {
			token: func(_ *house, at grant.Tokens) string { return at.Access }, client: app, scopes: "openid",
			ended: model.EndRevoked, told: []string{"ended a11ce", "oauth_token_revoked"},
		},
		"a refresh token ends the family": {
			token: func(_ *house, at grant.Tokens) string { return at.Refresh }, client: app,
			ended: model.EndRevoked, told: []string{"ended a11ce", "oauth_token_revoked"},
		},
		"a used refresh token does, too": {
			token: func(h *house, at grant.Tokens) string {
				h.refreshed(at.Refresh)
				h.advance(time.Minute)
				return at.Refresh
			}, client: app,
			ended: model.EndRevoked, told: []string{"ended a11ce", "oauth_token_revoked"},
		},
		"another app's token stays":          {token: func(_ *house, at grant.Tokens) string { return at.Refresh }, client: other, access: true},
		"another app's access token stays":   {token: func(_ *house, at grant.Tokens) string { return at.Access }, client: other, access: true},
		"an app's token is nobody's own":     {token: func(_ *house, at grant.Tokens) string { return at.Refresh }, access: true},
		"an unknown token is no error":       {token: func(*house, grant.Tokens) string { return bearer(secret.OAuthToken) }, client: app, access: true},
		"what is no token is no error":       {token: func(*house, grant.Tokens) string { return "x" }, client: app, access: true},
		"a code is not revoked as a token":   {token: func(h *house, _ grant.Tokens) string { return h.code("openid") }, client: app, access: true},
		"a login's id is not a token of its": {token: func(_ *house, at grant.Tokens) string { return at.LoginID }, client: app, access: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			if tt.scopes == "" {
				tt.scopes = full
			}
			at := h.tokens(strings.Fields(tt.scopes)...)
			_, err := h.Resolve(t.Context(), at.Access) // it is remembered
			h.wants(err, nil, "Resolve")
			token := tt.token(h, at)
			h.heard()
			h.wants(h.End(t.Context(), token, tt.client), nil, "End")
			h.over(at.LoginID, tt.ended)
			if told := h.heard(); !slices.Equal(told, tt.told) {
				t.Errorf("told %q, want %q", told, tt.told)
			}
			if state, err := h.Look(t.Context(), at.Access); err != nil || state.Active != tt.access {
				t.Errorf("access token active: %v, %v, want %v", state.Active, err, tt.access)
			}
			h.wants(h.End(t.Context(), token, tt.client), nil, "second End")
			if told := h.heard(); slices.Contains(told, "oauth_token_revoked") && tt.ended != "" {
				t.Errorf("told again: %q", told)
			}
		})
	}
}

// O-12.
func TestEndingAnApp(t *testing.T) {
	h := newHouse(t)
	at, code, pair := h.tokens(strings.Fields(full)...), h.code("openid"), h.pair("p")
	h.wants(h.Consent(t.Context(), h.alice, app, []string{"openid"}), nil, "Consent")
	device, err := h.StartDevice(t.Context(), grant.DeviceStart{ClientID: app})
	h.wants(err, nil, "StartDevice")
	h.wants(h.EndClient(t.Context(), app), nil, "EndClient")
	h.over(at.LoginID, model.EndRevoked)
	_, err = h.Redeem(t.Context(), exchange(code))
	h.wants(err, grant.ErrGrant, "Redeem")
	_, err = h.refresh(at.Refresh)
	h.wants(err, grant.ErrGrant, "Refresh")
	_, err = h.PollDevice(t.Context(), grant.DevicePoll{DeviceCode: device.DeviceCode, ClientID: app})
	h.wants(err, grant.ErrGrant, "PollDevice")
	if ok, err := h.Consented(t.Context(), "a11ce", app, []string{"openid"}); ok || err != nil {
		t.Errorf("Consented = %v, %v", ok, err)
	}
	h.wants(h.EndClient(t.Context(), app), nil, "EndClient again")
	h.wants(h.EndClient(t.Context(), ""), nil, "EndClient of nobody")
	_, err = h.Refresh(t.Context(), grant.Refreshing{Token: pair.Refresh})
	h.wants(err, nil, "Refresh of the owner's own")
}

func TestConsents(t *testing.T) {
	h := newHouse(t)
	consented := func(want bool, scopes ...string) {
		t.Helper()
		if ok, err := h.Consented(t.Context(), "a11ce", app, scopes); ok != want || err != nil {
			t.Errorf("Consented(%q) = %v, %v, want %v", scopes, ok, err, want)
		}
	}
	consented(false)
	h.wants(h.Consent(t.Context(), h.alice, app, []string{"openid", "email"}), nil, "Consent")
	consented(true)
	consented(true, "email")
	consented(true, "openid", "email", "openid")
	consented(false, "openid", "me.read")
	at := h.tokens(strings.Fields(full)...)
	// A narrower consent takes nothing back.
	h.wants(h.Consent(t.Context(), h.alice, app, []string{"openid"}), nil, "narrower Consent")
	consented(true, "email", "openid")
	if got := h.refreshed(at.Refresh); strings.Join(got.Scopes, " ") != full {
		t.Errorf("a narrower consent shrank a grant to %v", got.Scopes)
	}
	list, err := h.Consents(t.Context(), h.alice)
	if err != nil || len(list) != 1 || list[0].ClientID != app || !slices.Equal(list[0].Scopes, []string{"email", "openid"}) || !list[0].GivenAt.Equal(start) {
		t.Errorf("Consents = %+v, %v", list, err)
	}
	h.heard()
	h.wants(h.Withdraw(t.Context(), h.alice, other), grant.ErrNoConsent, "Withdraw from another")
	h.wants(h.Withdraw(t.Context(), h.alice, ""), grant.ErrNoConsent, "Withdraw from oneself")
	h.wants(h.Withdraw(t.Context(), h.alice, app), nil, "Withdraw")
	consented(false)
	h.over(at.LoginID, model.EndRevoked)
	if told := h.heard(); !slices.Equal(told, []string{"ended a11ce", "oauth_app_withdrawn"}) {
		t.Errorf("told %q", told)
	}
	h.wants(h.Withdraw(t.Context(), h.alice, app), grant.ErrNoConsent, "second Withdraw")
}

// Contract, rules: an OAuth token can never approve a consent.
func TestOnlyWhoSignedInGivesOrTakesBack(t *testing.T) {
	h := newHouse(t)
	device, err := h.StartDevice(t.Context(), grant.DeviceStart{ClientID: app})
	h.wants(err, nil, "StartDevice")
	for _, kind := range []access.CredentialKind{access.Guest, access.StaticToken, access.APIKey, access.OAuthToken} {
		by := h.alice
		by.Kind = kind
		h.wants(h.Consent(t.Context(), by, app, nil), access.ErrFirstParty, "Consent")
		h.wants(h.Withdraw(t.Context(), by, app), access.ErrFirstParty, "Withdraw")
		err := h.DecideDevice(t.Context(), by, grant.DeviceDecision{UserCode: device.UserCode, Approve: true})
		h.wants(err, access.ErrFirstParty, "DecideDevice")
	}
}

// R-01 for what this package remembers: once a token was revoked, no look that
// begins later finds it good.
func TestRevocationIsNotOvertakenByALoad(t *testing.T) {
	for range 200 {
		h := newHouse(t)
		at := h.tokens(strings.Fields(full)...)
		racetest.AtOnce(4, func(i int) {
			if i > 0 {
				_, _ = h.Resolve(t.Context(), at.Access)
				return
			}
			if err := h.End(t.Context(), at.Access, app); err != nil {
				t.Error(err)
			}
			if _, err := h.Resolve(t.Context(), at.Access); err == nil {
				t.Error("a revoked token is good")
			}
		})
		if _, err := h.Resolve(t.Context(), at.Access); err == nil {
			t.Fatal("a revoked token is good again")
		}
	}
}

func TestForgettingAnOldAccessTokenIsHeard(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	oldest := at.Access
	_, err := h.Resolve(t.Context(), oldest) // it is remembered
	h.wants(err, nil, "Resolve")
	for range 100 {
		h.advance(time.Second)
		at = h.refreshed(at.Refresh)
	}
	_, err = h.Resolve(t.Context(), oldest)
	h.wants(err, grant.ErrInvalid, "Resolve of the 101st access token")
	_, err = h.Resolve(t.Context(), at.Access)
	h.wants(err, nil, "Resolve of the newest")
}
