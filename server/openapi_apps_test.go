package server_test

import (
	"net/http"

	"latchkey/server/servertest"
)

func (v *visit) apps() {
	const list, scopes = "/api/v4/admin/oauthClient", "/api/v4/admin/oauthScope"
	token := v.server.Admin(v, "apps").Token
	v.ok(servertest.Request{Path: scopes, Token: token, Body: object{"name": "Files.Read", "description": "Read your files"}})
	v.ok(servertest.Request{Path: scopes, Token: token})
	var made struct {
		App          struct{ ID string }
		ClientSecret string `json:"client_secret"`
	}
	v.ok(servertest.Request{Path: list, Token: token, Body: object{
		"name": "Photos", "icon": "mdi:image", "homepage": "https://photos.example", "redirect_uris": []string{"https://photos.example/cb"},
		"scopes": []string{"openid", "profile", "Files.Read"}, "confidential": true,
	}}).Into(v, &made)
	one := list + "/" + made.App.ID
	v.ok(servertest.Request{Path: one + "/secret", Token: token, Body: object{"overlap_seconds": 3600}}).Into(v, &made)
	v.ok(servertest.Request{Path: one, Token: token})
	v.ok(servertest.Request{Path: list + "?page=1&per_page=20", Token: token})
	v.ok(servertest.Request{Method: http.MethodPut, Path: one, Token: token, Body: object{"name": "Pictures", "scopes": []string{"openid"}, "disabled": true}})
	v.ok(servertest.Request{Method: http.MethodDelete, Path: one, Token: token})
	v.ok(servertest.Request{Method: http.MethodDelete, Path: scopes + "?name=Files.Read", Token: token})
}
