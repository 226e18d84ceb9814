package server_test

import (
	"net/http"
	"strings"

	"latchkey/server/servertest"
)

func (w *witness) registersApps() {
	const list, scopes = "/api/v4/admin/oauthClient", "/api/v4/admin/oauthScope"
	send := func(method, path string, body any, kind string) servertest.Reply {
		w.Helper()
		r := w.office(path, body)
		r.Method = method
		return w.sees(r, w.byAdmin(kind, "admin"))
	}
	proof := servertest.Request{Path: "/api/auth/reauth", Token: w.admin.Token, ClientID: "office", Body: object{"password": servertest.AdminPassword}}
	w.unchecked(w.T, proof) // time has passed
	var made struct {
		App          struct{ ID string }
		ClientSecret string `json:"client_secret"`
	}
	send(http.MethodPost, scopes, object{"name": "Files.Read", "description": "Read your files"}, "oauth_scope_declared")
	send(http.MethodPost, list, object{"name": "Photos", "confidential": true}, "oauth_app_registered").Into(w, &made)
	w.secrets["app's secret"] = made.ClientSecret
	one := list + "/" + made.App.ID
	send(http.MethodPost, one+"/secret", object{}, "oauth_app_secret_rotated").Into(w, &made)
	w.secrets["app's second secret"] = made.ClientSecret
	for i, row := range w.query(w, "SELECT secret_hash FROM oauth_clients") {
		w.secrets["app's hash "+string(rune('a'+i))] = row[0].value
	}
	rows := w.rows(w)
	for _, what := range []string{"app's secret", "app's second secret"} {
		if strings.Contains(rows, w.secrets[what]) {
			w.Errorf("a row holds the %s", what)
		}
	}
	send(http.MethodPut, one, object{"disabled": true}, "oauth_app_changed")
	send(http.MethodDelete, one, nil, "oauth_app_deleted")
	send(http.MethodDelete, scopes+"?name=Files.Read", nil, "oauth_scope_withdrawn")
}
