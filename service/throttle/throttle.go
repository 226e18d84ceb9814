package throttle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"latchkey/model"
	"latchkey/service/fault"
	"latchkey/service/journal"
)

// What is refused.
var (
	// ErrThrottled is an attempt that was refused unseen. Its RetryAfter says
	// when the next one will be looked at.
	ErrThrottled = fault.New(fault.TooMany, "sign_in_throttled",
		"Too many unsuccessful sign-in attempts have been made using an incorrect username or password, Try again later.")
	// ErrAddress says that what should be lifted is no address.
	ErrAddress = fault.New(fault.Invalid, "throttle_address", "address must be an IPv4 or IPv6 address")
)

// Attempt is who tries to sign in to what.
type Attempt struct {
	AccountKey string // the account's key; empty if nobody has the name
	Name       string // the folded name that nobody has; it is never stored, it may be a password
	Address    string // the client's address as the doors found it; what is no address counts as one
	Device     string // what tells the client's device from others; empty if nothing does
	Known      bool   // Device signed in to this account within Config.KnownFor
}

// Store keeps the counters. Every method is one transaction.
type Store interface {
	// Throttles lists counters, those that are empty last first.
	Throttles(ctx context.Context, q model.ThrottleQuery) ([]model.Throttle, error)
	// Throttle finds one counter; model.ErrNotFound.
	Throttle(ctx context.Context, id model.ThrottleID) (model.Throttle, error)
	// SaveThrottles deletes what is lifted, then stores rows of distinct ids,
	// each in place of the one before. A row whose AccountKey is nobody's any
	// more is left out, without error.
	SaveThrottles(ctx context.Context, lifts []model.ThrottleLift, rows []model.Throttle) error
	// CleanThrottles deletes at least atMost counters of the kind that are empty
	// at now, if there are so many, and of the rest all but keep, those that are
	// empty first going first. It returns how many it deleted.
	CleanThrottles(ctx context.Context, kind model.ThrottleKind, now model.Time, keep, atMost int) (int64, error)
}

// Deps are what the service works with.
type Deps struct {
	Store Store
	Key   []byte // names counters; at least 32 random bytes, always the same
	Log   *slog.Logger
	Now   func() time.Time // monotonic, as time.Now is: then a step of the wall clock neither locks nor opens anything
}

// Service counts failed sign-ins. It is safe for concurrent use and starts no
// goroutine.
type Service struct {
	cfg    Config
	store  Store
	namers *sync.Pool // of *namer
	log    *slog.Logger
	now    func() time.Time
	start  time.Time

	addresses   *table // by address: failures
	accounts    *table // by account: failures from unknown sources
	sources     *table // by account and known source: failures
	codes       *table // by account: codes
	sourceCodes *table // by account and address: codes
	apiKeys     *table // by address: wrong API keys
	failures    *table // by account and source: until when the last failure can be undone; not stored, so that a crash undoes none
	lifts       *table // by account: lifts by its owner; not stored, because no guesser restarts the server
	reports     *table // by address: reports of leaked keys; not stored
	known       *table // by account and address: until when it is known; the rows are the truth, these the ones not yet written

	pending *pending
	journal *journal.Journal[entry]
}

// keySize is the least size of Deps.Key in bytes, that of the hash.
const keySize = 32

// New is a Service that has seen nothing. Load tells it what was counted before.
func New(cfg Config, d Deps) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("throttle: %w", err)
	}
	if len(d.Key) < keySize {
		return nil, fmt.Errorf("throttle: a key of %d bytes, want at least %d", len(d.Key), keySize)
	}
	s := &Service{
		cfg: cfg, store: d.Store, namers: newNamers(d.Key), log: d.Log, now: d.Now, start: d.Now(),
		addresses:   newTable(model.ThrottleAddress, cfg.Address, cfg.MaxKeys),
		accounts:    newTable(model.ThrottleAccount, cfg.Account, cfg.MaxKeys),
		sources:     newTable(model.ThrottleSource, cfg.Source, cfg.MaxKeys),
		codes:       newTable(model.ThrottleCodes, cfg.Codes, cfg.MaxKeys),
		sourceCodes: newTable(model.ThrottleSourceCodes, cfg.SourceCodes, cfg.MaxKeys),
		apiKeys:     newTable(model.ThrottleAPIKeys, cfg.APIKeys, cfg.MaxKeys),
		failures:    newTable("", Limit{}, cfg.MaxKeys),
		lifts:       newTable("", cfg.Lifts, cfg.MaxKeys),
		reports:     newTable("", cfg.Reports, cfg.MaxKeys),
		known:       newTable(model.ThrottleKnown, Limit{}, cfg.MaxKeys),
		pending:     newPending(),
	}
	s.journal = journal.New(s.write)
	return s, nil
}

