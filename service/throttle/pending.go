package throttle

import "sync"

// pending counts the sign-ins whose outcome is not known yet, by account and by
// address. A budget that only they use up is not used up: who finds it so waits
// for what becomes of them, so that many right sign-ins at once all get in.
type pending struct {
	mu      sync.Mutex
	count   map[int64]int
	waiting map[int64]int // those who wait, by the account or address they wait for
	ended   chan struct{} // closed when one ends, and replaced
}

// maxWaiting is how many wait for one account or address; more are refused.
// Every end wakes all of them, so without a bound a crowd would cost much more
// than it is.
const maxWaiting = 128

func newPending() *pending {
	return &pending{count: map[int64]int{}, waiting: map[int64]int{}, ended: make(chan struct{})}
}

// outcome is what admit makes of a ticket that its budgets have no room for.
type outcome struct {
	wait  int64           // how long the full budget needs to decay; 0: the ticket is admitted
	retry <-chan struct{} // closed when somebody pending ends; nil: there is nothing to wait for
	full  int64           // the account or address that is full; for leave, unless retry is nil
}

// admit opens the ticket and counts it as pending, or says why not. Whoever is
// given something to wait for calls leave when they have waited.
func (p *pending) admit(t *Ticket) outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	full, wait := t.open()
	switch {
	case wait == 0:
		p.count[t.pair.who]++
		p.count[t.pair.place]++
		return outcome{}
	case p.count[full] == 0, p.waiting[full] >= maxWaiting:
		return outcome{wait: wait}
	}
	p.waiting[full]++
	return outcome{wait: wait, retry: p.ended, full: full}
}

// leave says that somebody has waited for the account or address.
func (p *pending) leave(full int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[full]--; p.waiting[full] == 0 {
		delete(p.waiting, full)
	}
}

// end counts the ticket no more, and wakes those who wait.
func (p *pending) end(t *Ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, who := range []int64{t.pair.who, t.pair.place} {
		if p.count[who]--; p.count[who] == 0 {
			delete(p.count, who)
		}
	}
	close(p.ended)
	p.ended = make(chan struct{})
}
