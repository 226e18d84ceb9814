package grant_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/grant"
	"latchkey/service/racetest"
	"latchkey/service/secret"
)

// O-06.
func TestRefreshTokensRotate(t *testing.T) {
	h := newHouse(t)
	first := h.tokens(strings.Fields(full)...)
	h.advance(30 * time.Minute)
	second := h.refreshed(first.Refresh)
	if second.Refresh == first.Refresh || second.Access == first.Access || second.LoginID != first.LoginID {
		t.Errorf("Refresh = %+v after %+v", second, first)
	}
	if !second.AccessExpires.Equal(h.now().Add(time.Hour)) || !second.RefreshExpires.Equal(h.now().Add(90*day)) {
		t.Errorf("expires %v, %v", second.AccessExpires, second.RefreshExpires)
	}
	if !slices.Equal(second.Scopes, first.Scopes) || second.Nonce != "" || !second.AuthTime.Equal(first.AuthTime) {
		t.Errorf("Refresh = %+v", second)
	}
	for _, access := range []string{first.Access, second.Access} { // the older one lives out its hour
		if k, err := h.Resolve(t.Context(), access); err != nil || k.LoginID != first.LoginID {
			t.Errorf("Resolve = %+v, %v", k, err)
		}
	}
}

// Contract, rules: within 10 s the same successor, later the family dies.
func TestAUsedRefreshTokenHasAGrace(t *testing.T) {
	for name, tt := range map[string]struct {
		after time.Duration
		want  error
	}{
		"at once":        {0, nil},
		"after 9.999 s":  {9999 * time.Millisecond, nil},
		"after 10 s":     {10 * time.Second, grant.ErrGrant},
		"after 80 days":  {80 * day, grant.ErrGrant},
		"after 100 days": {100 * day, grant.ErrGrant},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			first := h.tokens(strings.Fields(full)...)
			second := h.refreshed(first.Refresh)
			h.advance(tt.after)
			h.heard()
			again, err := h.refresh(first.Refresh)
			h.wants(err, tt.want, "Refresh")
			if tt.want == nil {
				if !same(again, second) {
					t.Errorf("Refresh = %+v, want %+v", again, second)
				}
				h.over(first.LoginID, "")
				return
			}
			h.over(first.LoginID, model.EndReused)
			if told := h.heard(); !slices.Equal(told, []string{"ended a11ce", "refresh_reused", "told"}) {
				t.Errorf("told %q", told)
			}
			_, err = h.refresh(second.Refresh)
			h.wants(err, grant.ErrGrant, "Refresh of the successor")
			state, err := h.Look(t.Context(), second.Access)
			if err != nil || state.Active {
				t.Errorf("Look at the successor = %+v, %v", state, err)
			}
			if told := h.heard(); len(told) != 0 {
				t.Errorf("told again: %q", told)
			}
		})
	}
}

// A tab that comes late is answered with what is good now, and not with a token
// that was used since.
func TestTheGraceLeadsToTheNewestTokens(t *testing.T) {
	h := newHouse(t)
	first := h.tokens(strings.Fields(full)...)
	second := h.refreshed(first.Refresh)
	h.advance(4 * time.Second)
	third := h.refreshed(second.Refresh)
	h.advance(4 * time.Second)
	if again := h.refreshed(first.Refresh); !same(again, third) {
		t.Errorf("Refresh = %+v, want the newest %+v", again, third)
	}
	h.advance(3 * time.Second) // the first's grace is over, the second's is not
	if again := h.refreshed(second.Refresh); !same(again, third) {
		t.Errorf("Refresh = %+v, want %+v", again, third)
	}
	_, err := h.refresh(first.Refresh)
	h.wants(err, grant.ErrGrant, "Refresh")
	h.over(first.LoginID, model.EndReused)
}

func TestARefreshTokenIsItsAppsOwn(t *testing.T) {
	h := newHouse(t)
	first := h.tokens(strings.Fields(full)...)
	for range 2 { // unused, and used
		for _, client := range []string{other, "", strings.ToUpper(app)} {
			_, err := h.Refresh(t.Context(), grant.Refreshing{Token: first.Refresh, ClientID: client})
			h.wants(err, grant.ErrGrant, "Refresh by "+client)
		}
		h.over(first.LoginID, "")
		h.refreshed(first.Refresh)
	}
	h.advance(time.Minute)
	_, err := h.Refresh(t.Context(), grant.Refreshing{Token: first.Refresh, ClientID: other})
	h.wants(err, grant.ErrGrant, "late Refresh by another app")
	h.over(first.LoginID, "")
}

