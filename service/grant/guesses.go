package grant

import (
	"sync"
	"time"
)

// A user code is one of 20^8, about 2^34.5. At most 10,000 are waiting, and an
// account tries 10 wrong ones in 10 minutes: a chance of 1 in 256,000 to see
// somebody else's app, and nothing is gained by approving it but that this app
// acts for oneself (RFC 8628 §5.1, §5.4).
const (
	guessesAtMost = 10
	guessesFor    = 10 * time.Minute
	guessersKept  = 10_000 // accounts that are counted
)

// guesses counts the wrong user codes of accounts, in memory: a restart forgives
// ten.
type guesses struct {
	mu sync.Mutex
	of map[string]tries
}

type tries struct {
	since time.Time
	count int
}

// take counts a try before it is known whether it is wrong, and returns how long
// the account must wait if it has none left, else 0.
func (g *guesses) take(accountKey string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil {
		g.of = map[string]tries{}
	}
	t, there := g.of[accountKey]
	if !there || now.Sub(t.since) >= guessesFor {
		t = tries{since: now}
	}
	if t.count >= guessesAtMost {
		return t.since.Add(guessesFor).Sub(now)
	}
	if !there && len(g.of) >= guessersKept {
		g.makeRoom(now)
	}
	t.count++
	g.of[accountKey] = t
	return 0
}

// makeRoom forgets those whose time is over, or else anybody.
func (g *guesses) makeRoom(now time.Time) {
	for key, t := range g.of {
		if now.Sub(t.since) >= guessesFor {
			delete(g.of, key)
		}
	}
	for key := range g.of {
		if len(g.of) < guessersKept {
			return
		}
		delete(g.of, key)
	}
}

// giveBack takes back a try that was right.
func (g *guesses) giveBack(accountKey string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t, there := g.of[accountKey]; there && t.count > 0 {
		t.count--
		g.of[accountKey] = t
	}
}
