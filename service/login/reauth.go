package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/session"
	"latchkey/service/throttle"
)

// Reauthenticate makes the caller's login fresh and returns until when it is
// (security.md, step-up). It fails as Prove does.
func (s *Service) Reauthenticate(ctx context.Context, by access.Caller, p Proof) (time.Time, error) {
	var proven time.Time
	p.Fresh = false
	err := s.Prove(ctx, by, p, func(a model.Account) (err error) {
		proven, err = s.Sessions.Freshen(ctx, by, a.Epoch)
		if err == nil {
			s.Upgrade(ctx, a, p.static())
		}
		return err
	})
	if err != nil {
		return time.Time{}, err
	}
	return access.FreshUntil(proven), s.Audit.Record(ctx, audit.Event{
		Kind: audit.Reauthenticated, AccountKey: by.Account.Key, DeviceKey: by.DeviceKey,
		Detail: []slog.Attr{slog.String("login", by.LoginID)},
	})
}

// Prove has a signed-in caller show what a sign-in asks for, in the same order
// and under the same limits, and then does what that is needed for. Then gets
// the account that the proof was held against and must fail if its epoch is
// another by now. Prove fails with access.ErrNotFresh or access.ErrFirstParty for
// those who can never prove anything, as Ended does if the caller is no longer let in, with
// ErrCredentials, ErrMustChange, ErrCodeNeeded, totp.ErrWrongCode, throttle.ErrThrottled,
// password.ErrBusy or password.ErrTooLong, or as then does.
func (s *Service) Prove(ctx context.Context, by access.Caller, p Proof, then func(a model.Account) error) error {
	if err := by.CheckOwner(); err != nil {
		return err
	}
	if by.Kind != access.SessionToken || by.Account.IsGuest() {
		return access.ErrNotFresh
	}
	err := s.proveAs(ctx, by, p, then)
	if fault.Of(err).Kind == fault.Unauthenticated {
		if err = s.Ended(ctx, by); err == nil {
			err = ErrCredentials // the login lives, what was proven is past
		}
	}
	if err != nil {
		kind, reason, detail := refusal(err)
		s.Audit.Note(ctx, audit.Event{
			Kind: kind, AccountKey: by.Account.Key, DeviceKey: by.DeviceKey, Address: by.Address, Reason: reason,
			Detail: append(detail, slog.String("login", by.LoginID)),
		})
	}
	return err
}

func (s *Service) proveAs(ctx context.Context, by access.Caller, p Proof, then func(a model.Account) error) error {
	owner, err := s.owner(ctx, by)
	if err != nil {
		return err
	}
	return s.prove(ctx, Source(by), p, owner, func() error { return then(owner) })
}

// owner is the caller's account as the database has it. It fails as the account's
// tokens are refused.
func (s *Service) owner(ctx context.Context, by access.Caller) (model.Account, error) {
	p, err := s.Accounts.Profile(ctx, by.Account.Key)
	switch {
	case errors.Is(err, account.ErrUnknown):
		err = session.ErrInvalid
	case err != nil:
		err = fmt.Errorf("read account: %w", err)
	case p.Disabled:
		err = account.ErrDisabled
	}
	return p.Account, err
}

// Source is what an attempt of a signed-in caller is counted by. The device is
// known, or it would have no token: it has a budget of its own.
func Source(by access.Caller) throttle.Attempt {
	return throttle.Attempt{AccountKey: by.Account.Key, Address: by.Address, Device: by.DeviceKey, Known: by.DeviceKey != ""}
}

// Ended is why the caller is no longer let in, in the order of rulings 19, or
// nil if they are. It asks the database.
func (s *Service) Ended(ctx context.Context, by access.Caller) error {
	if _, err := s.owner(ctx, by); err != nil {
		return err
	}
	return s.Sessions.Standing(ctx, by.LoginID)
}
