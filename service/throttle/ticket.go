package throttle

import "sync/atomic"

// Ticket is an attempt that has been counted as a failure. The first of Succeed,
// Fail and Cancel settles it; one that is never settled stays counted.
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
		t.refund(t.service.instant())
	}
}
