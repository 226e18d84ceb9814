package grant_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/grant"
	"latchkey/service/racetest"
	"latchkey/service/secret"
)

const full = "email me.read offline_access openid"

func TestACodeBecomesTokensUnderALoginOfItsOwn(t *testing.T) {
	h := newHouse(t)
	got := h.tokens(strings.Fields(full)...)
	if !secret.IsBearer(secret.OAuthToken, got.Access) || !secret.IsBearer(secret.RefreshToken, got.Refresh) {
		t.Errorf("tokens %q, %q", got.Access, got.Refresh)
	}
	want := grant.Tokens{
		Access: got.Access, AccessExpires: start.Add(time.Hour), Refresh: got.Refresh, RefreshExpires: start.Add(90 * day),
		ClientID: app, AccountKey: "a11ce", LoginID: "login 1", Nonce: "n", Resource: "https://api.example",
		AuthTime: start.Add(-time.Minute), Scopes: strings.Fields(full), AMR: []string{"pwd", "otp"},
	}
	if !same(got, want) || got.Nonce != want.Nonce || got.Resource != want.Resource || !got.AuthTime.Equal(want.AuthTime) ||
		!slices.Equal(got.AMR, want.AMR) || got.ClientID != app || got.AccountKey != "a11ce" {
		t.Errorf("Redeem = %+v, want %+v", got, want)
	}
	if l, err := h.store.Login(t.Context(), got.LoginID); err != nil || !l.ExpiresAt.Equal(start.Add(365*day)) {
		t.Errorf("login = %+v, %v, want a year", l, err)
	}
	if told := h.heard(); !slices.Equal(told, []string{"oauth_app_authorized"}) {
		t.Errorf("told %q", told)
	}
}

// O-08.
func TestWithoutOfflineAccessNothingIsRenewed(t *testing.T) {
	h := newHouse(t)
	got := h.tokens("openid")
	if got.Refresh != "" || !got.RefreshExpires.IsZero() {
		t.Errorf("refresh token %q until %v", got.Refresh, got.RefreshExpires)
	}
	if l, err := h.store.Login(t.Context(), got.LoginID); err != nil || !l.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("login = %+v, %v, want an hour", l, err)
	}
}

// O-03, O-04.
func TestACodeIsBound(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(h *house, r *grant.Redemption)
		burnt  bool
	}{
		"to its app":                            {func(_ *house, r *grant.Redemption) { r.ClientID = other }, false},
		"to its redirect URI":                   {func(_ *house, r *grant.Redemption) { r.RedirectURI = back + "/" }, true},
		"to its verifier":                       {func(_ *house, r *grant.Redemption) { r.Verifier = strings.Repeat("a", 43) }, true},
		"to a verifier at all":                  {func(_ *house, r *grant.Redemption) { r.Verifier = "" }, true},
		"to the verifier, not the challenge":    {func(_ *house, r *grant.Redemption) { r.Verifier = challenge(verifier) }, true},
		"to 60 seconds":                         {func(h *house, _ *grant.Redemption) { h.advance(time.Minute) }, false},
		"to its own text":                       {func(_ *house, r *grant.Redemption) { r.Code = strings.ToUpper(r.Code) }, false},
		"to the state of the account":           {func(h *house, _ *grant.Redemption) { h.store.EndAccount("a11ce", false, model.At(start)) }, false},
		"to an account that is enabled":         {func(h *house, _ *grant.Redemption) { h.store.EndAccount("a11ce", true, model.At(start)) }, false},
		"to an account that is there":           {func(h *house, _ *grant.Redemption) { h.store.DeleteAccount("a11ce") }, false},
		"to an app that is there":               {func(h *house, _ *grant.Redemption) { delete(h.apps, app) }, false},
		"to an app that is on when it is spent": {func(h *house, _ *grant.Redemption) { h.store.SetApp(app, false) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			right := exchange(h.code("openid"))
			wrong := right
			tt.change(h, &wrong)
			_, err := h.Redeem(t.Context(), wrong)
			h.wants(err, grant.ErrGrant, "Redeem")
			if _, err = h.Redeem(t.Context(), right); tt.burnt && err == nil {
				t.Error("the code works after it was presented with something wrong")
			}
		})
	}
}

func TestAnotherAppsUseChangesNothing(t *testing.T) {
	h := newHouse(t)
	right := exchange(h.code("openid"))
	wrong := right
	wrong.ClientID = other
	_, err := h.Redeem(t.Context(), wrong)
	h.wants(err, grant.ErrGrant, "Redeem by another app")
	got, err := h.Redeem(t.Context(), right)
	h.wants(err, nil, "Redeem")
	_, err = h.Redeem(t.Context(), wrong)
	h.wants(err, grant.ErrGrant, "Redeem by another app, later")
	h.over(got.LoginID, "")
}

func TestARedirectURIThatIsNotSentIsNotAsked(t *testing.T) { // rulings 31
	h := newHouse(t)
	r := exchange(h.code("openid"))
	r.RedirectURI = ""
	_, err := h.Redeem(t.Context(), r)
	h.wants(err, nil, "Redeem")
}

