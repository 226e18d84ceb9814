package server_test

import (
	"net/http"
	"testing"

	"latchkey/service/client"
)

// appTargets are the routes of OAuth apps, of which there is one, and one scope
// that no app may ask for.
func (c *camp) appTargets(t *testing.T) []target {
	t.Helper()
	app, _, err := c.App.Apps.Register(t.Context(), client.Registration{
		ID: "0123456789abcdef0123456789abcdef", Name: "Photos", Scopes: []string{"openid"}, Confidential: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.App.Apps.Declare(t.Context(), "Files.Read", "Read your files"); err != nil {
		t.Fatal(err)
	}
	const (
		list, scopes = "/api/v4/admin/oauthClient", "/api/v4/admin/oauthScope"
		route        = list + "/:id"
	)
	one := list + "/" + app.ID
	fields := []field{
		{name: "icon", optional: true},
		{name: "homepage", optional: true},
		{name: "redirect_uris", optional: true, nullable: true, kind: textList},
		{name: "scopes", optional: true, nullable: true, kind: textList},
		{name: "pkce_required", optional: true, nullable: true, kind: boolean},
		{name: "refresh_ttl", optional: true, nullable: true, kind: number},
	}
	name := field{name: "name"}
	again := field{name: "name", optional: true}
	return []target{
		{v4: true, method: get, path: list, others: []string{post}, paging: true},
		{
			v4: true, method: post, path: list, others: []string{get}, body: map[string]any{"name": "mole", "confidential": true},
			fields: append(fields, name, field{name: "client_id", optional: true}, field{name: "client_secret", optional: true}),
		},
		{v4: true, method: get, path: one, route: route, others: []string{http.MethodPut, http.MethodDelete}},
		{
			v4: true, method: http.MethodPut, path: one, route: route, others: []string{get, http.MethodDelete}, body: map[string]any{"name": "mole"},
			fields: append(fields, again, field{name: "disabled", optional: true, nullable: true, kind: boolean}),
		},
		{v4: true, method: http.MethodDelete, path: one, route: route, others: []string{get, http.MethodPut}},
		{v4: true, method: post, path: one + "/secret", route: route + "/secret"},
		{v4: true, method: get, path: scopes, others: []string{post, http.MethodDelete}},
		{
			v4: true, method: post, path: scopes, others: []string{get, http.MethodDelete},
			body: map[string]any{"name": "Files.Write", "description": "Change your files"}, fields: []field{name, {name: "description"}},
		},
		{v4: true, method: http.MethodDelete, path: scopes, query: "name=Files.Read", others: []string{get, post}},
	}
}
