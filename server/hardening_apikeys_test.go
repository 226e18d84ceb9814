package server_test

import (
	"strconv"
	"testing"

	"latchkey/server/servertest"
)

// armed is the API keys that the camp could lose.
type armed struct {
	keyText    string // of the admin's
	apiKeyID   string
	theirKeyID string // of the account with a second factor
}

// arm makes a key for the admin and one for the account with a second factor.
func (c *camp) arm(t *testing.T) {
	t.Helper()
	for _, token := range []string{c.enrolled, c.token} {
		var made struct {
			Key string
			ID  int64
		}
		c.unchecked(t, servertest.Request{
			Path: "/api/me/apikey/create", Token: token, Body: map[string]any{"name": "old", "scopes": []string{"me.read"}},
		}).Into(t, &made)
		c.theirKeyID, c.apiKeyID, c.keyText = c.apiKeyID, strconv.FormatInt(made.ID, 10), made.Key
	}
}

// apiKeyTargets are the routes of API keys.
func (c *camp) apiKeyTargets() []target {
	id := []string{"id"}
	limits := []field{
		{name: "expires_at", optional: true},
		{name: "allow_query", optional: true, nullable: true, kind: boolean},
		{name: "allowed_ips", optional: true, kind: textList},
	}
	return []target{
		{method: get, path: "/api/me/apikey/list", paging: true},
		{method: get, path: "/api/me/apikey/current", idle: true}, // not by a key
		{method: get, path: "/api/me/apikey/scopes"},
		{method: get, path: "/api/me/apikey/learned", query: "id=" + c.apiKeyID, ids: id},
		{
			method: post, path: "/api/me/apikey/create", body: map[string]any{"name": "mole", "scopes": []string{"all"}},
			fields: append([]field{{name: "name"}, {name: "scopes", kind: textList}, {name: "learn_for", optional: true, nullable: true, kind: number}}, limits...),
		},
		{
			method: post, path: "/api/me/apikey/update", body: map[string]any{"id": atoi(c.apiKeyID), "name": "other"},
			fields: append([]field{{name: "id", kind: number}, {name: "name", optional: true, nullable: true}, {name: "scopes", optional: true, kind: textList}}, limits...),
		},
		{
			method: post, path: "/api/me/apikey/rotate", body: map[string]any{"id": atoi(c.apiKeyID), "overlap_seconds": 60},
			fields: []field{{name: "id", kind: number}, {name: "overlap_seconds", optional: true, nullable: true, kind: number}},
		},
		{method: post, path: "/api/me/apikey/delete", query: "id=" + c.apiKeyID, ids: id},
		{method: get, path: "/api/admin/user/apikey/list", query: "uid=" + c.userID, ids: []string{"uid"}, paging: true},
		{method: post, path: "/api/admin/user/apikey/delete", query: "id=" + c.theirKeyID, ids: id},
		{method: post, path: "/api/leaks", public: true, body: map[string]any{"key": c.keyText}, fields: []field{{name: "key"}}},
		{method: get, path: newKeyAt, public: true, idle: true, page: true},
	}
}
