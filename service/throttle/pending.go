package throttle

import "sync"

// pending counts the sign-ins whose outcome is not known yet, by account and by
// address. A budget that only they use up is not used up: who finds it so waits
// for what becomes of them, so that many right sign-ins at once all get in.
type pending struct {
	mu    sync.Mutex
	count map[uint64]int
	ended chan struct{} // closed when one ends, and replaced
}

func newPending() *pending {
	return &pending{count: map[uint64]int{}, ended: make(chan struct{})}
}

// admit opens the ticket and counts it as pending, or says how long its budget
// needs to decay. If others are pending on that budget, retry is closed when
// one of them ends; else it is nil.
func (p *pending) admit(t *Ticket) (wait int64, retry <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	full, wait := t.open()
	if wait == 0 {
		p.count[t.pair.who]++
		p.count[t.pair.where]++
		return 0, nil
	}
	if p.count[full] > 0 {
		return wait, p.ended
	}
	return wait, nil
}

// end counts the ticket no more, and wakes those who wait.
func (p *pending) end(t *Ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, who := range []uint64{t.pair.who, t.pair.where} {
		if p.count[who]--; p.count[who] == 0 {
			delete(p.count, who)
		}
	}
	close(p.ended)
	p.ended = make(chan struct{})
}
