package server_test

import (
	"fmt"
	"net/http"

	"latchkey/server/servertest"
)

func (v *visit) sshKeys(token string) {
	const (
		first  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP9+9vjqD8+IllfsM8Ucbt7urEiEJuecTXa+P0VD7EgW alice@laptop"
		second = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGh/3DliyUBlrV6PeiQn9GgRCicgLqZsxdfFyNKmcsmtJN1uz6D9rNtBbsQOySX4QzPUHW6ZFwGv9r6vEm8zezE="
	)
	v.ok(servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: object{"title": "laptop", "key": first}})
	v.ok(servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: object{"title": "phone", "public_key": second}})
	var page struct {
		Content []struct{ ID int64 }
		Total   int64
	}
	v.ok(servertest.Request{Path: "/api/me/sshkey/list?page=1&per_page=20", Token: token}).Into(v, &page)
	if len(page.Content) != 2 || page.Total != 2 {
		v.Fatalf("alice has %d of %d keys, want 2", len(page.Content), page.Total)
	}
	v.ok(servertest.Request{Path: "/api/me/sshkey/update", Token: token, Body: object{
		"id": page.Content[0].ID, "read_only": true, "allowed_ips": []string{"192.0.2.7"}, "path": "/photos", "expires_at": "",
	}})
	v.ok(servertest.Request{Method: http.MethodPost, Path: fmt.Sprintf("/api/me/sshkey/lift?id=%d", page.Content[0].ID), Token: token})
	const route = "/api/me/sshkey/delete"
	v.ok(servertest.Request{Method: http.MethodPost, Path: fmt.Sprintf("%s?id=%d", route, page.Content[0].ID), Token: token})
	v.ok(servertest.Request{Path: route, Token: token, Body: object{"id": page.Content[1].ID}})
	v.ok(servertest.Request{Path: "/api/me/sshkey/list", Token: token})
}
