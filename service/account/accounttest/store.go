// Package accounttest owns what tests of accounts need: a working in-memory
// account.Store and the conformance suite every Store must pass. It is for
// tests only.
package accounttest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync"

	"latchkey/model"
)

// Store is a working account.Store in memory. It is safe for concurrent use.
type Store struct {
	mu       sync.Mutex
	roles    map[int64]model.Role
	accounts map[string]model.Account // by key
	factors  map[string]bool          // accounts with a second factor
	logins   map[string]model.Login
	lastID   int64
	lastRole int64
	made     int // logins ever
}

// New makes an empty store.
func New() *Store {
	return &Store{
		roles: map[int64]model.Role{}, accounts: map[string]model.Account{},
		factors: map[string]bool{}, logins: map[string]model.Login{},
	}
}

// Empty is account.Store's.
func (s *Store) Empty(context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.accounts) == 0, nil
}

// Found is account.Store's.
func (s *Store) Found(_ context.Context, roles []model.Role, accounts []model.Account) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.accounts) > 0 {
		return false, nil
	}
	for _, a := range accounts {
		if _, err := s.create(a); err != nil {
			clear(s.accounts)
			return false, err
		}
	}
	for _, r := range roles {
		s.roles[r.ID] = copyRole(r)
	}
	return true, nil
}

// SetRole adds or replaces a role.
func (s *Store) SetRole(r model.Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles[r.ID] = copyRole(r)
}

// CreateAccount is account.Store's.
func (s *Store) CreateAccount(_ context.Context, a model.Account) (model.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.create(a)
}

func (s *Store) create(a model.Account) (model.Account, error) {
	if a.ID == 0 {
		a.ID = s.lastID + 1
	}
	if s.taken(a) {
		return model.Account{}, model.ErrConflict
	}
	s.lastID = max(s.lastID, a.ID)
	s.accounts[a.Key] = copyAccount(a)
	return a, nil
}

// taken reports whether another row has a value of a's that must be unique.
func (s *Store) taken(a model.Account) bool {
	for _, b := range s.accounts {
		if b.ID == a.ID || b.Key == a.Key || b.Username == a.Username || b.NameKey == a.NameKey {
			return true
		}
	}
	return false
}

// AccountByName is account.Store's.
func (s *Store) AccountByName(_ context.Context, exact, folded string) (model.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var alike []model.Account
	for _, a := range s.accounts {
		if a.Username == exact {
			return copyAccount(a), nil
		}
		if a.NameFolded == folded {
			alike = append(alike, a)
		}
	}
	if len(alike) != 1 {
		return model.Account{}, model.ErrNotFound
	}
	return copyAccount(alike[0]), nil
}

// AccountByEmail is account.Store's.
func (s *Store) AccountByEmail(_ context.Context, addresses []string) (model.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []model.Account
	for _, a := range s.accounts {
		if a.EmailVerified && slices.Contains(addresses, a.Email) {
			found = append(found, a)
		}
	}
	if len(found) != 1 {
		return model.Account{}, model.ErrNotFound
	}
	return copyAccount(found[0]), nil
}

// Profile is account.Store's.
func (s *Store) Profile(_ context.Context, key string) (model.Profile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[key]
	if !ok {
		return model.Profile{}, model.ErrNotFound
	}
	p := model.Profile{Account: copyAccount(a), TwoFactor: s.factors[key]}
	for _, id := range a.Roles {
		if r, ok := s.roles[id]; ok {
			p.RoleRows = append(p.RoleRows, copyRole(r))
		}
	}
	return p, nil
}

// FirstWithRole is account.Store's.
func (s *Store) FirstWithRole(_ context.Context, role int64) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var holders []model.Account
	for _, a := range s.accounts {
		if !a.Disabled && slices.Contains(a.Roles, role) {
			holders = append(holders, a)
		}
	}
	if len(holders) == 0 {
		return "", model.ErrNotFound
	}
	return slices.MinFunc(holders, func(a, b model.Account) int { return cmp.Compare(a.ID, b.ID) }).Key, nil
}