// O-04: who sent no challenge may send no verifier.
func TestAVerifierWithoutAChallengeIsRefused(t *testing.T) {
	h := newHouse(t)
	for v, want := range map[string]error{"": nil, verifier: grant.ErrGrant} {
		code, err := h.Code(t.Context(), grant.Approval{ClientID: app, AccountKey: "a11ce", Scopes: []string{"openid"}, RedirectURI: back})
		h.wants(err, nil, "Code")
		r := exchange(code)
		r.Verifier = v
		_, err = h.Redeem(t.Context(), r)
		h.wants(err, want, "Redeem with verifier "+v)
	}
}

func TestVerifiersHaveTheirForm(t *testing.T) { // RFC 7636 §4.1
	h := newHouse(t)
	for v, fine := range map[string]bool{
		strings.Repeat("a", 42): false, strings.Repeat("a", 43): true, strings.Repeat("~", 128): true,
		strings.Repeat("a", 129): false, strings.Repeat("ä", 43): false, strings.Repeat("a", 43) + " ": false,
		strings.Repeat("-._~", 11): true, strings.Repeat("a", 41) + "+/=": true, // git-credential-oauth's are Base64
		strings.Repeat("a", 43) + "%": false, strings.Repeat("a", 22) + "\"" + strings.Repeat("a", 22): false,
	} {
		code, err := h.Code(t.Context(), grant.Approval{ClientID: app, AccountKey: "a11ce", Challenge: challenge(v)})
		h.wants(err, nil, "Code")
		r := exchange(code)
		r.RedirectURI, r.Verifier = "", v
		if _, err := h.Redeem(t.Context(), r); (err == nil) != fine {
			t.Errorf("verifier %q = %v, want it taken: %v", v, err, fine)
		}
	}
}

// O-02.
func TestASecondUseEndsWhatTheFirstMade(t *testing.T) {
	for name, change := range map[string]func(h *house, r *grant.Redemption){
		"the same again":         func(*house, *grant.Redemption) {},
		"with another verifier":  func(_ *house, r *grant.Redemption) { r.Verifier = "" },
		"after half a minute":    func(h *house, _ *grant.Redemption) { h.advance(31 * time.Second) },
		"after its time":         func(h *house, _ *grant.Redemption) { h.advance(time.Hour) },
		"after a month, cleaned": func(h *house, _ *grant.Redemption) { h.advance(30 * day); _ = h.Clean(h.t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			r := exchange(h.code(strings.Fields(full)...))
			got, err := h.Redeem(t.Context(), r)
			h.wants(err, nil, "Redeem")
			h.heard()
			change(h, &r)
			_, err = h.Redeem(t.Context(), r)
			h.wants(err, grant.ErrGrant, "second Redeem")
			h.over(got.LoginID, model.EndReused)
			if told := h.heard(); !slices.Equal(told, []string{"ended a11ce", "oauth_code_reused"}) {
				t.Errorf("told %q", told)
			}
			_, err = h.refresh(got.Refresh)
			h.wants(err, grant.ErrGrant, "Refresh")
			_, err = h.Redeem(t.Context(), r)
			h.wants(err, grant.ErrGrant, "third Redeem")
			if told := h.heard(); len(told) != 0 {
				t.Errorf("told again: %q", told)
			}
		})
	}
}

// O-02: of 16 exchanges at once one is answered with tokens. The others are
// second uses: when all are answered, these tokens are dead.
func TestSixteenExchangesAtOnceMakeOneLoginAndEndIt(t *testing.T) {
	for range 50 {
		h := newHouse(t)
		r := exchange(h.code(strings.Fields(full)...))
		var got atomic.Pointer[grant.Tokens]
		racetest.Once(t, 16, grant.ErrGrant, func(int) error {
			tokens, err := h.Redeem(t.Context(), r)
			if err == nil {
				got.Store(&tokens)
			}
			return err
		})
		if tokens := got.Load(); tokens != nil {
			h.over(tokens.LoginID, model.EndReused)
		}
		if told := h.heard(); strings.Count(strings.Join(told, ","), "oauth_code_reused") != 1 {
			t.Errorf("told %q, want one reuse", told)
		}
	}
}

// O-08: what an app may ask for can shrink between the consent and the exchange.
func TestACodeGivesNoMoreThanTheAppMayHaveNow(t *testing.T) {
	h := newHouse(t)
	code := h.code(strings.Fields(full)...)
	h.addApp(app, "openid")
	got, err := h.Redeem(t.Context(), exchange(code))
	if err != nil || !slices.Equal(got.Scopes, []string{"openid"}) || got.Refresh != "" {
		t.Errorf("Redeem = %v, %q, %v", got.Scopes, got.Refresh, err)
	}
	code = h.code("email")
	_, err = h.Redeem(t.Context(), exchange(code))
	h.wants(err, grant.ErrGrant, "Redeem with nothing left")
}
