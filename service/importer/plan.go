package importer

import (
	"latchkey/model"
	"latchkey/model/alistdb"
)

// plan works out what is to be written. It writes nothing.
type plan struct {
	Deps

	dump alistdb.Dump
	have model.Holdings
	at   model.Time

	in     model.Import
	report Report

	roles    map[int64]int64         // AList's role id → ours
	general  model.IntList           // the role of who has none; empty if it was deleted here
	accounts map[int64]model.Account // AList's user id → the account it becomes, or is already
	fresh    map[int64]bool          // AList's user ids whose accounts are new
	users    map[int64]bool          // AList's user ids
	tookOver bool                    // AList's admin takes the place of ours
	names    names
	ids      ids
}

func newPlan(d Deps, dump alistdb.Dump, have model.Holdings) *plan {
	users := map[int64]bool{}
	for _, u := range dump.Users {
		users[u.ID] = true
	}
	return &plan{
		Deps: d, dump: dump, have: have, at: model.At(d.Now()),
		roles: map[int64]int64{}, accounts: map[int64]model.Account{},
		fresh: map[int64]bool{}, users: users, ids: newIDs(),
	}
}

func (p *plan) make(o Options) error {
	p.report.DryRun = o.DryRun
	p.noteMissing()
	p.planRoles()
	p.planHeirs()
	if err := p.planAccounts(); err != nil {
		return err
	}
	if err := p.planFactors(); err != nil {
		return err
	}
	p.planKeys()
	if o.Settings {
		if err := p.planSettings(); err != nil {
			return err
		}
	}
	if o.Sessions {
		p.planDevices()
	}
	p.report.sort()
	return nil
}

// noteMissing says once what a whole column or table is missing for, so that
// the rows need not.
func (p *plan) noteMissing() {
	for _, what := range p.dump.Missing {
		var why string
		switch what {
		case "users.pwd_hash":
			why = "is older than 3.25, so passwords are taken from the column that holds them in plain text"
		case tableRoles:
			why = "is older than 3.46, so there are no roles: 0 becomes general, 1 guest, 2 admin"
		case tableKeys:
			why = "is older than 3.42, so there are no SSH keys"
		case tableSessions:
			why = "is older than 3.52, so there are no sessions"
		case tableSettings:
			why = "has no settings"
		default:
			continue
		}
		p.report.note("The source lacks %s: it %s.", what, why)
	}
}

// ids hands out free wire ids.
type ids struct {
	taken map[int64]bool
	next  int64
}

// maxID is the largest id that JavaScript reads exactly.
const maxID = 1 << 53

func newIDs() ids { return ids{taken: map[int64]bool{}, next: 1} }

func (i *ids) take(id int64) {
	i.taken[id] = true
	i.seen(id)
}

func isID(id int64) bool { return id > 0 && id < maxID }

// seen keeps ids that are handed out above id, which somebody may still want.
func (i *ids) seen(id int64) {
	if isID(id) {
		i.next = max(i.next, id+1)
	}
}

// want is id if it can be one and is free, else the next that nobody wants.
func (i *ids) want(id int64) int64 {
	if !isID(id) || i.taken[id] {
		id = i.next
	}
	i.take(id)
	return id
}