// Begin counts the attempt as a failure before anybody looks at the password, so
// that parallel ones cannot slip by; when it returns, that is stored. The Ticket
// takes it back, and must be settled. Where only attempts that are not settled
// yet use the budget up, Begin waits for them, unless too many do. It fails with
// ErrThrottled, or with model.ErrUnavailable if it cannot be stored. A known
// source answers to its own budget only: guessing from elsewhere never shuts the
// owner out. What it costs tells nothing about the account.
func (s *Service) Begin(ctx context.Context, a Attempt) (*Ticket, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, storeWait, model.ErrUnavailable)
	defer cancel()
	address, shown := s.address(a.Address)
	pair := key{who: s.who(a), place: address}
	stored, err := s.isKnown(ctx, pair)
	if err != nil {
		return nil, err
	}
	for {
		t := s.ticket(a, pair, stored)
		t.address = shown
		o := s.pending.admit(t)
		switch {
		case o.wait == 0:
			return s.stored(ctx, t)
		case o.retry == nil:
			return nil, ErrThrottled.After(time.Duration(o.wait))
		}
		select {
		case <-o.retry:
			s.pending.leave(o.full)
		case <-ctx.Done():
			s.pending.leave(o.full)
			if err := context.Cause(ctx); errors.Is(err, model.ErrUnavailable) {
				return nil, fmt.Errorf("wait for other attempts: %w", err)
			}
			return nil, ErrThrottled.After(time.Duration(o.wait))
		}
	}
}

// isKnown reports whether a row says that the account signed in from the
// address. It asks each time, so that who guesses learns nothing from the time
// that takes.
func (s *Service) isKnown(ctx context.Context, pair key) (bool, error) {
	row, err := s.store.Throttle(ctx, idOf(model.ThrottleKnown, pair))
	if errors.Is(err, model.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a known address: %w", err)
	}
	return row.Until.After(s.now()), nil
}

// ticket says what the attempt is known by: its device at its address before
// its device alone, because a Client-Id is no secret, and whoever sends it from
// elsewhere must not use up the owner's budget.
func (s *Service) ticket(a Attempt, pair key, stored bool) *Ticket {
	now := s.instant()
	t := &Ticket{service: s, at: now, pair: pair, account: a.AccountKey, signIn: true}
	t.source, t.known = pair, stored || s.known.get(pair) > now
	if !a.Known || a.Device == "" {
		return t
	}
	place := s.device(a.Device)
	if t.known {
		place = s.deviceAt(a.Device, pair.place)
	}
	t.source, t.known = key{pair.who, place}, true
	return t
}

// Codes counts a second-factor code as a wrong one before it is looked at. It
// fails as Begin does. A right code takes back itself, and makes its own
// address's budget whole again; the account's stays: who has the password may
// not guess on because the owner signs in now and then.
func (s *Service) Codes(ctx context.Context, accountKey, address string) (*Ticket, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, storeWait, model.ErrUnavailable)
	defer cancel()
	place, _ := s.address(address)
	t := &Ticket{service: s, at: s.instant(), account: accountKey}
	t.pair = key{who: s.who(Attempt{AccountKey: accountKey}), place: place}
	t.source = t.pair
	wait := t.charge(s.sourceCodes, t.source)
	if wait == 0 {
		if wait = t.charge(s.codes, key{who: t.pair.who}); wait > 0 {
			t.refund(t.at)
		}
	}
	if wait > 0 {
		return nil, ErrThrottled.After(time.Duration(wait))
	}
	return s.stored(ctx, t)
}

// storeWait is how long an attempt waits for others and for being stored: the
// store's own patience with one write. Only a store that is away takes as long.
const storeWait = 10 * time.Second

// stored returns the ticket when its charges are. It is cancelled if they
// cannot be.
func (s *Service) stored(ctx context.Context, t *Ticket) (*Ticket, error) {
	err := s.journal.Commit(ctx, t.entries()...)
	if err == nil {
		return t, nil
	}
	t.Cancel()
	if errors.Is(err, journal.ErrFull) || ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", model.ErrUnavailable, err)
	}
	return nil, fmt.Errorf("store attempt: %w", err)
}

// Keys is how many entries are held, for a gauge: at most ten times
// Config.MaxKeys.
func (s *Service) Keys() int {
	n := s.failures.size() + s.lifts.size() + s.reports.size() + s.known.size()
	for _, t := range s.counters() {
		n += t.size()
	}
	return n
}

// counters are the tables that count, all of which are stored.
func (s *Service) counters() []*table {
	return []*table{s.addresses, s.accounts, s.sources, s.codes, s.sourceCodes, s.apiKeys}
}

func (s *Service) instant() int64 { return int64(s.now().Sub(s.start)) }
