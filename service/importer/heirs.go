package importer

import (
	"slices"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/password"
)

// planHeirs lets AList's admin and guest take the places of ours where ours
// were never used: a first start had to make them, and nobody knows them. Who
// gives way is deleted, so that nothing of theirs can open what is AList's
// admin's from now on.
func (p *plan) planHeirs() {
	if admin, ok := p.unused(model.RoleAdmin); ok {
		heir, ok := p.heir(model.RoleAdmin, usableAdmin)
		if ok && p.free(heir, admin) {
			p.vacate(admin)
			p.tookOver = true
			p.report.note("The admin made at the first start was never used and gives way to AList's: sign in as %q with the password from AList.", heir.Username)
		} else {
			p.report.note("AList has no admin who could sign in here: the one made at the first start stays.")
		}
	}
	if guest, ok := p.unused(model.RoleGuest); ok {
		heir, ok := p.heir(model.RoleGuest, func(alistdb.User) bool { return true })
		if ok && p.free(heir, guest) {
			p.vacate(guest)
		}
	}
}

func (p *plan) vacate(a model.Account) { p.in.Vacate = append(p.in.Vacate, a) }

// usableAdmin reports whether somebody can sign in as the user: with an admin
// who cannot, ours has to stay.
func usableAdmin(u alistdb.User) bool {
	return !u.Disabled && !holds(u, model.RoleGuest) && (password.IsLegacy(u.PwdHash) || u.PwdHash == "" && u.Password != "")
}

// unused is our founding account of a role, as long as nothing was done with
// it.
func (p *plan) unused(role int64) (model.Account, bool) {
	wireID, name := int64(1), "guest"
	if role == model.RoleAdmin {
		wireID, name = 2, "admin"
	}
	i := slices.IndexFunc(p.have.Accounts, func(a model.Account) bool {
		return a.ID == wireID && a.Username == name && a.ImportedAs == "" && slices.Equal(a.Roles, model.IntList{role}) &&
			a.PasswordAt.IsZero() && a.Epoch == 0 && !p.have.Used[a.Key]
	})
	if i < 0 {
		return model.Account{}, false
	}
	a := p.have.Accounts[i]
	return a, role == model.RoleAdmin || a.Disabled
}

// heir is AList's account of a role with the lowest id.
func (p *plan) heir(role int64, usable func(alistdb.User) bool) (alistdb.User, bool) {
	for _, u := range p.dump.Users {
		if holds(u, role) && usable(u) {
			return u, true
		}
	}
	return alistdb.User{}, false
}

// free reports whether nobody else here has the heir's name.
func (p *plan) free(heir alistdb.User, leaving model.Account) bool {
	return !slices.ContainsFunc(p.have.Accounts, func(a model.Account) bool {
		return a.Key != leaving.Key && a.Username == heir.Username
	})
}
