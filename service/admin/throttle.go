package admin

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/audit"
)

// Throttled is an account or an address whose sign-ins are refused unseen.
type Throttled struct {
	Kind         model.ThrottleKind
	AccountID    int64  // 0 for an address
	Username     string // empty for an address
	Address      string // empty for all but an address; IPv6 as its /64
	BlockedUntil time.Time
	Failures     int // that still count
}

// Throttled lists whose sign-ins are refused now, and until when.
func (s *Service) Throttled(ctx context.Context) ([]Throttled, error) {
	full, err := s.Throttle.List(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Throttled, 0, len(full))
	for _, f := range full {
		row := Throttled{Kind: f.Kind, Address: f.Address, BlockedUntil: f.BlockedUntil, Failures: f.Failures}
		if f.AccountKey != "" {
			a, err := s.Accounts.Snapshot(ctx, f.AccountKey)
			if errors.Is(err, account.ErrUnknown) {
				continue // it was deleted meanwhile
			}
			if err != nil {
				return nil, err
			}
			row.AccountID, row.Username = a.ID, a.Username
		}
		list = append(list, row)
	}
	return list, nil
}

// LiftAccount forgets what was counted against the account that the name means.
// Their own account is no other than an owner's: it needs a fresh login. It fails
// with account.ErrUnknown, access.ErrNotFresh, access.ErrFirstParty or model.ErrUnavailable.
func (s *Service) LiftAccount(ctx context.Context, name string) error {
	a, err := s.Accounts.ForSignIn(ctx, name)
	if err != nil {
		return err
	}
	by := access.From(ctx)
	if by.IsDelegated() && account.HasReserved(a.Roles) {
		return access.ErrFirstParty // or a leaked key guesses an admin's password without end
	}
	if err := s.mayChange(by, a.Key); err != nil {
		return err
	}
	if err := s.Throttle.LiftAccount(ctx, a.Key); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Event{Kind: audit.ThrottleLifted, AccountKey: a.Key})
}

// LiftAddress forgets what was counted against an address, IPv6 against its
// /64. It fails with throttle.ErrAddress or model.ErrUnavailable.
func (s *Service) LiftAddress(ctx context.Context, address string) error {
	shown, err := s.Throttle.LiftAddress(ctx, address)
	if err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Event{Kind: audit.ThrottleLifted, Detail: []slog.Attr{slog.String("lifted_address", shown)}})
}
