package grant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/grant"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// pair is the tokens of a login of alice's own.
func (h *house) pair(login string) grant.Tokens {
	h.t.Helper()
	ends := h.now().Add(h.Lifetime())
	h.store.AddLogin(model.Login{ID: login, AccountKey: "a11ce", Kind: model.LoginPair, ExpiresAt: model.At(ends)})
	t, err := h.OpenPair(h.t.Context(), grant.Pair{AccountKey: "a11ce", LoginID: login, Ends: ends})
	if err != nil {
		h.t.Fatalf("OpenPair = %v", err)
	}
	return t
}

func TestAnAccessTokenIsKnown(t *testing.T) {
	h := newHouse(t)
	got, err := h.Resolve(t.Context(), h.tokens(strings.Fields(full)...).Access)
	want := grant.Known{
		AccountKey: "a11ce", LoginID: "login 1", ClientID: app, Names: strings.Fields(full), Scopes: access.Scopes{access.MeRead},
		Resource: "https://api.example", IssuedAt: start, ExpiresAt: start.Add(time.Hour),
	}
	if err != nil || got.AccountKey != want.AccountKey || got.LoginID != want.LoginID || got.ClientID != want.ClientID ||
		!slices.Equal(got.Names, want.Names) || !slices.Equal(got.Scopes, want.Scopes) || got.Resource != want.Resource ||
		!got.IssuedAt.Equal(want.IssuedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) {
		t.Errorf("Resolve = %+v, %v, want %+v", got, err, want)
	}
}

// K-05.
func TestOnlyAnAccessTokenIsAccess(t *testing.T) {
	h := newHouse(t)
	tokens, pair := h.tokens(strings.Fields(full)...), h.pair("p")
	device, err := h.StartDevice(t.Context(), grant.DeviceStart{ClientID: app})
	h.wants(err, nil, "StartDevice")
	for _, text := range []string{
		"", tokens.Refresh, pair.Refresh, h.code("openid"), device.DeviceCode, device.UserCode, tokens.LoginID,
		bearer(secret.OAuthToken), bearer(secret.SessionAccess), bearer(secret.APIKey), bearer(secret.ClientSecret),
		tokens.Access + "x", " " + tokens.Access, strings.ToUpper(tokens.Access), tokens.Access[:len(tokens.Access)-1],
	} {
		k, err := h.Resolve(t.Context(), text)
		h.wants(err, grant.ErrInvalid, "Resolve of "+text)
		if k.AccountKey != "" || k.Names != nil {
			t.Errorf("Resolve of %q = %+v", text, k)
		}
	}
}

func TestTyposCostNoQuery(t *testing.T) {
	h := newHouse(t)
	token := h.tokens("openid").Access
	before := h.store.reads.Load()
	for i := range token {
		_, err := h.Resolve(t.Context(), token[:i]+"!"+token[i+1:])
		h.wants(err, grant.ErrInvalid, "Resolve")
	}
	if n := h.store.reads.Load() - before; n != 0 {
		t.Errorf("%d queries", n)
	}
}

func TestAWarmTokenCostsNoQuery(t *testing.T) {
	h := newHouse(t)
	token := h.tokens("openid").Access
	for range 3 {
		_, err := h.Resolve(t.Context(), token)
		h.wants(err, nil, "Resolve")
	}
	if n := h.store.reads.Load(); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
	h.Hub.Publish(t.Context(), revocation.Notice{AccountKey: "b0b"})
	_, _ = h.Resolve(t.Context(), token)
	h.Hub.Publish(t.Context(), revocation.Notice{AccountKey: "a11ce"})
	_, _ = h.Resolve(t.Context(), token)
	h.Hub.Publish(t.Context(), revocation.Notice{})
	_, _ = h.Resolve(t.Context(), token)
	if n := h.store.reads.Load(); n != 3 {
		t.Errorf("%d queries after two endings that concern it, want 3", n)
	}
}

func TestAnAccessTokenExpires(t *testing.T) {
	h := newHouse(t)
	token := h.tokens("openid").Access
	h.advance(time.Hour - time.Millisecond)
	_, err := h.Resolve(t.Context(), token)
	h.wants(err, nil, "Resolve just before its expiry")
	h.advance(time.Millisecond)
	k, err := h.Resolve(t.Context(), token)
	h.wants(err, grant.ErrExpired, "Resolve at its expiry")
	if k.AccountKey != "a11ce" {
		t.Errorf("Resolve = %+v: a disabled account is told first", k)
	}
}

