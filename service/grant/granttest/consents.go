package granttest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"latchkey/model"
)

// Consent is grant.Store's.
func (s *Store) Consent(ctx context.Context, accountKey, clientID string) (model.GrantConsent, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return model.GrantConsent{}, err
	}
	defer leave()
	c, ok := s.consents[[2]string{accountKey, clientID}]
	if !ok {
		return c, model.ErrNotFound
	}
	return c, nil
}

// AddConsent is grant.Store's.
func (s *Store) AddConsent(ctx context.Context, c model.GrantConsent) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if _, ok := s.accounts[c.AccountKey]; !ok {
		return model.ErrStale
	}
	key := [2]string{c.AccountKey, c.ClientID}
	c.Scopes = model.UnionScopes(s.consents[key].Scopes, c.Scopes)
	s.consents[key] = c
	return nil
}

// Consents is grant.Store's.
func (s *Store) Consents(ctx context.Context, accountKey string) ([]model.GrantConsent, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var list []model.GrantConsent
	for _, c := range s.consents {
		if c.AccountKey == accountKey {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b model.GrantConsent) int { return strings.Compare(a.ClientID, b.ClientID) })
	return list, nil
}

// Withdraw is grant.Store's.
func (s *Store) Withdraw(ctx context.Context, accountKey, clientID string, at model.Time) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	before := len(s.consents) + len(s.codes) + len(s.devices)
	maps.DeleteFunc(s.consents, func(_ [2]string, c model.GrantConsent) bool {
		return c.AccountKey == accountKey && c.ClientID == clientID
	})
	maps.DeleteFunc(s.codes, func(_ string, c model.GrantCode) bool {
		return c.AccountKey == accountKey && c.ClientID == clientID && c.UsedAt.IsZero()
	})
	maps.DeleteFunc(s.devices, func(_ string, c model.DeviceCode) bool {
		return c.AccountKey == accountKey && c.ClientID == clientID && c.State == model.DeviceApproved
	})
	gone := before - len(s.consents) - len(s.codes) - len(s.devices)
	ended := s.end(func(l model.Login) bool {
		g, ok := s.grants[l.ID]
		return ok && g.AccountKey == accountKey && g.ClientID == clientID
	}, model.EndRevoked, at)
	if int64(gone)+ended == 0 {
		return 0, model.ErrNotFound
	}
	return ended, nil
}

// EndClient is grant.Store's.
func (s *Store) EndClient(ctx context.Context, clientID string, at model.Time) ([]string, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	maps.DeleteFunc(s.consents, func(_ [2]string, c model.GrantConsent) bool { return c.ClientID == clientID })
	maps.DeleteFunc(s.codes, func(_ string, c model.GrantCode) bool { return c.ClientID == clientID && c.UsedAt.IsZero() })
	maps.DeleteFunc(s.devices, func(_ string, c model.DeviceCode) bool { return c.ClientID == clientID })
	var accounts []string
	s.end(func(l model.Login) bool {
		g, ok := s.grants[l.ID]
		if !ok || g.ClientID != clientID {
			return false
		}
		accounts = append(accounts, l.AccountKey)
		return true
	}, model.EndRevoked, at)
	slices.Sort(accounts)
	return slices.Compact(accounts), nil
}

// DropSuccessors is grant.Store's.
func (s *Store) DropSuccessors(ctx context.Context, before model.Time, atMost int) (bool, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return true, err
	}
	defer leave()
	left, dropped := false, 0
	for hash, t := range s.tokens {
		switch {
		case t.Successor == "":
		case t.RotatedAt.Before(before.Time) && dropped < atMost:
			dropped++
			t.Successor = ""
			s.tokens[hash] = t
		default:
			left = true
		}
	}
	return left, nil
}

// Clean is grant.Store's.
func (s *Store) Clean(ctx context.Context, c model.GrantCleaning) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	before := len(s.codes) + len(s.grants) + len(s.tokens) + len(s.devices)
	some(s.codes, c.AtMost, func(code model.GrantCode) bool {
		return code.ExpiresAt.Before(c.ExpiredAt.Time) && !s.isLive(code.LoginID, c.Now)
	})
	some(s.grants, c.AtMost, func(g model.Grant) bool {
		l := s.logins[g.LoginID]
		return !l.EndedAt.IsZero() && l.EndedAt.Before(c.ExpiredAt.Time)
	})
	some(s.tokens, c.AtMost, func(t model.GrantToken) bool { return t.ExpiresAt.Before(c.ExpiredAt.Time) })
	some(s.devices, c.AtMost, func(d model.DeviceCode) bool { return d.ExpiresAt.Before(c.ExpiredAt.Time) })
	gone := before - len(s.codes) - len(s.grants) - len(s.tokens) - len(s.devices)
	maps.DeleteFunc(s.tokens, func(_ string, t model.GrantToken) bool { _, ok := s.grants[t.LoginID]; return !ok })
	return int64(gone), nil
}

// some deletes at most so many of the rows.
func some[T any](rows map[string]T, atMost int, which func(T) bool) {
	for key, row := range rows {
		if atMost > 0 && which(row) {
			delete(rows, key)
			atMost--
		}
	}
}
