package access_test

import (
	"testing"

	"latchkey/model"
	"latchkey/service/access"
)

func TestRightsAt(t *testing.T) {
	const read, write = access.RightSFTP, access.RightSFTPManage
	team := &access.Account{RoleIDs: []int64{3}, BasePath: "/home", Permissions: []model.PathScope{
		{Path: "/home/team", Permission: read | write}, {Path: "/home/team/archive", Permission: 1}, {Path: "/pub", Permission: read},
	}}
	for p, want := range map[string]int64{
		"/":                     read | write | 1, // all scopes
		"/home":                 read | write | 1,
		"/home/team":            read | write,
		"/home/team/":           read | write,
		"/home/team/a/b":        read | write,
		"/home/team/archive/x":  read | write | 1,
		"/home/teams":           0,
		"/home/tea":             0,
		"/home/other":           0,
		"/pub/x":                read,
		"/home/team/../other":   0,
		"home/team":             read | write,
		"/home/other/../team/x": read | write,
	} {
		if got := team.RightsAt(p); got != want {
			t.Errorf("RightsAt(%q) = %b, want %b", p, got, want)
		}
	}
	admin := &access.Account{RoleIDs: []int64{model.RoleAdmin}, BasePath: "/"}
	if got := admin.RightsAt("/anywhere"); got&(read|write) != read|write {
		t.Errorf("an admin's rights = %b", got)
	}
	if got := new(access.Account).RightsAt("/"); got != 0 {
		t.Errorf("rights without a scope = %b", got)
	}
}
