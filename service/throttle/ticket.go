package throttle

import "sync/atomic"

// Ticket is an attempt that has been counted as a failure. The first of Succeed,
// Fail and Cancel settles it; others may be waiting for that.
type Ticket struct {
	service *Service
	at      int64 // when it was counted
	settled atomic.Bool
	signIn  bool // false: a code

	pair    key // account and address
	source  key // account and what the attempt is known by, or pair
	known   bool
	charges [2]charge
	charged int
}

// open adds the attempt to its cells, or says which of account and address is
// full and how long to wait; then nothing was added.
func (t *Ticket) open() (full uint64, wait int64) {
	s, address := t.service, key{who: t.pair.where}
	if t.known {
		if wait = t.charge(s.sources, t.source, s.cfg.Source); wait == 0 {
			_ = t.charge(s.addresses, address, s.cfg.Address) // counts there, but is not held back by it
		}
		return t.pair.who, wait
	}
	if wait = t.charge(s.addresses, address, s.cfg.Address); wait > 0 {
		return t.pair.where, wait
	}
	if wait = t.charge(s.accounts, key{who: t.pair.who}, s.cfg.Account); wait > 0 {
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
	every int64
}

// charge adds the attempt to a cell, or says how long to wait.
func (t *Ticket) charge(in *table, k key, l Limit) (wait int64) {
	until, wait := in.take(k, l, t.at)
	if wait == 0 {
		t.charges[t.charged] = charge{in: in, key: k, until: until, every: int64(l.Every)}
		t.charged++
	}
	return wait
}

// refund takes the attempt out of the cells it was added to.
func (t *Ticket) refund(now int64) {
	for _, c := range t.charges[:t.charged] {
		c.in.giveBack(c.key, min(c.every, c.until-now), now)
	}
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
		return
	}
	s.sources.pop(t.source)
	if undoable := s.failures.pop(t.source); undoable > t.at {
		age := now - (undoable - int64(s.cfg.TakeBackFor))
		s.addresses.giveBack(key{who: t.pair.where}, int64(s.cfg.Address.Every)-age, now)
		if !t.known {
			s.accounts.giveBack(key{who: t.pair.who}, int64(s.cfg.Account.Every)-age, now)
		}
	}
	s.known.set(t.pair, now+int64(s.cfg.KnownFor), now)
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
		t.service.failures.set(t.source, t.at+int64(t.service.cfg.TakeBackFor), t.at)
	}
}

// Cancel says that the attempt was neither: the password was right and the code
// is still missing, or the password was not looked at.
func (t *Ticket) Cancel() {
	if !t.settled.Swap(true) {
		defer t.done()
		t.refund(t.service.instant())
	}
}
