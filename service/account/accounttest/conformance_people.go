package accounttest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"latchkey/model"
)

func findsByID(t *testing.T, h Harness) {
	a := sample(1)
	a.ID = 40
	h.create(t, a)
	h.create(t, sample(2))
	got, err := h.Store.AccountByID(t.Context(), 40)
	want(t, "AccountByID(40)", err, nil)
	same(t, "the account", got, a)
	for _, id := range []int64{-1, 0, 1, 39, 42, 1<<63 - 1} {
		_, err := h.Store.AccountByID(t.Context(), id)
		want(t, fmt.Sprintf("AccountByID(%d)", id), err, model.ErrNotFound)
	}
}

// pages walks through a list of 5 whose ids are given by id.
func pages[T any](t *testing.T, list func(offset, limit int) ([]T, int64, error), id func(T) int64) {
	t.Helper()
	for _, tt := range []struct {
		offset, limit int
		want          []int64
	}{
		{0, 1000, []int64{3, 5, 7, 30, 31}}, {0, 2, []int64{3, 5}}, {2, 2, []int64{7, 30}}, {4, 2, []int64{31}}, {5, 2, []int64{}}, {1_000_000_000, 1000, []int64{}},
	} {
		rows, total, err := list(tt.offset, tt.limit)
		got := make([]int64, len(rows))
		for i, row := range rows {
			got[i] = id(row)
		}
		what := fmt.Sprintf("the page of %d from %d", tt.limit, tt.offset)
		want(t, what, err, nil)
		same(t, what, got, tt.want)
		same(t, "the total", total, 5)
	}
}

func pagesByID(t *testing.T, h Harness) {
	for i, id := range []int64{30, 7, 3, 31, 5} {
		a := sample(i)
		a.ID = id
		h.create(t, a)
	}
	pages(t, func(offset, limit int) ([]model.Account, int64, error) {
		return h.Store.AccountPage(t.Context(), offset, limit)
	}, func(a model.Account) int64 { return a.ID })
	rows, _, err := h.Store.AccountPage(t.Context(), 1, 1)
	want(t, "AccountPage", err, nil)
	a := sample(4)
	a.ID = 5
	same(t, "a listed account", rows, []model.Account{a})
}

func (h Harness) edit(t *testing.T, what string, n int, e model.AccountEdit, wanted error) {
	t.Helper()
	e.At = at(time.Hour)
	want(t, what, h.Store.EditAccount(t.Context(), sample(n).Key, e), wanted)
}

func (h Harness) role(t *testing.T, id int64) {
	t.Helper()
	if _, err := h.Store.CreateRole(t.Context(), model.Role{ID: id, Name: fmt.Sprintf("role%d", id)}); err != nil {
		t.Fatalf("CreateRole(%d) = %v", id, err)
	}
}

// editsEveryField changes one after the other; all else, credentials above all,
// stays as it is.
func editsEveryField(t *testing.T, h Harness) {
	h.role(t, 4)
	a := sample(1)
	limit, ttl := int64(2), int64(60)
	a.PasswordHash, a.PasswordAt, a.Epoch, a.Permission, a.SSOID = "hash", at(-time.Hour), 7, 9, "sso"
	a.MaxDevices, a.SessionTTL = &limit, &ttl
	a.ImportedAs, a.Passkeys = "7:name1", `[{"id":"x"}]`
	a, other := h.create(t, a), h.create(t, sample(2))
	login := h.Attach(t, a.Key)
	a.Epoch = h.profile(t, a.Key).Epoch
	edit := func(what string, e model.AccountEdit) {
		t.Helper()
		h.edit(t, what, 1, e, nil)
		p := h.profile(t, a.Key)
		same(t, "after "+what+", the account", p.Account, a)
		same(t, "after "+what+", the other", h.profile(t, other.Key).Account, other)
		if !p.TwoFactor {
			t.Errorf("%s took the second factor off", what)
		}
	}
	edit("nothing", model.AccountEdit{})
	a.BasePath = "/x"
	edit("a path", model.AccountEdit{BasePath: &a.BasePath})
	a.Permission = 0
	edit("no rights", model.AccountEdit{Permission: &a.Permission})
	a.Roles = model.IntList{4}
	edit("roles", model.AccountEdit{Roles: &a.Roles})
	a.Roles = model.IntList{}
	edit("no roles", model.AccountEdit{Roles: &a.Roles})
	var none *int64
	a.MaxDevices = nil
	edit("no limit of its own", model.AccountEdit{MaxDevices: &none})
	five := new(int64(5))
	a.MaxDevices, a.SessionTTL = five, nil
	edit("limits", model.AccountEdit{MaxDevices: &five, SessionTTL: &none})
	a.Disabled = false
	edit("enabling what is enabled", model.AccountEdit{Disabled: new(false)})
	h.ended(t, login, "")
	a.Disabled = true
	h.edit(t, "disabling", 1, model.AccountEdit{Disabled: new(true)}, nil)
	a.Epoch = h.profile(t, a.Key).Epoch
	same(t, "the disabled account", h.profile(t, a.Key).Account, a)
	h.ended(t, login, model.EndDisabled)
}

