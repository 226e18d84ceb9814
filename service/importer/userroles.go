package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"latchkey/model"
	"latchkey/model/alistdb"
)

// readRoles is a user's role column as our role ids: a JSON list since 3.46, a
// bare number before (0 general, 1 guest, 2 admin). What cannot be read makes
// nobody more than general.
func (p *plan) readRoles(u alistdb.User) model.IntList {
	text := strings.TrimSpace(u.Role.Text)
	if !u.Role.Valid || text == "" || text == "null" {
		p.userLine(u, "it has no role", "given role 3, general")
		return slices.Clone(p.general)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return p.bareRole(u, n)
	}
	var list []int64
	if json.Unmarshal([]byte(text), &list) != nil {
		p.userLine(u, "its roles cannot be read", "given role 3, general")
		return slices.Clone(p.general)
	}
	return p.mapRoles(u, list)
}

// bareRole is a role as AList kept it before 3.46.
func (p *plan) bareRole(u alistdb.User, n int64) model.IntList {
	if !p.dump.Lacks(tableRoles) {
		p.userLine(u, "its role is a bare number", fmt.Sprintf("%d is read as AList before 3.46 meant it", n))
	}
	if n == 0 {
		return slices.Clone(p.general)
	}
	return p.mapRoles(u, []int64{n})
}

// mapRoles finds our roles for AList's.
func (p *plan) mapRoles(u alistdb.User, list []int64) model.IntList {
	roles := model.IntList{}
	var unknown []string
	for _, id := range list {
		ours, ok := p.roles[id]
		if !ok && (id == model.RoleGuest || id == model.RoleAdmin) {
			ours, ok = id, true // they are 1 and 2 in every AList, with a table of roles or without
		}
		switch {
		case !ok:
			unknown = append(unknown, strconv.FormatInt(id, 10))
		case !slices.Contains(roles, ours):
			roles = append(roles, ours)
		}
	}
	if len(unknown) == 0 {
		return roles
	}
	done := "left away"
	if len(roles) == 0 {
		roles, done = slices.Clone(p.general), "given role 3, general, instead"
	}
	p.userLine(u, "there is no role "+strings.Join(unknown, ", "), done)
	return roles
}

// holds reports whether a user's role column names a role of AList's, without
// a word to the report.
func holds(u alistdb.User, role int64) bool {
	text := strings.TrimSpace(u.Role.Text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n == role
	}
	var list []int64
	return json.Unmarshal([]byte(text), &list) == nil && slices.Contains(list, role)
}
