package granttest

import (
	"cmp"
	"context"
	"slices"

	"latchkey/model"
)

// AddCode is grant.Store's.
func (s *Store) AddCode(ctx context.Context, c model.GrantCode, keep int) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, ok := s.accounts[c.AccountKey]; !ok {
		return model.ErrStale
	}
	s.codes[c.Hash] = c
	var unused []model.GrantCode
	for _, other := range s.codes {
		if other.AccountKey == c.AccountKey && other.UsedAt.IsZero() {
			unused = append(unused, other)
		}
	}
	slices.SortFunc(unused, func(a, b model.GrantCode) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt.Time), cmp.Compare(a.Hash, b.Hash))
	})
	for _, old := range unused[min(len(unused), keep):] {
		delete(s.codes, old.Hash)
	}
	return nil
}

// Code is grant.Store's.
func (s *Store) Code(ctx context.Context, hash string) (model.GrantCode, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return model.GrantCode{}, err
	}
	defer leave()
	c, ok := s.codes[hash]
	if !ok {
		return c, model.ErrNotFound
	}
	return c, nil
}

// BurnCode is grant.Store's.
func (s *Store) BurnCode(ctx context.Context, hash string, at model.Time) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if c, ok := s.codes[hash]; ok && c.UsedAt.IsZero() {
		c.UsedAt = at
		s.codes[hash] = c
	}
	return nil
}

// Redeem is grant.Store's.
func (s *Store) Redeem(ctx context.Context, codeHash string, o model.GrantOpening) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	at := o.Opening.Login.CreatedAt
	c, ok := s.codes[codeHash]
	switch {
	case !ok:
		return 0, model.ErrNotFound
	case !c.UsedAt.IsZero():
		return s.endFamily(c.LoginID, model.EndReused, at), model.ErrConflict
	case !c.ExpiresAt.After(at.Time):
		return 0, model.ErrNotFound
	}
	if err := s.openGrant(o); err != nil {
		return 0, err
	}
	c.UsedAt, c.LoginID = at, o.Grant.LoginID
	s.codes[codeHash] = c
	return 0, nil
}

// EndRedeemed is grant.Store's.
func (s *Store) EndRedeemed(ctx context.Context, codeHash string, at model.Time) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	c, ok := s.codes[codeHash]
	if !ok || c.UsedAt.IsZero() {
		return 0, model.ErrNotFound
	}
	return s.endFamily(c.LoginID, model.EndReused, at), nil
}

// openGrant opens the login of an app.
func (s *Store) openGrant(o model.GrantOpening) error {
	a, ok := s.accounts[o.Opening.Login.AccountKey]
	if !ok || a.Disabled || a.Epoch != o.Opening.Epoch || !s.apps[o.Grant.ClientID] {
		return model.ErrStale
	}
	s.logins[o.Opening.Login.ID] = o.Opening.Login
	s.addGrant(o.Grant, o.Tokens)
	return nil
}

func (s *Store) addGrant(g model.Grant, tokens []model.GrantToken) {
	s.grants[g.LoginID] = g
	for _, t := range tokens {
		s.tokens[t.Hash] = t
	}
}

// AddGrant is grant.Store's.
func (s *Store) AddGrant(ctx context.Context, g model.Grant, tokens []model.GrantToken, at model.Time) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if !s.isLive(g.LoginID, at) || s.logins[g.LoginID].AccountKey != g.AccountKey {
		return model.ErrStale
	}
	s.addGrant(g, tokens)
	return nil
}

// AddDeviceCode is grant.Store's.
func (s *Store) AddDeviceCode(ctx context.Context, c model.DeviceCode, limit model.DeviceCodeCap) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	all, own, taken := 0, 0, false
	for _, d := range s.devices {
		taken = taken || d.UserHash == c.UserHash || d.Hash == c.Hash
		if d.ExpiresAt.After(c.CreatedAt.Time) {
			all++
			if d.ClientID == c.ClientID {
				own++
			}
		}
	}
	switch {
	case all >= limit.All, own >= limit.Client:
		return model.ErrLimit
	case taken:
		return model.ErrConflict
	}
	s.devices[c.Hash] = c
	return nil
}

// DeviceCode is grant.Store's.
func (s *Store) DeviceCode(ctx context.Context, hash string) (model.DeviceCode, error) {
	return s.device(ctx, func(c model.DeviceCode) bool { return c.Hash == hash })
}

// DeviceCodeFor is grant.Store's.
func (s *Store) DeviceCodeFor(ctx context.Context, userHash string) (model.DeviceCode, error) {
	return s.device(ctx, func(c model.DeviceCode) bool { return c.UserHash == userHash })
}

func (s *Store) device(ctx context.Context, is func(model.DeviceCode) bool) (model.DeviceCode, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return model.DeviceCode{}, err
	}
	defer leave()
	for _, c := range s.devices {
		if is(c) {
			return c, nil
		}
	}
	return model.DeviceCode{}, model.ErrNotFound
}

// PollDeviceCode is grant.Store's.
func (s *Store) PollDeviceCode(ctx context.Context, was, becomes model.DeviceCode) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	c, ok := s.devices[was.Hash]
	if !ok || c.Interval != was.Interval || c.PolledAt != was.PolledAt {
		return model.ErrStale
	}
	c.Interval, c.PolledAt = becomes.Interval, becomes.PolledAt
	s.devices[c.Hash] = c
	return nil
}

// DecideDeviceCode is grant.Store's.
func (s *Store) DecideDeviceCode(ctx context.Context, d model.DeviceCode, at model.Time) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	a, ok := s.accounts[d.AccountKey]
	if !ok || a.Disabled || a.Epoch != d.Epoch {
		return model.ErrStale
	}
	c, ok := s.devices[d.Hash]
	if !ok || c.State != model.DevicePending || !c.ExpiresAt.After(at.Time) {
		return model.ErrNotFound
	}
	c.State, c.AccountKey, c.DeviceKey, c.Epoch = d.State, d.AccountKey, d.DeviceKey, d.Epoch
	c.AuthTime, c.AMR = d.AuthTime, d.AMR
	s.devices[c.Hash] = c
	return nil
}

// RedeemDeviceCode is grant.Store's.
func (s *Store) RedeemDeviceCode(ctx context.Context, hash string, o model.GrantOpening) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	c, ok := s.devices[hash]
	if !ok || c.State != model.DeviceApproved || !c.ExpiresAt.After(o.Opening.Login.CreatedAt.Time) {
		return 0, model.ErrNotFound
	}
	if err := s.openGrant(o); err != nil {
		return 0, err
	}
	c.State = model.DeviceDone
	s.devices[hash] = c
	return 0, nil
}