func editsKnownRoles(t *testing.T, h Harness) {
	h.role(t, 3)
	h.role(t, 4)
	h.create(t, sample(1))
	login := h.Attach(t, sample(1).Key)
	before := h.profile(t, sample(1).Key)
	for _, roles := range []model.IntList{{99}, {3, 99}, {99, 3}, {-3}, {0}, {34}} {
		h.edit(t, fmt.Sprintf("roles %v", roles), 1, model.AccountEdit{
			Roles: &roles, Permission: new(int64(1)), PasswordHash: new("new"), Disabled: new(true),
		}, model.ErrStale)
	}
	same(t, "the profile", h.profile(t, sample(1).Key), before)
	h.ended(t, login, "")
	h.edit(t, "known roles", 1, model.AccountEdit{Roles: &model.IntList{4, 3}}, nil)
	same(t, "the roles", h.profile(t, sample(1).Key).Roles, model.IntList{4, 3})
}

// oneAdminStays has an account with role 22 and a disabled admin, who do not
// count.
func oneAdminStays(t *testing.T, h Harness) {
	for _, id := range []int64{2, 3, 22} {
		h.role(t, id)
	}
	for n, roles := range map[int]model.IntList{1: {2}, 2: {3, 2}, 3: {22}, 4: {2}} {
		a := sample(n)
		a.Roles, a.Disabled = roles, n == 4
		h.create(t, a)
	}
	login := h.Attach(t, sample(1).Key)
	h.edit(t, "one of two, disabled", 2, model.AccountEdit{Disabled: new(true)}, nil)
	before := h.profile(t, sample(1).Key)
	h.edit(t, "the last one, disabled", 1, model.AccountEdit{Disabled: new(true), PasswordHash: new("new")}, model.ErrLimit)
	h.edit(t, "the last one, demoted", 1, model.AccountEdit{Roles: &model.IntList{3}, Permission: new(int64(1))}, model.ErrLimit)
	h.edit(t, "the last one, without roles", 1, model.AccountEdit{Roles: &model.IntList{}}, model.ErrLimit)
	h.edit(t, "the last one, with a like role", 1, model.AccountEdit{Roles: &model.IntList{22}}, model.ErrLimit)
	want(t, "the last one, deleted", h.Store.DeleteAccount(t.Context(), sample(1).Key), model.ErrLimit)
	same(t, "the last admin", h.profile(t, sample(1).Key), before)
	h.ended(t, login, "")
	h.edit(t, "the last one, otherwise", 1, model.AccountEdit{SSOID: new("x"), Roles: &model.IntList{3, 2}, Disabled: new(false)}, nil)
	want(t, "a disabled one, deleted", h.Store.DeleteAccount(t.Context(), sample(4).Key), nil)
	h.edit(t, "the other one, enabled", 2, model.AccountEdit{Disabled: new(false)}, nil)
	want(t, "one of two, deleted", h.Store.DeleteAccount(t.Context(), sample(1).Key), nil)
	want(t, "the last one, deleted", h.Store.DeleteAccount(t.Context(), sample(2).Key), model.ErrLimit)
}

// oneAdminStaysInParallel has every admin try to go, in one of three ways.
func oneAdminStaysInParallel(t *testing.T, h Harness) {
	h.role(t, 2)
	h.role(t, 3)
	for n := range parallel {
		a := sample(n)
		a.Roles = model.IntList{2}
		h.create(t, a)
	}
	var group sync.WaitGroup
	for n := range parallel {
		group.Go(func() {
			key := sample(n).Key
			var err error
			switch n % 3 {
			case 0:
				err = h.Store.EditAccount(t.Context(), key, model.AccountEdit{Disabled: new(true), At: at(0)})
			case 1:
				err = h.Store.EditAccount(t.Context(), key, model.AccountEdit{Roles: &model.IntList{3}, At: at(0)})
			default:
				err = h.Store.DeleteAccount(t.Context(), key)
			}
			if err != nil && !errors.Is(err, model.ErrLimit) {
				t.Errorf("a parallel change = %v, want nil or %v", err, model.ErrLimit)
			}
		})
	}
	group.Wait()
	left := 0
	rows, _, err := h.Store.AccountPage(t.Context(), 0, 100)
	want(t, "AccountPage", err, nil)
	for _, a := range rows {
		if !a.Disabled && len(a.Roles) == 1 && a.Roles[0] == model.RoleAdmin {
			left++
		}
	}
	if left != 1 {
		t.Errorf("%d enabled admins are left, want 1", left)
	}
}
