package server_test

import (
	"fmt"
	"net/http"

	"latchkey/server/servertest"
)

// throttle has somebody guess at bob, who lifts it himself and has the admin
// lift the address.
func (v *visit) throttle() {
	token := v.server.App.AdminToken()
	bob := v.server.SignIn(v, "bob", servertest.AdminPassword, "phone")
	const from = "203.0.113.9"
	for i := range 20 {
		v.server.Do(v, servertest.Request{
			Path: "/api/auth/login", From: from, Body: object{"username": []string{"bob", fmt.Sprintf("nobody%d", i)}[min(i/10, 1)], "password": "wrong"},
		})
	}
	var rows []struct{ Kind, Username, Address string }
	v.ok(servertest.Request{Path: "/api/admin/throttle/list", Token: token}).Into(v, &rows)
	if len(rows) != 2 || rows[0].Address != from || rows[1].Username != "bob" {
		v.Fatalf("throttled are %+v, want %s and bob", rows, from)
	}
	v.ok(servertest.Request{Method: http.MethodPost, Path: "/api/me/throttle/lift", Token: bob.Token, ClientID: "phone"})
	v.ok(servertest.Request{Path: "/api/admin/throttle/lift", Token: token, Body: object{"address": from}})
	v.ok(servertest.Request{Path: "/api/admin/throttle/lift", Token: token, Body: object{"username": "bob"}})
	v.ok(servertest.Request{Path: "/api/admin/throttle/list", Token: token}).Into(v, &rows)
	if len(rows) != 0 {
		v.Fatalf("throttled are still %+v", rows)
	}
}