func TestAnyClientMayRefreshWhereAsked(t *testing.T) { // rulings 33
	h := newHouse(t)
	first := h.tokens(strings.Fields(full)...)
	got, err := h.Refresh(t.Context(), grant.Refreshing{Token: first.Refresh, AnyClient: true})
	if err != nil || got.ClientID != app || !secret.IsBearer(secret.OAuthToken, got.Access) {
		t.Errorf("Refresh = %+v, %v", got, err)
	}
}

// K-05.
func TestOnlyARefreshTokenRefreshes(t *testing.T) {
	h := newHouse(t)
	first := h.tokens(strings.Fields(full)...)
	for _, text := range []string{
		first.Access, h.code("openid"), "", "lkr_", bearer(secret.RefreshToken), bearer(secret.APIKey), first.Refresh + " ",
		strings.ToUpper(first.Refresh), first.LoginID,
	} {
		_, err := h.Refresh(t.Context(), grant.Refreshing{Token: text, AnyClient: true})
		h.wants(err, grant.ErrGrant, "Refresh of "+text)
	}
	h.over(first.LoginID, "")
}

// O-08.
func TestRefreshingNarrowsAndNeverWidens(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	ask := func(scopes []string) (grant.Tokens, error) {
		got, err := h.Refresh(t.Context(), grant.Refreshing{Token: at.Refresh, ClientID: app, Scopes: scopes})
		if err == nil {
			at = got
		}
		return got, err
	}
	got, err := ask([]string{"openid"})
	if err != nil || !slices.Equal(got.Scopes, []string{"openid"}) || got.Refresh == "" {
		t.Fatalf("Refresh = %+v, %v", got, err)
	}
	if k, err := h.Resolve(t.Context(), got.Access); err != nil || !slices.Equal(k.Names, []string{"openid"}) {
		t.Errorf("Resolve = %+v, %v", k, err)
	}
	if got, err = ask(nil); err != nil || strings.Join(got.Scopes, " ") != full {
		t.Errorf("Refresh = %v, %v: a narrow one shrank the family", got.Scopes, err)
	}
	_, err = ask([]string{"openid", "session.read"}) // the app may have it; the owner did not give it
	h.wants(err, grant.ErrScope, "wider Refresh")
	h.addApp(app, "openid", "offline_access", "session.read")
	if got, err = ask(nil); err != nil || strings.Join(got.Scopes, " ") != "offline_access openid" {
		t.Errorf("Refresh = %v, %v: more than the app may have", got.Scopes, err)
	}
	_, err = ask([]string{"email"})
	h.wants(err, grant.ErrScope, "Refresh with what the app lost")
	h.addApp(app, "openid", "email")
	_, err = ask(nil)
	h.wants(err, grant.ErrGrant, "Refresh of an app that may not any more")
	h.over(at.LoginID, "")
}

// O-06, S-13.
func TestAFamilyHasAnEndAndARefreshTokenToo(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	for range 4 {
		h.advance(80 * day)
		at = h.refreshed(at.Refresh)
	}
	h.advance(44 * day) // 364 days
	if at = h.refreshed(at.Refresh); !at.RefreshExpires.Equal(start.Add(365 * day)) {
		t.Errorf("a refresh token lives until %v, beyond its family", at.RefreshExpires)
	}
	h.advance(day - 30*time.Minute)
	if at = h.refreshed(at.Refresh); !at.AccessExpires.Equal(start.Add(365 * day)) {
		t.Errorf("an access token lives until %v, beyond its family", at.AccessExpires)
	}
	h.advance(30 * time.Minute)
	_, err := h.refresh(at.Refresh)
	h.wants(err, grant.ErrGrant, "Refresh after a year")

	h = newHouse(t)
	at = h.tokens(strings.Fields(full)...)
	h.advance(90 * day)
	_, err = h.refresh(at.Refresh)
	h.wants(err, grant.ErrGrant, "Refresh after 90 days unused")
	h.over(at.LoginID, "")
}

