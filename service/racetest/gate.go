package racetest

import (
	"runtime"
	"sync"
)

// Gate stands in a fake and holds one caller back, so that another may
// overtake it between two steps.
type Gate struct {
	armed chan struct{} // what is in it is for a caller who must wait
	held  chan struct{} // closed when that caller is here
	open  chan struct{} // closed when it may go on
}

// NewGate makes a gate that everybody passes, until Overtake.
func NewGate() *Gate {
	return &Gate{armed: make(chan struct{}, 1), held: make(chan struct{}), open: make(chan struct{})}
}

// Pass waits while Overtake wants the caller to.
func (g *Gate) Pass() {
	select {
	case <-g.armed:
		close(g.held)
		<-g.open
	default:
	}
}

// Overtake runs slow, which must come to the gate, and quick while slow waits
// there. It returns when both are done: if quick in its turn waits for slow, the
// gate opens all the same. A gate is good for one overtaking.
func (g *Gate) Overtake(slow, quick func()) {
	g.armed <- struct{}{}
	var both sync.WaitGroup
	both.Go(slow)
	<-g.held
	both.Go(quick)
	for range 10_000 { // time for quick to finish, if nothing holds it back
		runtime.Gosched()
	}
	close(g.open)
	both.Wait()
}
