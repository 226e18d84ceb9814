// Package granttest owns a working store of grants in memory and the suite that
// every such store must pass. It must not know SQL.
package granttest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"latchkey/model"
	"latchkey/service/grant"
)

var _ grant.Store = (*Store)(nil)

// Store is a grant.Store in memory, with the accounts, apps and logins that it
// needs. It is safe for concurrent use. It bounds no devices: that is the
// sessions' suite's.
type Store struct {
	mu       sync.Mutex
	accounts map[string]model.Account
	apps     map[string]bool // in use
	logins   map[string]model.Login
	codes    map[string]model.GrantCode
	grants   map[string]model.Grant // by login
	tokens   map[string]model.GrantToken
	consents map[[2]string]model.GrantConsent // by account and app
	devices  map[string]model.DeviceCode
}

// New makes a store without accounts and apps.
func New() *Store {
	return &Store{
		accounts: map[string]model.Account{}, apps: map[string]bool{}, logins: map[string]model.Login{},
		codes: map[string]model.GrantCode{}, grants: map[string]model.Grant{}, tokens: map[string]model.GrantToken{},
		consents: map[[2]string]model.GrantConsent{}, devices: map[string]model.DeviceCode{},
	}
}

// AddAccount makes an account known.
func (s *Store) AddAccount(key string) model.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[key] = model.Account{Key: key}
	return s.accounts[key]
}

// EndAccount ends the account's logins and raises its epoch, as a change of
// password does, and may disable it.
func (s *Store) EndAccount(key string, disable bool, at model.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[key]
	a.Epoch, a.Disabled = a.Epoch+1, a.Disabled || disable
	s.accounts[key] = a
	s.end(func(l model.Login) bool { return l.AccountKey == key }, model.EndPassword, at)
}

// DeleteAccount deletes an account and all that hangs on it.
func (s *Store) DeleteAccount(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.accounts, key)
	maps.DeleteFunc(s.logins, func(_ string, l model.Login) bool { return l.AccountKey == key })
	maps.DeleteFunc(s.codes, func(_ string, c model.GrantCode) bool { return c.AccountKey == key })
	maps.DeleteFunc(s.grants, func(_ string, g model.Grant) bool { return g.AccountKey == key })
	maps.DeleteFunc(s.tokens, func(_ string, t model.GrantToken) bool { return t.AccountKey == key })
	maps.DeleteFunc(s.consents, func(_ [2]string, c model.GrantConsent) bool { return c.AccountKey == key })
}

// SetApp makes an app known, in use or switched off.
func (s *Store) SetApp(clientID string, inUse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[clientID] = inUse
}

// AddLogin makes a login known.
func (s *Store) AddLogin(l model.Login) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins[l.ID] = l
}

// Login finds a login; model.ErrNotFound.
func (s *Store) Login(_ context.Context, id string) (model.Login, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.logins[id]
	if !ok {
		return l, model.ErrNotFound
	}
	return l, nil
}

// EndLogin ends a login, as evicting its device does.
func (s *Store) EndLogin(id string, at model.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(func(l model.Login) bool { return l.ID == id }, model.EndEvicted, at)
}

// Tokens is how many rows of the kind a family has.
func (s *Store) Tokens(loginID string, kind model.GrantTokenKind) []model.GrantToken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of(loginID, kind)
}

func (s *Store) of(loginID string, kind model.GrantTokenKind) []model.GrantToken {
	var list []model.GrantToken
	for _, t := range s.tokens {
		if t.LoginID == loginID && t.Kind == kind {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b model.GrantToken) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt.Time), cmp.Compare(a.Hash, b.Hash))
	})
	return list
}

func (s *Store) end(which func(model.Login) bool, why model.EndReason, at model.Time) int64 {
	var n int64
	for id, l := range s.logins {
		if l.EndedAt.IsZero() && which(l) {
			l.EndedAt, l.EndReason = at, why
			s.logins[id] = l
			n++
		}
	}
	return n
}

func (s *Store) isLive(id string, at model.Time) bool {
	l, ok := s.logins[id]
	return ok && l.EndedAt.IsZero() && l.ExpiresAt.After(at.Time)
}

// enter begins a method: it takes the lock, or says that the caller went away.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", model.ErrUnavailable, err)
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}

// Token is grant.Store's.
func (s *Store) Token(ctx context.Context, hash string) (model.GrantView, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return model.GrantView{}, err
	}
	defer leave()
	t, ok := s.tokens[hash]
	l, there := s.logins[t.LoginID]
	if !ok || !there {
		return model.GrantView{}, model.ErrNotFound
	}
	return model.GrantView{
		GrantToken: t, Grant: s.grants[t.LoginID], DeviceKey: l.DeviceKey, EndReason: l.EndReason, LoginEnds: l.ExpiresAt,
	}, nil
}

// Rotate is grant.Store's.
func (s *Store) Rotate(ctx context.Context, r model.GrantRotation) (bool, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	t, ok := s.tokens[r.Hash]
	if !ok || t.Kind != model.RefreshToken || t.LoginID != r.LoginID || !t.RotatedAt.IsZero() || !t.ExpiresAt.After(r.At.Time) ||
		!s.isLive(r.LoginID, r.At) || r.ClientID != "" && !s.apps[r.ClientID] {
		return false, model.ErrStale
	}
	t.RotatedAt, t.Successor = r.At, r.Successor
	s.tokens[t.Hash] = t
	for _, next := range r.Tokens {
		s.tokens[next.Hash] = next
	}
	forgot := false
	access := s.of(r.LoginID, model.AccessToken)
	for _, old := range access[min(len(access), r.Keep.Access):] {
		forgot = forgot || old.ExpiresAt.After(r.At.Time)
		delete(s.tokens, old.Hash)
	}
	used := slices.DeleteFunc(s.of(r.LoginID, model.RefreshToken), func(t model.GrantToken) bool { return t.RotatedAt.IsZero() })
	for _, old := range used[min(len(used), r.Keep.Refresh):] {
		delete(s.tokens, old.Hash)
	}
	return forgot, nil
}

// EndFamily is grant.Store's.
func (s *Store) EndFamily(ctx context.Context, loginID string, why model.EndReason, at model.Time) (int64, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	return s.endFamily(loginID, why, at), nil
}

func (s *Store) endFamily(loginID string, why model.EndReason, at model.Time) int64 {
	for hash, t := range s.tokens {
		if t.LoginID == loginID {
			t.Successor = ""
			s.tokens[hash] = t
		}
	}
	return s.end(func(l model.Login) bool { return l.ID == loginID }, why, at)
}

// EndToken is grant.Store's.
func (s *Store) EndToken(ctx context.Context, hash string, at model.Time) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	switch t, ok := s.tokens[hash]; {
	case !ok || t.Kind != model.AccessToken:
	case len(s.of(t.LoginID, model.RefreshToken)) > 0:
		delete(s.tokens, hash)
	default:
		s.endFamily(t.LoginID, model.EndRevoked, at)
	}
	return nil
}