func TestAnAppMayHaveItsOwnLifetime(t *testing.T) {
	h := newHouse(t)
	h.apps[app] = grant.App{ID: app, Scopes: strings.Fields(full), RefreshFor: 2 * time.Hour}
	at := h.tokens(strings.Fields(full)...)
	if !at.RefreshExpires.Equal(start.Add(2 * time.Hour)) {
		t.Errorf("refresh token until %v", at.RefreshExpires)
	}
	h.advance(time.Hour)
	if at = h.refreshed(at.Refresh); !at.RefreshExpires.Equal(start.Add(3 * time.Hour)) {
		t.Errorf("refresh token until %v", at.RefreshExpires)
	}
}

func TestNothingIsRenewedUnderALoginThatIsOver(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	next := h.refreshed(at.Refresh)
	h.store.EndLogin(at.LoginID, model.At(h.now()))
	for _, token := range []string{at.Refresh, next.Refresh} { // in its grace, and unused
		_, err := h.refresh(token)
		h.wants(err, grant.ErrGrant, "Refresh")
	}
	h.over(at.LoginID, model.EndEvicted)
}

// Issue 7: 50 tabs, one token, 100 rounds: nobody is logged out, one family,
// one successor.
func TestFiftyTabsRefreshAtOnce(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	for round := range 100 {
		got := make([]grant.Tokens, 50)
		racetest.AtOnce(len(got), func(i int) {
			var err error
			if got[i], err = h.refresh(at.Refresh); err != nil {
				t.Errorf("round %d, tab %d: %v", round, i, err)
			}
		})
		for i := range got {
			if !same(got[i], got[0]) {
				t.Fatalf("round %d: tab %d has %+v, tab 0 %+v", round, i, got[i], got[0])
			}
		}
		if at = got[0]; at.LoginID != "login 1" {
			t.Fatalf("round %d: login %s", round, at.LoginID)
		}
		h.advance(time.Minute)
	}
	unused := slices.DeleteFunc(h.store.Tokens(at.LoginID, model.RefreshToken), func(t model.GrantToken) bool { return !t.RotatedAt.IsZero() })
	if len(unused) != 1 {
		t.Errorf("%d unused refresh tokens, want 1", len(unused))
	}
	h.over(at.LoginID, "")
}

// Tabs that go on with what they got, while others still come with the first.
func TestRunsOfRefreshesNeverSignAnybodyOut(t *testing.T) {
	h := newHouse(t)
	first := h.tokens(strings.Fields(full)...)
	racetest.AtOnce(16, func(int) {
		token := first.Refresh
		for range 20 {
			got, err := h.refresh(token)
			if err != nil {
				t.Errorf("Refresh = %v", err)
				return
			}
			token = got.Refresh
		}
	})
	h.over(first.LoginID, "")
}

func TestSuccessorsAreSealedAndDropped(t *testing.T) { // rulings 33
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	next := h.refreshed(at.Refresh)
	successor := func() string {
		for _, row := range h.store.Tokens(at.LoginID, model.RefreshToken) {
			if !row.RotatedAt.IsZero() {
				return row.Successor
			}
		}
		return "no row"
	}
	if s := successor(); !strings.HasPrefix(s, "v1:") || strings.Contains(s, next.Refresh) || strings.Contains(s, next.Access) {
		t.Errorf("successor %q", s)
	}
	flush := func(want string) {
		t.Helper()
		if err := h.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := successor(); (s == "") != (want == "") {
			t.Errorf("successor %q, want %q", s, want)
		}
	}
	h.advance(10 * time.Second)
	flush("sealed")
	h.advance(time.Millisecond)
	flush("")
	flush("")
	calls := h.store.calls.Load()
	flush("")
	if h.store.calls.Load() != calls {
		t.Error("an idle service asks the database every second")
	}
}

func TestARefreshThatCannotBeStoredChangesNothing(t *testing.T) {
	h := newHouse(t)
	at := h.tokens(strings.Fields(full)...)
	broken := errors.New("broken seal")
	seal := h.Seal
	h.Seal = func(string, []byte) (string, error) { return "", broken }
	_, err := h.refresh(at.Refresh)
	h.wants(err, broken, "Refresh")
	h.Seal = seal
	h.advance(time.Hour)
	h.refreshed(at.Refresh)
}
