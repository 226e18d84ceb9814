package importer

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/account"
)

// allRights is the mask that AList gives admins at every load.
const allRights = 0xFFFF

const nameGeneral = "general"

// founding is what a role is when a database is founded.
func founding(id int64) model.Role {
	role := model.Role{ID: id, Scopes: rootScope(0)}
	switch id {
	case model.RoleGuest:
		role.Name, role.Description = "guest", "Guest"
	case model.RoleAdmin:
		role.Name, role.Description, role.Scopes = "admin", "Administrator", rootScope(allRights)
	case account.RoleGeneral:
		role.Name, role.Description = nameGeneral, "General User"
	}
	return role
}

func rootScope(permission int64) model.ScopeList {
	return model.ScopeList{{Path: "/", Permission: permission}}
}

// roleBook is our roles while a plan is made.
type roleBook struct {
	byID   map[int64]model.Role
	byName map[string]int64
	ids    ids
}

func newRoleBook(have, wanted []int64) *roleBook {
	b := &roleBook{byID: map[int64]model.Role{}, byName: map[string]int64{}, ids: newIDs()}
	for _, id := range have {
		b.ids.take(id)
	}
	for _, id := range wanted {
		b.ids.seen(id)
	}
	return b
}

func (b *roleBook) put(role model.Role) {
	if was, ok := b.byID[role.ID]; ok {
		delete(b.byName, was.Name)
	}
	b.byID[role.ID], b.byName[role.Name] = role, role.ID
}

// planRoles maps AList's roles to ours. Guest and admin are 1 and 2 in both;
// the one called general is our 3, whatever its id: AList has it only after an
// upgrade from before 3.46, else its 3 is the first role that somebody made.
// All others keep their id if it is free. Which role is the default one is a
// setting.
func (p *plan) planRoles() {
	var have, wanted []int64
	for _, role := range p.have.Roles {
		have = append(have, role.ID)
	}
	for _, role := range p.dump.Roles {
		wanted = append(wanted, role.ID)
	}
	book := newRoleBook(have, wanted)
	for _, role := range p.have.Roles {
		book.put(role)
	}
	count := Count{What: "roles", Found: len(p.dump.Roles)}
	for _, source := range p.dump.Roles {
		p.planRole(book, source, &count)
	}
	p.report.Counts = append(p.report.Counts, count)
	if _, here := book.byID[account.RoleGeneral]; here {
		p.general = model.IntList{account.RoleGeneral}
	}
}

func (p *plan) planRole(book *roleBook, source alistdb.Role, count *Count) {
	role := p.readRole(source)
	if ours, ok := literal(role); ok && book.byID[ours].ID != 0 { // ours may have been deleted
		p.roles[source.ID] = ours
		role.ID = ours
		p.fill(book, role, source, count)
		return
	}
	if id := book.byName[role.Name]; id == model.RoleGuest || id == model.RoleAdmin {
		// What only shares a name with the admin's role must not become it.
		role.Name = fmt.Sprintf("%s (%d)", role.Name, source.ID)
		p.roleLine(source, fmt.Sprintf("role %d has its name here", id), fmt.Sprintf("called %q", role.Name))
	}
	if id, taken := book.byName[role.Name]; taken {
		p.roles[source.ID] = id
		count.There++
		if !slices.Equal(book.byID[id].Scopes, role.Scopes) {
			p.roleLine(source, "a role of this name is here with other rights", fmt.Sprintf("ours (%d) stays as it is", id))
		}
		return
	}
	role.ID = book.ids.want(source.ID)
	if role.ID != source.ID {
		why := "the id is taken here"
		if source.ID == account.RoleGeneral {
			why = "3 is General User here"
		}
		p.roleLine(source, why, fmt.Sprintf("imported as role %d, for its users too", role.ID))
	}
	p.roles[source.ID] = role.ID
	book.put(role)
	p.in.Roles = append(p.in.Roles, role)
	count.New++
}

// literal is the id of ours that a role of AList means.
func literal(role model.Role) (int64, bool) {
	switch {
	case role.ID == model.RoleGuest, role.ID == model.RoleAdmin:
		return role.ID, true
	case strings.EqualFold(role.Name, nameGeneral):
		return account.RoleGeneral, true
	}
	return 0, false
}

// fill gives a founding role of ours the rights of AList's, unless it was
// changed here.
func (p *plan) fill(book *roleBook, role model.Role, source alistdb.Role, count *Count) {
	ours := book.byID[role.ID]
	if role.ID == model.RoleAdmin {
		role.Scopes = rootScope(allRights) // as AList does at every load
	}
	switch owner, taken := book.byName[role.Name]; {
	case sameRole(ours, role):
		count.There++
	case !sameRole(ours, founding(role.ID)):
		count.There++
		p.roleLine(source, "ours was changed here", "it stays as it is")
	case taken && owner != role.ID:
		count.Left++
		p.roleLine(source, "another role has its name here", "ours stays as it is")
	default:
		p.in.Fill = append(p.in.Fill, model.RoleFill{Was: ours, Becomes: role})
		book.put(role)
		count.New++
	}
}

func sameRole(a, b model.Role) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Description == b.Description &&
		slices.Equal(a.Scopes, b.Scopes)
}

// readRole is a role of AList's as ours, with its own id.
func (p *plan) readRole(source alistdb.Role) model.Role {
	for _, odd := range source.Odd {
		p.roleLine(source, odd, "taken as empty")
	}
	role := model.Role{ID: source.ID, Name: source.Name, Description: source.Description}
	if strings.TrimSpace(role.Name) == "" {
		role.Name = fmt.Sprintf("role %d", source.ID)
		p.roleLine(source, "it has no name", fmt.Sprintf("called %q", role.Name))
	}
	role.Scopes = model.ScopeList{}
	if source.Scopes == "" {
		return role
	}
	if err := json.Unmarshal([]byte(source.Scopes), &role.Scopes); err != nil {
		role.Scopes = model.ScopeList{}
		p.roleLine(source, "its permissions cannot be read", "imported without any")
	}
	for i, scope := range role.Scopes {
		role.Scopes[i].Path = path.Clean("/" + scope.Path)
	}
	return role
}

func (p *plan) roleLine(source alistdb.Role, found, done string) {
	p.report.line(Line{Table: tableRoles, ID: source.ID, Name: source.Name, Found: found, Done: done})
}