// EditAccount is account.Store's.
func (s *Store) EditAccount(_ context.Context, key string, e model.AccountEdit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.accounts[key]
	if !ok {
		return model.ErrNotFound
	}
	if e.Epoch != nil && *e.Epoch != old.Epoch {
		return model.ErrStale
	}
	if l, there := s.logins[e.ByLogin]; e.ByLogin != "" && (!there || l.AccountKey != key || !l.EndedAt.IsZero()) {
		return model.ErrStale
	}
	a := edited(old, e)
	delete(s.accounts, key)
	if s.taken(a) {
		s.accounts[key] = old
		return model.ErrConflict
	}
	s.accounts[key] = a
	if err := s.allowed(old, a, e); err != nil {
		s.accounts[key] = old
		return err
	}
	switch {
	case e.PasswordHash != nil:
		s.endLogins(key, e.KeepLogin, model.EndPassword, e.At)
		if l := s.logins[e.KeepLogin]; l.AccountKey == key && l.EndedAt.IsZero() && !e.KeptFreshAt.IsZero() {
			l.FreshAt = e.KeptFreshAt
			s.logins[l.ID] = l
		}
	case e.Disabled != nil && *e.Disabled:
		s.endLogins(key, "", model.EndDisabled, e.At)
	case e.Email != nil && e.ByLogin != "":
		s.endLogins(key, e.ByLogin, model.EndEmail, e.At)
	}
	return nil
}

// allowed holds what a change must leave behind.
func (s *Store) allowed(old, a model.Account, e model.AccountEdit) error {
	if e.Roles != nil {
		for _, id := range a.Roles {
			if _, ok := s.roles[id]; !ok {
				return model.ErrStale
			}
		}
	}
	return s.adminLeft(old)
}

func (s *Store) adminLeft(old model.Account) error {
	isAdmin := func(a model.Account) bool { return !a.Disabled && slices.Contains(a.Roles, model.RoleAdmin) }
	if !isAdmin(old) {
		return nil
	}
	for _, a := range s.accounts {
		if isAdmin(a) {
			return nil
		}
	}
	return model.ErrLimit
}

func edited(a model.Account, e model.AccountEdit) model.Account {
	if e.Shows(a) {
		a.ProfileAt = e.At
	}
	if e.Username != nil {
		a.Username, a.NameFolded, a.NameKey = *e.Username, *e.NameFolded, *e.NameKey
	}
	if e.PasswordHash != nil {
		a.PasswordHash, a.PasswordAt, a.MustChangePassword = *e.PasswordHash, e.At, false
	}
	put(&a.BasePath, e.BasePath)
	put(&a.Roles, e.Roles)
	put(&a.Permission, e.Permission)
	put(&a.Disabled, e.Disabled)
	put(&a.SSOID, e.SSOID)
	put(&a.MaxDevices, e.MaxDevices)
	put(&a.SessionTTL, e.SessionTTL)
	put(&a.Email, e.Email)
	put(&a.EmailVerified, e.EmailVerified)
	return copyAccount(a)
}

func put[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// endLogins ends the account's logins except keep and raises its epoch.
func (s *Store) endLogins(key, keep string, why model.EndReason, at model.Time) {
	a := s.accounts[key]
	a.Epoch++
	s.accounts[key] = a
	for id, l := range s.logins {
		if l.AccountKey == key && id != keep && l.EndedAt.IsZero() {
			l.EndedAt, l.EndReason = at, why
			s.logins[id] = l
		}
	}
}

// DeleteAccount is account.Store's.
func (s *Store) DeleteAccount(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.accounts[key]
	if !ok {
		return model.ErrNotFound
	}
	delete(s.accounts, key)
	if err := s.adminLeft(old); err != nil {
		s.accounts[key] = old
		return err
	}
	delete(s.factors, key)
	for id, l := range s.logins {
		if l.AccountKey == key {
			delete(s.logins, id)
		}
	}
	return nil
}

// Attach gives the account a second factor and a live login, and returns the
// login's id.
func (s *Store) Attach(accountKey string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	id := "login-" + strconv.Itoa(s.made)
	s.factors[accountKey] = true
	s.logins[id] = model.Login{ID: id, AccountKey: accountKey}
	return id
}

// Attached is how many things hang on the account.
func (s *Store) Attached(accountKey string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	if s.factors[accountKey] {
		n++
	}
	for _, l := range s.logins {
		if l.AccountKey == accountKey {
			n++
		}
	}
	return n
}

// Login is a login that Attach made, live or ended.
func (s *Store) Login(id string) model.Login {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins[id]
}

// EndReason says why a login ended; empty while it is live.
func (s *Store) EndReason(loginID string) model.EndReason { return s.Login(loginID).EndReason }

func copyAccount(a model.Account) model.Account {
	a.Roles = slices.Clone(a.Roles)
	return a
}

func copyRole(r model.Role) model.Role {
	r.Scopes = slices.Clone(r.Scopes)
	return r
}