// The prefix says whose a token is, and the row must agree.
func TestAnAppsTokenIsNeverTheOwners(t *testing.T) {
	h := newHouse(t)
	for text, client := range map[string]string{bearer(secret.SessionAccess): app, bearer(secret.OAuthToken): ""} {
		o := h.opening(grant.Opening{AccountKey: "a11ce", For: time.Hour, At: start})
		h.store.AddLogin(o.Login)
		row := model.GrantToken{
			Hash: hashOf(text), Kind: model.AccessToken, LoginID: o.Login.ID, AccountKey: "a11ce", ExpiresAt: model.At(start.Add(time.Hour)),
		}
		g := model.Grant{LoginID: o.Login.ID, AccountKey: "a11ce", ClientID: client}
		h.wants(h.store.AddGrant(t.Context(), g, []model.GrantToken{row}, model.At(start)), nil, "AddGrant")
		_, err := h.Resolve(t.Context(), text)
		h.wants(err, grant.ErrInvalid, "Resolve")
	}
}

func TestAPairStandsForItsLogin(t *testing.T) {
	h := newHouse(t)
	pair := h.pair("p")
	if !secret.IsBearer(secret.SessionAccess, pair.Access) || !secret.IsBearer(secret.RefreshToken, pair.Refresh) ||
		!pair.AccessExpires.Equal(start.Add(time.Hour)) || !pair.RefreshExpires.Equal(start.Add(180*day)) || pair.ClientID != "" {
		t.Errorf("OpenPair = %+v", pair)
	}
	k, err := h.Resolve(t.Context(), pair.Access)
	if err != nil || k.ClientID != "" || k.LoginID != "p" || len(k.Scopes) != 0 || k.Names == nil {
		t.Errorf("Resolve = %+v, %v", k, err)
	}
	_, err = h.Refresh(t.Context(), grant.Refreshing{Token: pair.Refresh, AnyClient: true, Scopes: []string{"openid"}})
	h.wants(err, grant.ErrScope, "Refresh with a scope")
	next, err := h.Refresh(t.Context(), grant.Refreshing{Token: pair.Refresh, AnyClient: true})
	if err != nil || !secret.IsBearer(secret.SessionAccess, next.Access) || next.LoginID != "p" {
		t.Errorf("Refresh = %+v, %v", next, err)
	}
	h.store.EndLogin("p", model.At(h.now()))
	_, err = h.OpenPair(t.Context(), grant.Pair{AccountKey: "a11ce", LoginID: "p", Ends: start.Add(day)})
	h.wants(err, grant.ErrGrant, "OpenPair of a login that is over")
}

// O-11: anything dead is inactive, and tells nothing else.
func TestLooking(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	look := func(token string) grant.State {
		t.Helper()
		state, err := h.Look(t.Context(), token)
		h.wants(err, nil, "Look")
		if !state.Active && !isEmpty(state) {
			t.Errorf("an inactive token tells %+v", state)
		}
		return state
	}
	if s := look(at.Access); !s.Active || s.Refresh || s.ClientID != app || s.LoginID != at.LoginID || s.AccountKey != "a11ce" ||
		strings.Join(s.Scopes, " ") != full || !s.IssuedAt.Equal(start) || !s.ExpiresAt.Equal(at.AccessExpires) || s.Resource == "" {
		t.Errorf("Look at an access token = %+v", s)
	}
	if s := look(at.Refresh); !s.Active || !s.Refresh || s.ClientID != app || !s.ExpiresAt.Equal(at.RefreshExpires) {
		t.Errorf("Look at a refresh token = %+v", s)
	}
	next := h.refreshed(at.Refresh)
	for name, token := range map[string]string{
		"a used refresh token": at.Refresh, "nothing": "", "a code": h.code("openid"),
		"an unknown access token": bearer(secret.OAuthToken), "an unknown refresh token": bearer(secret.RefreshToken),
	} {
		if look(token).Active {
			t.Errorf("%s is active", name)
		}
	}
	h.advance(time.Hour)
	if look(at.Access).Active {
		t.Error("an expired access token is active")
	}
	newest := h.refreshed(next.Refresh)
	h.store.EndLogin(at.LoginID, model.At(h.now()))
	if look(newest.Access).Active || look(newest.Refresh).Active {
		t.Error("a token of a login that is over is active")
	}
}

func isEmpty(s grant.State) bool {
	return !s.Active && !s.Refresh && s.ClientID == "" && s.AccountKey == "" && s.LoginID == "" && s.Scopes == nil &&
		s.Resource == "" && s.IssuedAt.IsZero() && s.ExpiresAt.IsZero()
}

func BenchmarkResolveWarm(b *testing.B) { // every request of an app, besides judging its login
	h := newHouse(b)
	token := h.tokens("me.read", "openid").Access
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Resolve(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

func TestResolvingIsCheap(t *testing.T) {
	h := newHouse(t)
	token := h.tokens("me.read", "openid").Access
	n := testing.AllocsPerRun(100, func() {
		if _, err := h.Resolve(t.Context(), token); err != nil {
			t.Error(err)
		}
	})
	if n > 1 {
		t.Errorf("%v allocations, want at most 1", n)
	}
}
