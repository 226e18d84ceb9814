package throttle

import "sync/atomic"

// Ticket is an attempt that has been counted as a failure. The first of Succeed,
// Fail and Cancel settles it; others may be waiting for that.
type Ticket struct {
	service *Service
	at      int64 // when it was counted
	settled atomic.Bool
	signIn  bool // false: a code

	account string // the account's key, for rows
	address string // the address as it is shown, for rows
	pair    key    // account and address
	source  key    // account and what the attempt is known by, or pair
	known   bool
	charges [2]charge
	charged int
}

// open adds the attempt to its cells, or says which of account and address is
// full and how long to wait; then nothing was added.
func (t *Ticket) open() (full, wait int64) {
	s, address := t.service, key{who: t.pair.place}
	if t.known {
		if wait = t.charge(s.sources, t.source); wait == 0 {
			_ = t.charge(s.addresses, address) // counts there, but is not held back by it
		}
		return t.pair.who, wait
	}
	if wait = t.charge(s.addresses, address); wait > 0 {
		return t.pair.place, wait
	}
	if wait = t.charge(s.accounts, key{who: t.pair.who}); wait > 0 {
		t.refund(t.at)
	}
	return t.pair.who, wait
}

// done wakes those who wait for the outcome.
func (t *Ticket) done() {
	if t.signIn {
		t.service.pending.end(t)
	}
}

// charge is what was added to one cell.
type charge struct {
	in    *table
	key   key
	until int64
}

// charge adds the attempt to a cell, or says how long to wait.
func (t *Ticket) charge(in *table, k key) (wait int64) {
	until, wait := in.take(k, t.at)
	if wait == 0 {
		t.charges[t.charged] = charge{in: in, key: k, until: until}
		t.charged++
	}
	return wait
}

// refund takes the attempt out of the cells it was added to.
func (t *Ticket) refund(now int64) {
	for _, c := range t.charges[:t.charged] {
		c.in.giveBack(c.key, min(int64(c.in.limit.Every), c.until-now), now)
	}
}

// entries are the cells it was added to.
func (t *Ticket) entries() []entry {
	var list []entry
	for _, c := range t.charges[:t.charged] {
		list = append(list, t.entry(c.in, c.key))
	}
	return list
}

// entry is a cell with what its row says beside.
func (t *Ticket) entry(in *table, k key) entry {
	e := entry{in: in, key: k, account: t.account}
	if in == t.service.addresses {
		e.account, e.address = "", t.address
	}
	return e
}

// Succeed says that the attempt ended in a sign-in. It is no failure then, and
// neither is the one the same source made in the ten seconds before. The
// source's own budget is whole again; what others failed at stays counted, at
// the same address too. From now on the address is known to the account.
func (t *Ticket) Succeed() {
	if t.settled.Swap(true) {
		return
	}
	defer t.done()
	s, now := t.service, t.service.instant()
	t.refund(now)
	if !t.signIn {
		s.sourceCodes.pop(t.source)
		s.note(t.entries()...)
		return
	}
	s.sources.pop(t.source)
	s.note(append(t.entries(), t.takeBack(now)...)...) // when all is done: rows follow what is in memory then
	known := t.entry(s.known, t.pair)
	known.until = now + int64(s.cfg.KnownFor)
	s.known.raise(t.pair, known.until, now)
	s.note(known)
}

// takeBack undoes the failure that the same source made just before, and
// returns the cells it took it out of.
func (t *Ticket) takeBack(now int64) []entry {
	s := t.service
	undoable := s.failures.pop(t.source)
	if undoable <= t.at {
		return nil
	}
	age := now - (undoable - int64(s.cfg.TakeBackFor))
	address, account := key{who: t.pair.place}, key{who: t.pair.who}
	s.addresses.giveBack(address, int64(s.cfg.Address.Every)-age, now)
	if t.known {
		return []entry{t.entry(s.addresses, address)}
	}
	s.accounts.giveBack(account, int64(s.cfg.Account.Every)-age, now)
	return []entry{t.entry(s.addresses, address), t.entry(s.accounts, account)}
}

// Fail says that the password (or the code) was wrong. The attempt is counted
// already; saying so lets a success that follows soon undo it, for clients that
// send the hash first and then the plain password.
func (t *Ticket) Fail() {
	if t.settled.Swap(true) || !t.signIn {
		return
	}
	defer t.done()
	// An attempt that the address had no room for was not added to it, and must
	// not be taken out: its owner could wash the address clean with it.
	if t.charged == len(t.charges) {
		t.service.failures.raise(t.source, t.at+int64(t.service.cfg.TakeBackFor), t.at)
	}
}

// Cancel says that the attempt was neither: the password was right and the code
// is still missing, or the password was not looked at.
func (t *Ticket) Cancel() {
	if !t.settled.Swap(true) {
		defer t.done()
		t.refund(t.service.instant())
		t.service.note(t.entries()...)
	}
}
