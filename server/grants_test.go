package server_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/client"
	grants "latchkey/service/grant"
	"latchkey/service/racetest"
	"latchkey/service/session"
)

// appHouse is a server with a registered app.
type appHouse struct {
	*keyHouse

	app model.OAuthClient
}

func openAppHouse(t testing.TB, changes ...func(*config.Config, *server.Options)) *appHouse {
	t.Helper()
	h := &appHouse{keyHouse: openKeyHouse(t, changes...)}
	h.AddUser(t, "ann")
	h.app = registered(t, h.App, "Editor")
	return h
}

// registered is an app that may have some scopes.
func registered(t testing.TB, app *server.App, name string) model.OAuthClient {
	t.Helper()
	c, _, err := app.Apps.Register(t.Context(), client.Registration{
		Name: name, RedirectURIs: []string{"https://app.example/back"},
		Scopes: []string{"openid", "offline_access", "me.read", "session.read", "session.evict"},
	})
	if err != nil {
		t.Fatalf("Register = %v", err)
	}
	return c
}

// approved is a code for what the account lets an app do.
func approved(t testing.TB, app *server.App, by *access.Account, clientID string, scopes ...string) string {
	t.Helper()
	code, err := app.Grants.Code(t.Context(), grants.Approval{
		ClientID: clientID, AccountKey: by.Key, Epoch: by.Epoch, Scopes: scopes,
	})
	if err != nil {
		t.Fatalf("Code = %v", err)
	}
	return code
}

// approve is approved by name, for the app of the house.
func (h *appHouse) approve(t testing.TB, name string, scopes ...string) string {
	t.Helper()
	return approved(t, h.App, h.owner(t, name).Account, h.app.ID, scopes...)
}

func (h *appHouse) redeem(ctx context.Context, code string) (grants.Tokens, error) {
	return h.App.Grants.Redeem(ctx, grants.Redemption{Code: code, ClientID: h.app.ID, Address: "198.51.100.9"})
}

// let is the tokens of a new login of the app.
func (h *appHouse) let(t testing.TB, name string, scopes ...string) grants.Tokens {
	t.Helper()
	tokens, err := h.redeem(t.Context(), h.approve(t, name, append(scopes, "openid", "offline_access")...))
	if err != nil {
		t.Fatalf("Redeem = %v", err)
	}
	return tokens
}

func (h *appHouse) refresh(ctx context.Context, token string) (grants.Tokens, error) {
	return h.App.Grants.Refresh(ctx, grants.Refreshing{Token: token, AnyClient: true})
}

// pair is the tokens of a login with password, as a frontend of Cloudreve has it.
func (h *appHouse) pair(t testing.TB, name, clientID string) grants.Tokens {
	t.Helper()
	by := h.owner(t, name)
	opened, err := h.App.Sessions.Open(t.Context(), session.Opening{
		AccountKey: by.Account.Key, Epoch: by.Account.Epoch, ClientID: clientID, Address: "192.0.2.1", PairFor: h.App.Grants.Lifetime(),
	})
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	tokens, err := h.App.Grants.OpenPair(t.Context(), grants.Pair{AccountKey: opened.AccountKey, LoginID: opened.LoginID, Ends: opened.ExpiresAt})
	if err != nil {
		t.Fatalf("OpenPair = %v", err)
	}
	return tokens
}

func (h *appHouse) me(t testing.TB, token string) servertest.Reply {
	t.Helper()
	return h.Do(t, servertest.Request{Path: "/api/me", Token: "Bearer " + token})
}

type listed struct {
	SessionID string `json:"session_id"`
	Kind      string `json:"kind"`
	UA        string `json:"ua"`
	IP        string `json:"ip"`
}

// apps are the apps in somebody's list of devices.
func (h *appHouse) apps(t testing.TB, token string) []listed {
	t.Helper()
	var list []listed
	h.Do(t, servertest.Request{Path: "/api/me/sessions", Token: token}).Into(t, &list)
	return slices.DeleteFunc(list, func(d listed) bool { return !strings.HasPrefix(d.UA, "Editor") })
}

