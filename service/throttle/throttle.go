package throttle

import (
	"context"
	"fmt"
	"hash/maphash"
	"net/netip"
	"time"

	"latchkey/service/fault"
)

// ErrThrottled is an attempt that was refused unseen. Its RetryAfter says when
// the next one will be looked at.
var ErrThrottled = fault.New(fault.TooMany, "sign_in_throttled",
	"Too many unsuccessful sign-in attempts have been made using an incorrect username or password, Try again later.")

// Attempt is who tries to sign in to what.
type Attempt struct {
	AccountKey string // the account's key, or the folded name that nobody has
	Address    string // the client's address as the doors found it; what is no address counts as one
	Device     string // what tells the client's device from others; empty if nothing does
	Known      bool   // Device signed in to this account within Config.KnownFor
}

// Service counts failed sign-ins. It is safe for concurrent use and starts no
// goroutine.
type Service struct {
	cfg   Config
	now   func() time.Time
	start time.Time
	seed  maphash.Seed

	addresses *table // by address: failures
	accounts  *table // by account: failures from unknown sources
	sources   *table // by account and known source: failures
	codes     *table // by account: codes
	failures  *table // by account and source: until when the last failure can be undone
	known     *table // by account and address: until when it is known

	pending *pending
}

// New is a Service that has seen nothing. Its clock should be monotonic, as
// time.Now is: then a step of the wall clock neither locks nor opens anything.
func New(cfg Config, now func() time.Time) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("throttle: %w", err)
	}
	return &Service{
		cfg: cfg, now: now, start: now(), seed: maphash.MakeSeed(),
		addresses: newTable(cfg.MaxKeys), accounts: newTable(cfg.MaxKeys), sources: newTable(cfg.MaxKeys),
		codes: newTable(cfg.MaxKeys), failures: newTable(cfg.MaxKeys), known: newTable(cfg.MaxKeys),
		pending: newPending(),
	}, nil
}

// Begin counts the attempt as a failure before anybody looks at the password, so
// that parallel ones cannot slip by; the Ticket takes it back, and must be
// settled. Where only attempts that are not settled yet use the budget up, Begin
// waits for them, unless too many do. It fails with ErrThrottled. A known source
// answers to its own budget only: guessing from elsewhere never shuts the owner
// out.
func (s *Service) Begin(ctx context.Context, a Attempt) (*Ticket, error) {
	account, address := s.text(a.AccountKey), s.address(a.Address)
	for {
		t := s.ticket(a, key{account, address})
		o := s.pending.admit(t)
		switch {
		case o.wait == 0:
			return t, nil
		case o.retry == nil:
			return nil, ErrThrottled.After(time.Duration(o.wait))
		}
		select {
		case <-o.retry:
			s.pending.leave(o.full)
		case <-ctx.Done():
			s.pending.leave(o.full)
			return nil, ErrThrottled.After(time.Duration(o.wait))
		}
	}
}

// ticket says what the attempt is known by: its device at its address before
// its device alone, because a Client-Id is no secret, and whoever sends it from
// elsewhere must not use up the owner's budget.
func (s *Service) ticket(a Attempt, pair key) *Ticket {
	now := s.instant()
	t := &Ticket{service: s, at: now, pair: pair, signIn: true}
	t.source, t.known = pair, s.known.has(pair, now)
	if !a.Known || a.Device == "" {
		return t
	}
	device := s.text(a.Device)
	if t.known {
		device = maphash.Comparable(s.seed, [2]uint64{device, pair.where})
	}
	t.source, t.known = key{pair.who, device}, true
	return t
}

// Codes counts a second-factor code as a wrong one before it is looked at. It
// fails with ErrThrottled. A right code takes back itself and no other: who has
// the password may not guess on because the owner signs in now and then.
func (s *Service) Codes(_ context.Context, accountKey string) (*Ticket, error) {
	t := &Ticket{service: s, at: s.instant()}
	if wait := t.charge(s.codes, key{who: s.text(accountKey)}, s.cfg.Codes); wait > 0 {
		return nil, ErrThrottled.After(time.Duration(wait))
	}
	return t, nil
}

// LiftAccount forgets the account's failures, from wherever they came.
func (s *Service) LiftAccount(_ context.Context, accountKey string) {
	who := s.text(accountKey)
	for _, t := range []*table{s.accounts, s.sources, s.codes, s.failures} {
		t.forget(who)
	}
}

// LiftAddress forgets the failures of the address, or of its /64.
func (s *Service) LiftAddress(_ context.Context, address string) {
	s.addresses.forget(s.address(address))
}

// Keys is how many entries are held, for a gauge: at most six times
// Config.MaxKeys.
func (s *Service) Keys() int {
	return s.addresses.size() + s.accounts.size() + s.sources.size() +
		s.codes.size() + s.failures.size() + s.known.size()
}

func (s *Service) instant() int64 { return int64(s.now().Sub(s.start)) }

func (s *Service) text(v string) uint64 { return maphash.String(s.seed, v) }

// address takes the addresses of one IPv6 /64 for one: that is what a single
// customer has.
func (s *Service) address(v string) uint64 {
	a, err := netip.ParseAddr(v)
	if err != nil {
		return maphash.Comparable(s.seed, [16]byte{})
	}
	b := a.Unmap().As16()
	if !a.Unmap().Is4() {
		clear(b[8:])
	}
	return maphash.Comparable(s.seed, b)
}
