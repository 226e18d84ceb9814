package accounttest

import (
	"fmt"
	"sync"
	"testing"

	"latchkey/model"
)

func (h Harness) makeRole(t *testing.T, r model.Role) model.Role {
	t.Helper()
	made, err := h.Store.CreateRole(t.Context(), r)
	if err != nil {
		t.Fatalf("CreateRole(%+v) = %v", r, err)
	}
	return made
}

func (h Harness) hasRole(t *testing.T, r model.Role) {
	t.Helper()
	got, err := h.Store.Role(t.Context(), r.ID)
	want(t, fmt.Sprintf("Role(%d)", r.ID), err, nil)
	same(t, "the role", got, r)
}

func createsRoles(t *testing.T, h Harness) {
	first := h.makeRole(t, model.Role{Name: "first", Description: "d", Scopes: model.ScopeList{{Path: "/a", Permission: 1<<31 - 1}, {Path: "/", Permission: 0}}})
	wished := h.makeRole(t, model.Role{ID: 40, Name: "wished", Scopes: model.ScopeList{}, RequireTwoFactor: true})
	next := h.makeRole(t, model.Role{Name: "next", Scopes: model.ScopeList{}})
	same(t, "the ids", []int64{first.ID, wished.ID, next.ID}, []int64{1, 40, 41})
	for _, r := range []model.Role{first, wished, next} {
		h.hasRole(t, r)
	}
	for what, r := range map[string]model.Role{"a taken name": {Name: "first"}, "a taken id": {ID: 40, Name: "new"}, "both": {ID: 1, Name: "first"}} {
		_, err := h.Store.CreateRole(t.Context(), r)
		want(t, "CreateRole with "+what, err, model.ErrConflict)
	}
	_, err := h.Store.Role(t.Context(), 42)
	want(t, "Role(42)", err, model.ErrNotFound)
	want(t, "DeleteRole", h.Store.DeleteRole(t.Context(), next.ID), nil)
	if again := h.makeRole(t, model.Role{Name: "next"}); again.ID != 42 {
		t.Errorf("the role after a deleted one has id %d, want 42", again.ID)
	}
}

func pagesRoles(t *testing.T, h Harness) {
	for _, id := range []int64{30, 7, 3, 31, 5} {
		h.role(t, id)
	}
	pages(t, func(offset, limit int) ([]model.Role, int64, error) {
		return h.Store.RolePage(t.Context(), offset, limit)
	}, func(r model.Role) int64 { return r.ID })
}

func editsRoles(t *testing.T, h Harness) {
	r := h.makeRole(t, model.Role{Name: "r", Description: "d", Scopes: model.ScopeList{{Path: "/", Permission: 1}}})
	other := h.makeRole(t, model.Role{Name: "other", Scopes: model.ScopeList{}})
	edit := func(e model.RoleEdit, wanted error) {
		t.Helper()
		want(t, "EditRole", h.Store.EditRole(t.Context(), r.ID, e), wanted)
		h.hasRole(t, r)
		h.hasRole(t, other)
	}
	edit(model.RoleEdit{}, nil)
	r.Description = ""
	edit(model.RoleEdit{Description: &r.Description}, nil)
	r.Scopes = model.ScopeList{{Path: "/b", Permission: 2}, {Path: "/c", Permission: 3}}
	edit(model.RoleEdit{Scopes: &r.Scopes}, nil)
	r.Scopes = model.ScopeList{}
	edit(model.RoleEdit{Scopes: &r.Scopes}, nil)
	r.Name = "R"
	edit(model.RoleEdit{Name: &r.Name}, nil)
	edit(model.RoleEdit{Name: &r.Name}, nil)
	r.RequireTwoFactor = true
	edit(model.RoleEdit{RequireTwoFactor: &r.RequireTwoFactor}, nil)
	edit(model.RoleEdit{Scopes: &r.Scopes}, nil)
	r.RequireTwoFactor = false
	edit(model.RoleEdit{RequireTwoFactor: &r.RequireTwoFactor}, nil)
	edit(model.RoleEdit{Name: &other.Name, Description: new("x")}, model.ErrConflict)
	for what, e := range map[string]model.RoleEdit{"nothing": {}, "name": {Name: new("x")}, "scopes": {Scopes: &model.ScopeList{}}, "a second factor": {RequireTwoFactor: new(true)}} {
		want(t, "EditRole of nobody: "+what, h.Store.EditRole(t.Context(), 77, e), model.ErrNotFound)
	}
}

// keepsRolesInUse has holders of roles whose ids look alike in a list.
func keepsRolesInUse(t *testing.T, h Harness) {
	for _, id := range []int64{1, 3, 13, 31, 33} {
		h.role(t, id)
	}
	one, many := sample(1), sample(2)
	one.Roles, one.Disabled = model.IntList{13}, true
	many.Roles = model.IntList{31, 33}
	h.create(t, one)
	h.create(t, many)
	for id, wanted := range map[int64]error{13: model.ErrLimit, 31: model.ErrLimit, 33: model.ErrLimit, 77: model.ErrNotFound} {
		want(t, fmt.Sprintf("DeleteRole(%d)", id), h.Store.DeleteRole(t.Context(), id), wanted)
	}
	for _, id := range []int64{1, 3} {
		want(t, fmt.Sprintf("DeleteRole(%d)", id), h.Store.DeleteRole(t.Context(), id), nil)
		want(t, fmt.Sprintf("DeleteRole(%d) again", id), h.Store.DeleteRole(t.Context(), id), model.ErrNotFound)
	}
	want(t, "DeleteAccount", h.Store.DeleteAccount(t.Context(), one.Key), nil)
	want(t, "DeleteRole(13) of nobody", h.Store.DeleteRole(t.Context(), 13), nil)
	same(t, "the roles", h.profile(t, many.Key).Roles, model.IntList{31, 33})
}

// keepsRolesInUseInParallel has a role given and deleted at once: either it is
// given and stays, or it goes and is not given.
func keepsRolesInUseInParallel(t *testing.T, h Harness) {
	h.create(t, sample(1))
	for id := int64(10); id < 10+parallel; id++ {
		h.role(t, id)
		var (
			group        sync.WaitGroup
			given, taken error
		)
		group.Go(func() {
			given = h.Store.EditAccount(t.Context(), sample(1).Key, model.AccountEdit{Roles: &model.IntList{id}, At: at(0)})
		})
		group.Go(func() { taken = h.Store.DeleteRole(t.Context(), id) })
		group.Wait()
		_, err := h.Store.Role(t.Context(), id)
		if given == nil {
			want(t, "DeleteRole of a role that was given", taken, model.ErrLimit)
			want(t, "Role that was given", err, nil)
			continue
		}
		want(t, "EditAccount to a role that went", given, model.ErrStale)
		want(t, "DeleteRole of a role that went", taken, nil)
		want(t, "Role that went", err, model.ErrNotFound)
	}
}

func createsRoleOnce(t *testing.T, h Harness) {
	once(t, model.ErrConflict, func(int) error {
		_, err := h.Store.CreateRole(t.Context(), model.Role{Name: "wanted"})
		return err
	})
}
