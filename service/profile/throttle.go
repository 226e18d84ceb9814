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
// its owner can sign in from anywhere again (ruling 26). A caller who is not
// fresh lifts what unknown sources did and nothing else: whoever holds a stolen
// token could guess for ever with it, and with a stolen key without end. It fails
// with ErrGuest, ErrNoDevice, access.ErrFirstParty, throttle.ErrThrottled or model.ErrUnavailable.
func (s *Service) LiftThrottle(ctx context.Context, by access.Caller) error {
	switch {
	case by.Account.IsGuest():
		return ErrGuest
	case by.IsDelegated():
		return access.ErrFirstParty
	case by.Kind != access.SessionToken:
		return ErrNoDevice
	}
	lift := s.Throttle.LiftUnknown
	if by.IsFresh(s.Now()) {
		lift = s.Throttle.LiftOwn
	}
	if err := lift(ctx, by.Account.Key); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Event{Kind: audit.ThrottleLifted, AccountKey: by.Account.Key})
}
