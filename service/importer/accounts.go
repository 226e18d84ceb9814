package importer

import (
	"encoding/json"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/account"
	"latchkey/service/secret"
)

// planAccounts decides for every user whether the account is here already, can
// be made, or must be left out.
func (p *plan) planAccounts() error {
	staying := slices.DeleteFunc(slices.Clone(p.have.Accounts), func(a model.Account) bool {
		return slices.ContainsFunc(p.in.Vacate, func(v model.Account) bool { return v.Key == a.Key })
	})
	p.names = newNames(staying)
	for _, a := range staying {
		p.ids.take(a.ID)
	}
	for _, u := range p.dump.Users {
		p.ids.seen(u.ID)
	}
	count := Count{What: "users", Found: len(p.dump.Users)}
	known := newKnown(staying)
	for _, u := range p.dump.Users {
		if a, here := known.find(u); here {
			p.accounts[u.ID] = a
			count.There++
			if a.ImportedAs == "" {
				p.userLine(u, "an account with this id and name was made here", "ours stays as it is, its password too")
			}
			continue
		}
		if id, taken := p.names.exact[u.Username]; taken {
			count.Left++
			p.userLine(u, fmt.Sprintf("account %d has this name here", id), "left out with all that is theirs; rename one of the two and import again")
			continue
		}
		a, err := p.account(u)
		if err != nil {
			return err
		}
		p.names.take(a)
		p.accounts[u.ID], p.fresh[u.ID] = a, true
		p.in.Accounts = append(p.in.Accounts, a)
		count.New++
	}
	p.report.Counts = append(p.report.Counts, count)
	return nil
}

// known finds accounts that an earlier import made, whatever they are called
// now, and those with the same id and name.
type known struct {
	imported map[string]model.Account
	named    map[string]model.Account
}

func newKnown(accounts []model.Account) known {
	k := known{imported: map[string]model.Account{}, named: map[string]model.Account{}}
	for _, a := range accounts {
		k.named[origin(a.ID, a.Username)] = a
		if a.ImportedAs != "" {
			k.imported[a.ImportedAs] = a
		}
	}
	return k
}

func (k known) find(u alistdb.User) (model.Account, bool) {
	key := origin(u.ID, u.Username)
	if a, ok := k.imported[key]; ok {
		return a, true
	}
	a, ok := k.named[key]
	return a, ok
}

func origin(id int64, name string) string { return fmt.Sprintf("%d:%s", id, name) }

// account is what a user of AList's becomes.
func (p *plan) account(u alistdb.User) (model.Account, error) {
	a := model.Account{
		Key: secret.ID(), Username: u.Username, NameFolded: account.Fold(u.Username), NameKey: p.names.key(u.Username),
		BasePath: path.Clean("/" + u.BasePath), Roles: p.readRoles(u), Permission: p.permission(u),
		Disabled: u.Disabled, SSOID: u.SSOID, MaxDevices: u.MaxDevices, SessionTTL: u.SessionTTL,
		CreatedAt: p.at, ImportedAs: origin(u.ID, u.Username), Passkeys: p.passkeys(u),
	}
	if a.ID = p.ids.want(u.ID); a.ID != u.ID {
		why := "the id is taken here"
		if !isID(u.ID) {
			why = "the id can be nobody's"
		}
		p.userLine(u, why, fmt.Sprintf("imported with the id %d", a.ID))
	}
	p.checkColumns(u, &a)
	p.checkName(u, a)
	p.heal(u, &a)
	stored, err := p.password(u, a)
	a.PasswordHash = stored
	return a, err
}

// checkColumns reports columns that could not be read. Whether an account is
// disabled must not be guessed in its favour.
func (p *plan) checkColumns(u alistdb.User, a *model.Account) {
	for _, odd := range u.Odd {
		done := "taken as far as it goes"
		if strings.HasPrefix(odd, "disabled ") {
			a.Disabled, done = true, "imported disabled"
		}
		p.userLine(u, odd, done)
	}
}

func (p *plan) checkName(u alistdb.User, a model.Account) {
	if p.names.alike[a.NameFolded] > 0 {
		p.userLine(u, "another account's name differs from it in case only", "both sign in by exact spelling")
	}
	if account.CheckName(u.Username) != nil {
		p.userLine(u, "a new account could not have this name", "kept; it signs in by exact spelling")
	}
}

// heal gives admins what AList gives them at every load.
func (p *plan) heal(u alistdb.User, a *model.Account) {
	if !slices.Contains(a.Roles, model.RoleAdmin) || a.BasePath == "/" && a.Permission == allRights {
		return
	}
	a.BasePath, a.Permission = "/", allRights
	p.userLine(u, "an admin with less than all rights", "given base path / and permission 65535, as AList does at every load")
}

func (p *plan) permission(u alistdb.User) int64 {
	if u.Permission < 0 || u.Permission > math.MaxInt32 {
		p.userLine(u, "its permission is no mask of 31 bits", "taken as 0")
		return 0
	}
	return u.Permission
}

// passkeys are kept as they are: nothing reads them yet (ruling 23).
func (p *plan) passkeys(u alistdb.User) string {
	text := strings.TrimSpace(u.Authn)
	if text == "" || text == "[]" || text == "null" {
		return ""
	}
	if !json.Valid([]byte(text)) {
		p.userLine(u, "its passkeys cannot be read", "left out")
		return ""
	}
	return text
}

func (p *plan) userLine(u alistdb.User, found, done string) {
	p.report.line(Line{Table: tableUsers, ID: u.ID, Name: u.Username, Found: found, Done: done})
}
