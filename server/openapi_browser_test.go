package server_test

import (
	"net/http"
	"net/url"
	"strings"

	"latchkey/server/servertest"
	"latchkey/service/client"
)

// browser has somebody sign in by the pages, let an app and a device in, and
// sign out.
func (v *visit) browser() {
	const here = "http://localhost"
	v.server.AddUser(v.T, "bettina")
	b := surf(v.T, v.server)
	b.from = "127.0.0.1"
	app, _, err := v.server.App.Apps.Register(v.Context(), client.Registration{
		Name: "Tide Notes", RedirectURIs: []string{"http://127.0.0.1/callback"}, Scopes: []string{"openid", "me.read"},
	})
	if err != nil {
		v.Fatal(err)
	}
	see := func(status int, path string, pairs ...string) servertest.Reply {
		v.Helper()
		r := servertest.Request{Path: here + path}
		if len(pairs) > 0 {
			values := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				values.Set(pairs[i], pairs[i+1])
			}
			r.Body, r.Header = values.Encode(), map[string]string{"Content-Type": formMedia, "Sec-Fetch-Site": "same-origin"}
		}
		if err := v.contract.Request(v, r); err != nil {
			v.Errorf("%s: the request is not as described: %v", path, err)
		}
		reply := b.send(r)
		if reply.Status != status {
			v.Fatalf("%s: %d %s", path, reply.Status, reply.Text)
		}
		method := http.MethodGet
		if r.Body != nil {
			method = http.MethodPost
		}
		path, _, _ = strings.Cut(path, "?")
		v.succeeded[v.contract.Operation(method, path).OperationID] = true
		return reply
	}
	see(http.StatusOK, signInAt+"?next=/session/device&name=bettina")
	see(http.StatusSeeOther, signInAt, "username", "bettina", "password", servertest.AdminPassword, "next", deviceAt)
	see(http.StatusOK, confirmAs+"?next=/session/device")
	see(http.StatusSeeOther, confirmAs, "password", servertest.AdminPassword, "next", deviceAt)
	page := see(http.StatusOK, authorizeAt+"?"+wish(app, callback)).Text
	see(http.StatusOK, authorizeAt, "request", fieldOf(page, "request"), "ticket", fieldOf(page, "ticket"), "answer", "allow")
	see(http.StatusOK, deviceAt+"?user_code=BCDF-GHJK")
	a := &asksForAccess{surfer: b, native: app}
	_, code := a.startDevice()
	page = see(http.StatusOK, deviceAt, "user_code", code).Text
	see(http.StatusOK, deviceAt, "user_code", code, "ticket", fieldOf(page, "ticket"), "answer", "allow")
	see(http.StatusSeeOther, signOutAt)
	see(http.StatusOK, signOutAt, "next", "")
}
