package oauth

import (
	"context"
	"errors"
	"strings"
	"time"

	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/grant"
)

// DeviceGrant is the grant type of RFC 8628 §3.4.
const DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// DeviceStart begins a device authorization for an app that proved who it is
// (RFC 8628 §3.1). It fails with client.ErrScope, ErrTarget or grant.ErrBusy.
func (s *Service) DeviceStart(ctx context.Context, p ClientProof, scope, resource string) (grant.DeviceAnswer, error) {
	c, err := s.authenticate(ctx, p)
	if err != nil {
		return grant.DeviceAnswer{}, err
	}
	scopes, err := s.Clients.CheckScopes(c, strings.Fields(scope))
	if err != nil {
		return grant.DeviceAnswer{}, err
	}
	if !isResource(resource) {
		return grant.DeviceAnswer{}, ErrTarget
	}
	return s.Grants.StartDevice(ctx, grant.DeviceStart{ClientID: c.ID, Scopes: scopes, Resource: resource, Address: p.Address})
}

// DeviceAsk is what the device that shows this code asks for, however people
// type it. It fails with grant.ErrUserCode or grant.ErrGuesses.
func (s *Service) DeviceAsk(ctx context.Context, by access.Caller, userCode string) (Question, error) {
	d, err := s.Grants.DeviceRequest(ctx, by, userCode)
	if err != nil {
		return Question{}, err
	}
	c, err := s.Clients.Get(ctx, d.ClientID)
	if errors.Is(err, client.ErrUnknown) || errors.Is(err, client.ErrDisabled) {
		return Question{}, grant.ErrUserCode
	}
	if err != nil {
		return Question{}, err
	}
	texts, err := s.Clients.Describe(ctx, d.Scopes)
	if err != nil {
		return Question{}, err
	}
	return Question{
		App: appOf(c), UserCode: d.UserCode, Scopes: d.Scopes, Texts: texts, Grants: lifeOf(c, d.Scopes),
		Address: d.Address, Since: d.Since,
	}, nil
}

// DeviceDecide answers the device, once. It fails as DeviceAsk and Approve do;
// what is not the owner's to give is access.ErrScope, and access.ErrNotFresh where
// NeedsProof holds. A yes is not remembered:
// who shows the next code may be another device.
func (s *Service) DeviceDecide(ctx context.Context, by access.Caller, userCode string, approve bool) error {
	if err := mayApprove(by); err != nil {
		return err
	}
	if approve {
		q, err := s.DeviceAsk(ctx, by, userCode)
		if err != nil {
			return err
		}
		if wantsAdmin(q.Scopes) && !by.Account.IsAdmin() {
			return access.ErrScope.WithText("Only an admin can give what the app asks for")
		}
		if s.NeedsProof(by, q.Scopes) {
			return access.ErrNotFresh
		}
	}
	return s.Grants.DecideDevice(ctx, by, grant.DeviceDecision{
		UserCode: userCode, Approve: approve, AuthTime: by.FreshAt, AMR: methodsOf(by),
	})
}

// PollEvery is how long a device waits between two polls, if nobody said more.
const PollEvery = 5 * time.Second
