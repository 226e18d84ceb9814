package throttle

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"latchkey/model"
)

// Full is a counter that refuses attempts now.
type Full struct {
	Kind         model.ThrottleKind
	AccountKey   string // empty for ThrottleAddress and ThrottleAPIKeys
	Address      string // for these two; IPv6 as its /64
	BlockedUntil time.Time
	Failures     int // that have not decayed
}

// listAtMost is how many counters of each kind are listed.
const listAtMost = 500

// List shows which accounts and addresses are refused now, and until when, the
// longest first within a kind and 500 of each at most. Names that nobody has
// are not shown: one may be somebody's password.
func (s *Service) List(ctx context.Context) ([]Full, error) {
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	now := s.now()
	list := []Full{}
	for _, t := range s.counters() {
		// With one failure less than it can hold a counter is not full.
		room := time.Duration(t.limit.full() - int64(t.limit.Every))
		rows, err := s.store.Throttles(ctx, model.ThrottleQuery{
			Kind: t.kind, After: model.At(now.Add(room)), Labelled: true, Limit: listAtMost,
		})
		if err != nil {
			return nil, fmt.Errorf("list throttle: %w", err)
		}
		for _, row := range rows {
			list = append(list, Full{
				Kind: t.kind, AccountKey: row.AccountKey, Address: row.Address, BlockedUntil: row.Until.Add(-room),
				Failures: min(t.limit.Burst, int((row.Until.Sub(now)+t.limit.Every-1)/t.limit.Every)),
			})
		}
	}
	return list, nil
}

// LiftAccount forgets the account's failures, from wherever they came, and its
// owner's lifts. When it returns nil, they do not come back with a restart.
func (s *Service) LiftAccount(ctx context.Context, accountKey string) error {
	who := s.who(Attempt{AccountKey: accountKey})
	s.lifts.forget(who)
	return s.liftAccount(ctx, who)
}

// LiftOwn is LiftAccount for the account's owner, who may do it a few times. It
// fails with ErrThrottled.
func (s *Service) LiftOwn(ctx context.Context, accountKey string) error {
	who, err := s.mayLift(accountKey)
	if err != nil {
		return err
	}
	return s.liftAccount(ctx, who)
}

// LiftUnknown forgets only what unknown sources failed at: for devices of the
// owner that proved nothing of late, whose own tries stay counted. It shares
// LiftOwn's budget and failure.
func (s *Service) LiftUnknown(ctx context.Context, accountKey string) error {
	who, err := s.mayLift(accountKey)
	if err != nil {
		return err
	}
	return s.lift(ctx, who, s.accounts)
}

func (s *Service) mayLift(accountKey string) (who int64, err error) {
	who = s.who(Attempt{AccountKey: accountKey})
	if _, wait := s.lifts.take(key{who: who}, s.instant()); wait > 0 {
		return 0, ErrThrottled.After(time.Duration(wait))
	}
	return who, nil
}

func (s *Service) liftAccount(ctx context.Context, who int64) error {
	s.failures.forget(who)
	return s.lift(ctx, who, s.accounts, s.sources, s.codes, s.sourceCodes)
}

// LiftAddress forgets the failures of the address, or of its /64, and returns
// how it is listed. It takes that form, too. It fails with ErrAddress.
func (s *Service) LiftAddress(ctx context.Context, address string) (string, error) {
	if p, err := netip.ParsePrefix(address); err == nil && p.Addr().Is6() && p.Bits() == prefixBits {
		address = p.Addr().String()
	}
	who, shown := s.address(address)
	if shown == noAddress && address != noAddress {
		return "", ErrAddress
	}
	return shown, s.lift(ctx, who, s.addresses, s.apiKeys)
}

// lift forgets in memory first: what is written behind it follows memory.
func (s *Service) lift(ctx context.Context, who int64, tables ...*table) error {
	l := &model.ThrottleLift{Who: who}
	for _, t := range tables {
		t.forget(who)
		l.Kinds = append(l.Kinds, t.kind)
	}
	if err := s.journal.Commit(ctx, entry{lift: l}); err != nil {
		return fmt.Errorf("lift throttle: %w", err)
	}
	return nil
}