// Contract "OAuth", rules: a grant is a device, which stands in the list and is
// evicted there.
func TestAnAppStandsInTheListOfDevices(t *testing.T) {
	h := openAppHouse(t)
	own := h.SignIn(t, "ann", servertest.AdminPassword, "desk").Token
	first, second := h.let(t, "ann", "me.read"), h.let(t, "ann", "me.read")
	h.clock.Advance(time.Second)
	for _, tokens := range []grants.Tokens{first, second} {
		if r := h.me(t, tokens.Access); r.Status != http.StatusOK {
			t.Fatalf("GET /api/me = %d %s", r.Status, r.Text)
		}
	}
	apps := h.apps(t, own)
	if len(apps) != 1 || apps[0].Kind != "oauth" || apps[0].UA != "Editor" || apps[0].IP != "192.*.*.1" {
		t.Fatalf("apps = %+v, want the one, last used from here", apps)
	}
	evict := servertest.Request{Path: "/api/me/sessions/evict", Token: own, Body: object{"session_id": apps[0].SessionID}}
	if r := h.Do(t, evict); r.Code != http.StatusOK {
		t.Fatalf("evict: %s", r.Text)
	}
	for _, tokens := range []grants.Tokens{first, second} {
		if r := h.me(t, tokens.Access); r.Status != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("GET /api/me after the eviction = %d %s", r.Status, r.Text)
		}
		if _, err := h.refresh(t.Context(), tokens.Refresh); !errors.Is(err, grants.ErrGrant) {
			t.Errorf("Refresh after the eviction = %v", err)
		}
	}
	if apps := h.apps(t, own); len(apps) != 0 {
		t.Errorf("apps after the eviction = %+v", apps)
	}
}

// O-12: a token does what its scopes say, and nothing that takes the owner.
func TestAnAppDoesNoMoreThanItsScopes(t *testing.T) {
	h := openAppHouse(t)
	tokens := h.let(t, "ann", "session.read")
	for path, want := range map[string]int{
		"/api/me/sessions": http.StatusOK, "/api/me": http.StatusForbidden, "/api/me/sshkey/list": http.StatusForbidden,
		"/api/admin/user/list": http.StatusForbidden,
	} {
		if r := h.Do(t, servertest.Request{Path: path, Token: "Bearer " + tokens.Access}); r.Status != want {
			t.Errorf("GET %s = %d %s, want %d", path, r.Status, r.Text, want)
		}
	}
	for _, text := range []string{tokens.Refresh, h.approve(t, "ann", "session.read")} { // K-05
		if r := h.Do(t, servertest.Request{Path: "/api/me/sessions", Token: "Bearer " + text}); r.Code != http.StatusUnauthorized {
			t.Errorf("a refresh token or a code = %d %s", r.Code, r.Text)
		}
	}
}

// A pair stands for its login as a session token does.
func TestAPairIsALogin(t *testing.T) {
	h := openAppHouse(t)
	pair := h.pair(t, "ann", "phone")
	if r := h.Do(t, servertest.Request{Path: "/api/me", Token: pair.Access, ClientID: "phone"}); r.Code != http.StatusOK {
		t.Errorf("GET /api/me = %s", r.Text)
	}
	if r := h.Do(t, servertest.Request{Path: "/api/me", Token: pair.Access, ClientID: "other"}); r.Code != http.StatusUnauthorized { // S-02
		t.Errorf("GET /api/me under another Client-Id = %s", r.Text)
	}
	others := servertest.Request{Method: http.MethodPost, Path: "/api/me/sessions/evict_others", Token: pair.Access}
	if r := h.Do(t, others); r.Code != http.StatusOK { // it is fresh
		t.Errorf("evict_others = %s", r.Text)
	}
	h.clock.Advance(30 * 24 * time.Hour) // far beyond --token-lifetime
	if r := h.me(t, pair.Access); r.Message != "token is expired" {
		t.Errorf("an expired access token: %s", r.Text)
	}
	next, err := h.refresh(t.Context(), pair.Refresh)
	if err != nil {
		t.Fatalf("Refresh after a month = %v", err)
	}
	if r := h.me(t, next.Access); r.Code != http.StatusOK {
		t.Errorf("GET /api/me = %s", r.Text)
	}
	out := servertest.Request{Path: "/api/auth/logout", Token: next.Access, ClientID: "phone"}
	if r := h.Do(t, out); r.Code != http.StatusOK {
		t.Errorf("logout = %s", r.Text)
	}
	if r := h.me(t, next.Access); r.Message != "session inactive" {
		t.Errorf("after logging out: %s", r.Text)
	}
	if _, err := h.refresh(t.Context(), next.Refresh); !errors.Is(err, grants.ErrGrant) {
		t.Errorf("Refresh after logging out = %v", err)
	}
	changed := h.Do(t, servertest.Request{Path: "/api/me/password", Token: h.pair(t, "ann", "phone").Access, Body: object{
		"old_password": servertest.AdminPassword, "new_password": "nine lives of a cat",
	}})
	if changed.Code != http.StatusOK {
		t.Errorf("change of password = %s", changed.Text)
	}
}

