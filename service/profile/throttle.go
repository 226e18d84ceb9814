package profile

import (
	"context"

	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/fault"
)

// ErrNoDevice says that only somebody who signed in can lift their own account:
// the static token is an admin's, and lifts by name.
var ErrNoDevice = fault.New(fault.Forbidden, "throttle_no_device", "Sign in to lift the limits of your account")

// LiftThrottle forgets what was counted against the caller's account, so that
// its owner can sign in from anywhere again. That needs a login that is at most
// 10 minutes old, or whoever holds a stolen token could guess for ever. It fails
// with ErrGuest, ErrNoDevice, access.ErrNotFresh, throttle.ErrThrottled or
// model.ErrUnavailable.
func (s *Service) LiftThrottle(ctx context.Context, by access.Caller) error {
	switch {
	case by.Account.IsGuest():
		return ErrGuest
	case by.Kind != access.SessionToken:
		return ErrNoDevice
	}
	if err := by.CheckFresh(s.Now()); err != nil {
		return err
	}
	if err := s.Throttle.LiftOwn(ctx, by.Account.Key); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Event{Kind: audit.ThrottleLifted, AccountKey: by.Account.Key})
}
