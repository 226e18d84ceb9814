package server_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"

	"latchkey/model"
	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
)

// keyHouse is a server with API keys, whose clock is in the test's hand.
type keyHouse struct {
	*servertest.Server

	clock *servertest.Clock
	made  int
}

func openKeyHouse(t testing.TB, changes ...func(*config.Config, *server.Options)) *keyHouse {
	t.Helper()
	clock := servertest.NewClock()
	use := func(_ *config.Config, o *server.Options) { o.Now = clock.Now }
	return &keyHouse{Server: servertest.Open(t, append([]func(*config.Config, *server.Options){use}, changes...)...), clock: clock}
}

// owner is a fresh login's caller.
func (h *keyHouse) owner(t testing.TB, name string) access.Caller {
	t.Helper()
	a, err := h.App.Accounts.Snapshot(t.Context(), h.Key(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return access.Caller{Kind: access.SessionToken, Account: a, FreshAt: h.clock.Now()}
}

// key makes a key of the account and returns its text and its id.
func (h *keyHouse) key(t testing.TB, owner string, w apikey.Wanted) (string, int64) {
	t.Helper()
	if w.Name == "" {
		h.made++
		w.Name = fmt.Sprintf("key %d", h.made)
	}
	text, key, err := h.App.APIKeys().Create(t.Context(), h.owner(t, owner), w)
	if err != nil {
		t.Fatalf("make a key of %s: %v", owner, err)
	}
	return text, key.ID
}

// keyOf is a key of the account with the scopes.
func (h *keyHouse) keyOf(t testing.TB, owner string, scopes ...access.Scope) string {
	t.Helper()
	text, _ := h.key(t, owner, apikey.Wanted{Scopes: access.Scopes(scopes).Names()})
	return text
}

// withKey is the request with the key in x-api-key.
func withKey(key string, r servertest.Request) servertest.Request {
	header := map[string]string{"X-Api-Key": key}
	maps.Copy(header, r.Header)
	r.Header = header
	return r
}

// refused compares an answer by status with what is wanted.
func refused(t testing.TB, what string, got servertest.Reply, code int, message string) {
	t.Helper()
	if got.Status != code || got.Code != code || got.Message != message || string(got.Data) != "null" {
		t.Errorf("%s: %d %s, want status and code %d, %q", what, got.Status, got.Text, code, message)
	}
	if challenged := len(got.Header["Www-Authenticate"]) == 2; challenged != (code == http.StatusUnauthorized) && message[:7] != "Missing" {
		t.Errorf("%s: %d with WWW-Authenticate %q", what, code, got.Header["Www-Authenticate"])
	}
}

// accountNamed is an admin's account.
func accountNamed(name string) model.Account {
	return model.Account{Username: name, Roles: model.IntList{model.RoleAdmin}}
}

// openKeyHouseOn opens a server on a folder that outlives it.
func openKeyHouseOn(t testing.TB, folder string, clock *servertest.Clock) *keyHouse {
	t.Helper()
	use := func(c *config.Config, o *server.Options) { c.Data, o.Now = folder, clock.Now }
	return &keyHouse{Server: servertest.Open(t, use), clock: clock}
}