// endings are all that ends an app's access (O-12).
func endings() map[string]func(t *testing.T, h *appHouse, own servertest.SignedIn, tokens grants.Tokens) error {
	ok := func(r servertest.Reply) error {
		if r.Code != http.StatusOK {
			return errors.New(r.Text)
		}
		return nil
	}
	return map[string]func(t *testing.T, h *appHouse, own servertest.SignedIn, tokens grants.Tokens) error{
		"eviction": func(t *testing.T, h *appHouse, own servertest.SignedIn, _ grants.Tokens) error {
			device := h.App.Sessions.DeviceKey(h.Key(t, "ann"), session.OAuthClient(h.app.ID))
			return ok(h.Do(t, servertest.Request{Path: "/api/me/sessions/evict", Token: own.Token, Body: object{"session_id": device}}))
		},
		"eviction of all others": func(t *testing.T, h *appHouse, own servertest.SignedIn, _ grants.Tokens) error {
			return ok(h.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/me/sessions/evict_others", Token: own.Token}))
		},
		"a change of password": func(t *testing.T, h *appHouse, own servertest.SignedIn, _ grants.Tokens) error {
			return ok(h.Do(t, servertest.Request{Path: "/api/me/password", Token: own.Token, Body: object{
				"old_password": servertest.AdminPassword, "new_password": "nine lives of a cat",
			}}))
		},
		"a second factor": func(t *testing.T, h *appHouse, own servertest.SignedIn, _ grants.Tokens) error {
			var made struct{ Secret string }
			h.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: own.Token}).Into(t, &made)
			return ok(enrol(t, h.Server, own.Token, made.Secret, h.clock.Now()))
		},
		"being disabled": func(t *testing.T, h *appHouse, _ servertest.SignedIn, _ grants.Tokens) error {
			_, err := h.App.SetDisabled(t.Context(), "ann", true)
			return err
		},
		"deletion": func(t *testing.T, h *appHouse, _ servertest.SignedIn, _ grants.Tokens) error {
			return h.App.Accounts.Delete(t.Context(), h.Key(t, "ann"))
		},
		"withdrawal": func(t *testing.T, h *appHouse, _ servertest.SignedIn, _ grants.Tokens) error {
			return h.App.Grants.Withdraw(t.Context(), h.owner(t, "ann"), h.app.ID)
		},
		"the app's deletion": func(t *testing.T, h *appHouse, _ servertest.SignedIn, _ grants.Tokens) error {
			return h.App.Apps.Delete(t.Context(), h.app.ID)
		},
		"the app's being switched off": func(t *testing.T, h *appHouse, _ servertest.SignedIn, _ grants.Tokens) error {
			off := true
			_, err := h.App.Apps.Update(t.Context(), h.app.ID, client.Edit{Disabled: &off})
			return err
		},
		"revocation": func(t *testing.T, h *appHouse, _ servertest.SignedIn, tokens grants.Tokens) error {
			return h.App.Grants.End(t.Context(), tokens.Refresh, h.app.ID)
		},
	}
}

// once an ending has answered, no request that begins later is let in, no
// refresh succeeds, and what was approved before is not fetched; under fire.
func TestNoAppIsLetInAfterItsEnd(t *testing.T) {
	for name, end := range endings() {
		t.Run(name, func(t *testing.T) {
			h := openAppHouse(t)
			own := h.SignIn(t, "ann", servertest.AdminPassword, "desk")
			tokens, code := h.let(t, "ann", "me.read"), h.approve(t, "ann", "me.read")
			var over atomic.Bool
			racetest.AtOnce(7, func(i int) {
				if i == 0 {
					if err := end(t, h, own, tokens); err != nil {
						t.Errorf("end: %v", err)
					}
					over.Store(true)
					return
				}
				h.besieged(t, i, tokens, &over)
			})
			if r := h.me(t, tokens.Access); r.Status != http.StatusUnauthorized {
				t.Errorf("GET /api/me after all = %d %s", r.Status, r.Text)
			}
			if _, err := h.refresh(t.Context(), tokens.Refresh); !errors.Is(err, grants.ErrGrant) {
				t.Errorf("Refresh after all = %v", err)
			}
			if _, err := h.redeem(t.Context(), code); name != "revocation" && !errors.Is(err, grants.ErrGrant) {
				t.Errorf("Redeem after all = %v", err)
			}
		})
	}
}

// besieged asks and refreshes until some time after the end.
func (h *appHouse) besieged(t testing.TB, i int, tokens grants.Tokens, over *atomic.Bool) {
	t.Helper()
	for late, tries := 0, 0; late < 10 && tries < 5000; tries++ {
		isLate := over.Load()
		if isLate {
			late++
		}
		if i%2 == 0 {
			got, err := h.refresh(t.Context(), tokens.Refresh)
			if err == nil && isLate {
				t.Errorf("refreshed after the end: %+v", got.Scopes)
			}
			if err != nil && !errors.Is(err, grants.ErrGrant) {
				t.Errorf("Refresh = %v", err)
			}
			continue
		}
		r := h.me(t, tokens.Access)
		if r.Status != http.StatusUnauthorized && (isLate || r.Status != http.StatusOK) {
			t.Errorf("GET /api/me = %d %s, after the end: %v", r.Status, r.Text, isLate)
		}
	}
}
