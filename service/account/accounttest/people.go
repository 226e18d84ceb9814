package accounttest

import (
	"context"
	"slices"

	"latchkey/model"
)

// AccountByID is account.Store's.
func (s *Store) AccountByID(_ context.Context, id int64) (model.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.ID == id {
			return copyAccount(a), nil
		}
	}
	return model.Account{}, model.ErrNotFound
}

// AccountPage is account.Store's.
func (s *Store) AccountPage(_ context.Context, offset, limit int) ([]model.Account, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]model.Account, 0, len(s.accounts))
	for _, a := range s.accounts {
		all = append(all, copyAccount(a))
	}
	slices.SortFunc(all, func(a, b model.Account) int { return int(a.ID - b.ID) })
	return window(all, offset, limit), int64(len(all)), nil
}

func window[T any](all []T, offset, limit int) []T {
	offset = min(offset, len(all))
	return all[offset:min(offset+limit, len(all))]
}

// Role is account.Store's.
func (s *Store) Role(_ context.Context, id int64) (model.Role, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.roles[id]
	if !ok {
		return r, model.ErrNotFound
	}
	return copyRole(r), nil
}

// RolePage is account.Store's.
func (s *Store) RolePage(_ context.Context, offset, limit int) ([]model.Role, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]model.Role, 0, len(s.roles))
	for _, r := range s.roles {
		all = append(all, copyRole(r))
	}
	slices.SortFunc(all, func(a, b model.Role) int { return int(a.ID - b.ID) })
	return window(all, offset, limit), int64(len(all)), nil
}

// CreateRole is account.Store's.
func (s *Store) CreateRole(_ context.Context, r model.Role) (model.Role, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.ID == 0 {
		for id := range s.roles {
			s.lastRole = max(s.lastRole, id)
		}
		r.ID = s.lastRole + 1
	}
	if _, there := s.roles[r.ID]; there || s.roleNamed(r.Name, r.ID) {
		return model.Role{}, model.ErrConflict
	}
	s.lastRole = max(s.lastRole, r.ID)
	s.roles[r.ID] = copyRole(r)
	return copyRole(r), nil
}

// roleNamed reports whether a role other than the one with the id has the name.
func (s *Store) roleNamed(name string, id int64) bool {
	for _, r := range s.roles {
		if r.Name == name && r.ID != id {
			return true
		}
	}
	return false
}

// EditRole is account.Store's.
func (s *Store) EditRole(_ context.Context, id int64, e model.RoleEdit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.roles[id]
	if !ok {
		return model.ErrNotFound
	}
	put(&r.Name, e.Name)
	put(&r.Description, e.Description)
	put(&r.Scopes, e.Scopes)
	put(&r.RequireTwoFactor, e.RequireTwoFactor)
	if s.roleNamed(r.Name, id) {
		return model.ErrConflict
	}
	s.roles[id] = copyRole(r)
	return nil
}

// DeleteRole is account.Store's.
func (s *Store) DeleteRole(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if slices.Contains(a.Roles, id) {
			return model.ErrLimit
		}
	}
	if _, ok := s.roles[id]; !ok {
		return model.ErrNotFound
	}
	delete(s.roles, id)
	return nil
}
