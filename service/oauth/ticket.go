package oauth

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/secret"
)

const (
	ticketFor = 5 * time.Minute
	ticketAAD = "oauth|sign_in|ticket" // no row's: a ticket opens nowhere else (K-05)
	maxTicket = 1 << 10                // bytes
)

// ErrTicket says that a session id of a sign-in is malformed, too old, or was
// used.
var ErrTicket = fault.New(fault.Invalid, "sign_in_ticket", "The sign-in took too long, start again")

// ticket is a password that was right, for whoever has to fetch a code. It is
// sealed and stored nowhere, so that every node can read it.
type ticket struct {
	ID         string `json:"id"`
	AccountKey string `json:"acc"`
	Epoch      int64  `json:"epo"`
	At         int64  `json:"iat"` // Unix seconds
}

func (t ticket) until() time.Time { return time.Unix(t.At, 0).Add(ticketFor) }

func (s *Service) sealTicket(h login.Half) (string, error) {
	plain, err := json.Marshal(ticket{ID: secret.ID(), AccountKey: h.AccountKey, Epoch: h.Epoch, At: s.Now().Unix()})
	if err != nil {
		return "", fmt.Errorf("encode ticket: %w", err)
	}
	return s.Ring.Seal(ticketAAD, plain)
}

func (s *Service) openTicket(text string) (ticket, error) {
	var t ticket
	if len(text) > maxTicket {
		return t, ErrTicket
	}
	plain, err := s.Ring.Open(ticketAAD, text)
	if err != nil || json.Unmarshal(plain, &t) != nil || !s.Now().Before(t.until()) {
		return ticket{}, ErrTicket
	}
	return t, nil
}

// spent are the tickets that were used and could be used again. It is safe for
// concurrent use. It is this process's memory and no more: after a restart, or
// on another node, a used ticket opens once more within its five minutes. That
// lets nobody in, for a ticket only says that the password was right: it needs
// a code each time, which the database spends once for all nodes (totp), wrong
// ones are counted, and a new password or factor voids it (Epoch). Whoever has
// such a code and ticket is no further than with an unused ticket.
type spent struct {
	now func() time.Time

	mu    sync.Mutex
	until map[string]time.Time // by id
}

// sweepAt is how many used tickets there may be before old ones are looked for:
// each cost a right password and a right code.
const sweepAt = 1024

func newSpent(now func() time.Time) *spent { return &spent{now: now, until: map[string]time.Time{}} }

// take uses a ticket, and reports whether it was unused.
func (s *spent) take(id string, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.until[id]; used {
		return false
	}
	if len(s.until) >= sweepAt {
		now := s.now()
		for other, then := range s.until {
			if !now.Before(then) {
				delete(s.until, other)
			}
		}
	}
	s.until[id] = until
	return true
}

// giveBack makes a ticket unused again.
func (s *spent) giveBack(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.until, id)
}
