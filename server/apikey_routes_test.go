package server_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/secret"
)

const firstPartyOnly = "Sign in to do this: API keys and OAuth tokens may not"

// Every row of the route table says what it takes: a scope that can be given, or
// that none can, or that it looks at nobody (P-03, deny by default).
func TestEveryRouteHasAScope(t *testing.T) {
	used := map[access.Scope]bool{access.All: true}
	for _, r := range servertest.Open(t).App.Table() {
		if r.Scope != access.Open && r.Scope != access.FirstParty && (!r.Scope.IsKnown() || r.Scope == access.All) {
			t.Errorf("%s %s takes %q, which is no scope", r.Method, r.Path, r.Scope)
		}
		if admin := strings.Contains(r.Path, "/admin/"); r.Scope.IsKnown() && admin != r.Scope.IsAdmin() {
			t.Errorf("%s %s takes %s", r.Method, r.Path, r.Scope)
		}
		if r.Method == http.MethodGet && r.Scope.IsKnown() && !strings.HasSuffix(string(r.Scope), ".read") {
			t.Errorf("%s %s reads, and takes %s", r.Method, r.Path, r.Scope)
		}
		used[r.Scope] = true
	}
	for _, s := range access.Vocabulary() {
		if !used[s.Scope] {
			t.Errorf("no route takes %s: it promises nothing", s.Scope)
		}
	}
}

// presenter is a way to be, or not to be, somebody.
type presenter struct {
	request func(servertest.Request) servertest.Request
	status  int    // what every route but the open ones answers; 0: it depends
	code    int    // likewise
	message string // likewise
}

// surface is a server and who comes to each of its routes. Its admin owns the
// good keys; ops is an admin, too, and disabled.
type surface struct {
	*keyHouse

	scoped map[access.Scope]string // a key with just this one
	others map[access.Scope]string // a key with every other one
	all    string
	dead   map[string]presenter
}

func openSurface(t *testing.T) *surface {
	t.Helper()
	s := &surface{keyHouse: openKeyHouse(t), scoped: map[access.Scope]string{}, others: map[access.Scope]string{}}
	ctx := t.Context()
	if _, err := s.App.Admins.CreateAny(ctx, accountNamed("ops"), servertest.AdminPassword); err != nil {
		t.Fatal(err)
	}
	for _, scope := range access.Vocabulary() {
		if scope.Scope == access.All {
			continue
		}
		s.scoped[scope.Scope] = s.keyOf(t, "admin", scope.Scope)
		var rest access.Scopes
		for _, other := range access.Vocabulary() {
			if other.Scope != scope.Scope && other.Scope != access.All {
				rest = append(rest, other.Scope)
			}
		}
		s.others[scope.Scope] = s.keyOf(t, "admin", rest...)
	}
	s.all = s.keyOf(t, "admin", access.All)
	s.dead = s.deadKeys(t)
	return s
}

// deadKeys are credentials that no route takes, whatever they could do.
func (s *surface) deadKeys(t *testing.T) map[string]presenter {
	t.Helper()
	every := []string{string(access.All)}
	expired, _ := s.key(t, "ops", apikey.Wanted{Scopes: every, ExpiresAt: s.clock.Now().Add(time.Minute)})
	local, _ := s.key(t, "admin", apikey.Wanted{Scopes: every, AllowedIPs: []string{"203.0.113.0/24"}})
	deleted, id := s.key(t, "admin", apikey.Wanted{Scopes: every})
	revoked := s.keyOf(t, "admin", access.All)
	stale, _ := s.key(t, "admin", apikey.Wanted{Scopes: every, ExpiresAt: s.clock.Now().Add(time.Minute)})
	for _, err := range []error{
		s.App.APIKeys().Delete(t.Context(), s.owner(t, "admin"), id),
		s.App.APIKeys().Leaked(t.Context(), revoked),
		s.App.Accounts.SetDisabled(t.Context(), s.Key(t, "ops"), true),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.clock.Advance(time.Minute)
	keyed := func(key string, code int, message string) presenter {
		return presenter{func(r servertest.Request) servertest.Request { return withKey(key, r) }, code, code, message}
	}
	return map[string]presenter{
		"no credential":   {func(r servertest.Request) servertest.Request { return r }, http.StatusOK, http.StatusUnauthorized, "Guest user is disabled, login please"},
		"expired":         keyed(stale, http.StatusUnauthorized, "API key expired"),
		"revoked":         keyed(revoked, http.StatusUnauthorized, "Invalid API key"),
		"deleted":         keyed(deleted, http.StatusUnauthorized, "Invalid API key"),
		"unknown":         keyed(secret.NewBearer(secret.APIKey), http.StatusUnauthorized, "Invalid API key"),
		"another address": keyed(local, http.StatusForbidden, "API key not allowed from this address"),
		"owner disabled":  keyed(expired, http.StatusUnauthorized, "Current user is disabled, replace please"),
	}
}

// send is a request to the route that acts on nobody: its body is empty.
func (s *surface) send(t *testing.T, r server.Row, as func(servertest.Request) servertest.Request) servertest.Reply {
	t.Helper()
	request := servertest.Request{Method: r.Method, Path: strings.ReplaceAll(r.Path, ":id", "1"), From: "192.0.2.99"}
	if r.Method == "*" {
		request.Method = http.MethodGet
	}
	if request.Method == http.MethodPost {
		request.Body = "{}"
	}
	s.clock.Advance(time.Minute) // so that nobody sends too many wrong keys
	return s.Do(t, as(request))
}

// P-01…P-03: every route of the table, tried with every way to present a key,
// with status, code and message. What a route does once it let somebody in is
// others' to test; here it must not be a refusal of the credential.
func TestEveryRouteHoldsKeysToTheirScopes(t *testing.T) {
	s := openSurface(t)
	for _, r := range s.App.Table() {
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			if r.Scope == access.Open {
				s.looksAtNobody(t, r)
				return
			}
			for name, p := range s.dead {
				got := s.send(t, r, p.request)
				code, message := inDialect(r, p.code, p.message)
				if got.Status != p.status || got.Code != code || got.Message != message {
					t.Errorf("%s: %d %s, want %d, %d, %q", name, got.Status, got.Text, p.status, code, message)
				}
			}
			if r.Scope == access.FirstParty {
				for name, key := range map[string]string{"all": s.all, "a scope": s.scoped[access.MeRead]} {
					refused(t, name, s.send(t, r, byKey(key)), http.StatusForbidden, firstPartyOnly)
				}
			} else {
				got := s.send(t, r, byKey(s.others[r.Scope]))
				code, message := inDialect(r, http.StatusForbidden, "Missing required permission: "+string(r.Scope))
				if got.Status != http.StatusForbidden || got.Code != code || got.Message != message {
					t.Errorf("every other scope: %d %s, want 403, %d, %q", got.Status, got.Text, code, message)
				}
				s.letsIn(t, "just the scope", s.send(t, r, byKey(s.scoped[r.Scope])))
				s.letsIn(t, "all", s.send(t, r, byKey(s.all)))
			}
			token := s.Admin(t, "").Token
			got := s.send(t, r, func(r servertest.Request) servertest.Request { r.Token = token; return r })
			if slices.Contains([]int{http.StatusUnauthorized}, got.Code) || got.Message == firstPartyOnly || strings.HasPrefix(got.Message, "Missing required") {
				t.Errorf("a login's token: %d %s", got.Status, got.Text)
			}
		})
	}
}

