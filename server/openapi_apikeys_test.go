package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"latchkey/server/servertest"
)

const newKeyAt = "/account/api-key"

// apiKeys has alicia make, change and lose API keys.
func (v *visit) apiKeys(token string) {
	var made struct {
		Key string
		ID  int64
	}
	v.ok(servertest.Request{Path: "/api/me/apikey/scopes", Token: token})
	v.ok(servertest.Request{Path: "/api/me/apikey/create", Token: token, Body: object{
		"name": "photo backup", "scopes": []string{"me.read", "apikey.read"}, "expires_at": nil, "allowed_ips": []string{"192.0.2.0/24"}, "learn_for": 3600,
	}}).Into(v, &made)
	v.ok(servertest.Request{Path: "/api/me/apikey/current", Token: made.Key})
	v.ok(servertest.Request{Path: fmt.Sprintf("/api/me/apikey/learned?id=%d", made.ID), Token: token})
	v.ok(servertest.Request{Path: "/api/me/apikey/update", Token: token, Body: object{"id": made.ID, "name": "backup", "scopes": []string{"me.read"}}})
	v.ok(servertest.Request{Path: "/api/me/apikey/rotate", Token: token, Body: object{"id": made.ID, "overlap_seconds": 3600}}).Into(v, &made)
	v.ok(servertest.Request{Path: "/api/leaks", Body: object{"key": made.Key}})
	v.ok(servertest.Request{Path: "/api/leaks", Body: object{"keys": []string{made.Key, "no key"}}})
	v.ok(servertest.Request{Path: "/api/me/apikey/list?page=1&per_page=20", Token: token})
	v.ok(servertest.Request{Method: http.MethodPost, Path: fmt.Sprintf("/api/me/apikey/delete?id=%d", made.ID), Token: token})

	v.ok(servertest.Request{Path: newKeyAt + "?" + url.Values{"name": {"photo backup"}, "scope": {"me.read", "all"}, "expires_in_days": {"90"}}.Encode()})
	page := v.ok(servertest.Request{
		Path: newKeyAt, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		Body: url.Values{
			"name": {"photo backup"}, "offer": {"me.read", "all"}, "scope": {"me.read"}, "expires_in_days": {"90"},
			"username": {"alicia"}, "password": {servertest.AdminPassword},
		}.Encode(),
	})
	if !regexp.MustCompile(`<textarea[^>]*>lka_[0-9A-Za-z]{49}</textarea>`).MatchString(page.Text) {
		v.Errorf("no key on the page:\n%s", page.Text)
	}
	admin := v.server.App.AdminToken()
	var list struct{ Content []struct{ ID int64 } }
	v.ok(servertest.Request{Path: fmt.Sprintf("/api/admin/user/apikey/list?uid=%d", v.idOf("alicia")), Token: admin}).Into(v, &list)
	if len(list.Content) != 1 {
		v.Fatalf("alicia has %d keys, want the page's", len(list.Content))
	}
	v.ok(servertest.Request{Method: http.MethodPost, Path: fmt.Sprintf("/api/admin/user/apikey/delete?id=%d", list.Content[0].ID), Token: admin})
}

func (v *visit) idOf(username string) int64 {
	v.Helper()
	a, err := v.server.App.Accounts.ForSignIn(v.Context(), username)
	if err != nil {
		v.Fatal(err)
	}
	return a.ID
}