// inDialect is a refusal as the route says it: below /api/v4 some have words and
// codes of their own (contract "OAuth", Cloudreve envelope).
func inDialect(r server.Row, code int, message string) (ofRoute int, inItsWords string) {
	scope, missing := strings.CutPrefix(message, "Missing required permission: ")
	switch {
	case !strings.HasPrefix(r.Path, "/api/v4/"):
	case missing:
		return 40089, "Insufficient scope: " + scope
	case message == "Guest user is disabled, login please":
		return code, "Login required"
	case message == "Current user is disabled, replace please":
		return 40017, message
	}
	return code, message
}

// isTrue reports whether an answer's status says what its code does.
func isTrue(got servertest.Reply) bool {
	switch {
	case got.Code == 0 || got.Code == http.StatusOK:
		return got.Status == http.StatusOK
	case got.Code >= 40000: // Cloudreve's
		return got.Status >= http.StatusBadRequest && got.Status < http.StatusInternalServerError
	}
	return got.Status == got.Code
}

func byKey(key string) func(servertest.Request) servertest.Request {
	return func(r servertest.Request) servertest.Request { return withKey(key, r) }
}

// letsIn is an error if the answer refuses the credential, or if its status is
// not its code.
func (s *surface) letsIn(t *testing.T, what string, got servertest.Reply) {
	t.Helper()
	if !isTrue(got) || got.Status == http.StatusUnauthorized || got.Status >= http.StatusInternalServerError ||
		got.Message == firstPartyOnly || strings.HasPrefix(got.Message, "Missing required") || strings.HasPrefix(got.Message, "Insufficient scope") || strings.Contains(got.Message, "API key") {
		t.Errorf("%s: %d %s", what, got.Status, got.Text)
	}
}

// looksAtNobody is an error if an open route's answer is another one for somebody
// than for nobody.
func (s *surface) looksAtNobody(t *testing.T, r server.Row) {
	t.Helper()
	if r.Path == "/api/v4/session/oauth/app/:id" { // whose credential is optional
		refused(t, "a bad key", s.send(t, r, byKey("lka_x")), http.StatusUnauthorized, "Invalid API key")
		return
	}
	nobody := s.send(t, r, s.dead["no credential"].request)
	for name, key := range map[string]string{"all": s.all, "a bad key": "lka_x"} {
		got := s.send(t, r, byKey(key))
		if got.Code != nobody.Code || got.Message != nobody.Message || nobody.Code != 0 && !isTrue(got) {
			t.Errorf("open, with %s: %d %s, without: %d %s", name, got.Status, got.Text, nobody.Status, nobody.Text)
		}
	}
}

// Keys of somebody who is no admin open nothing of admins', whatever is in them.
func TestKeysDoNoMoreThanTheirOwners(t *testing.T) {
	s := openSurface(t)
	s.AddUser(t, "ann")
	key := s.keyOf(t, "ann", access.All)
	for _, r := range s.App.Table() {
		if r.Scope.IsAdmin() || strings.Contains(r.Path, "/admin/") {
			refused(t, r.Method+" "+r.Path, s.send(t, r, byKey(key)), http.StatusForbidden, "You are not an admin")
		}
	}
}

// Whoever must enrol a second factor first is held back with a key, too.
func TestKeysOfThoseWhoMustEnrolAreHeldBack(t *testing.T) {
	s := openSurface(t)
	if err := s.App.Accounts.RequireTwoFactor(context.WithoutCancel(t.Context()), 2, true); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.App.Table() {
		if r.Scope == access.Open || slices.Contains(servedToEverybody(), r.Method+" "+r.Path) {
			continue
		}
		refused(t, r.Method+" "+r.Path, s.send(t, r, byKey(s.all)), http.StatusForbidden, "Your role requires 2FA: enable it first")
	}
}
