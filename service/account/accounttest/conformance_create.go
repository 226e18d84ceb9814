package accounttest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"latchkey/model"
)

func founders() ([]model.Role, []model.Account) {
	guest, admin := sample(1), sample(2)
	guest.ID, guest.Disabled, guest.Roles = 1, true, model.IntList{1}
	admin.ID, admin.Roles = 2, model.IntList{2}
	return []model.Role{
		{ID: 1, Name: "guest", Scopes: model.ScopeList{{Path: "/", Permission: 0}}},
		{ID: 2, Name: "admin", Description: "Administrator", Scopes: model.ScopeList{{Path: "/", Permission: 0xFFFF}}},
	}, []model.Account{guest, admin}
}

func (h Harness) empty(t *testing.T, want bool) {
	t.Helper()
	if got, err := h.Store.Empty(t.Context()); err != nil || got != want {
		t.Errorf("Empty = %v, %v, want %v", got, err, want)
	}
}

func (h Harness) found(t *testing.T, want bool) {
	t.Helper()
	roles, accounts := founders()
	if got, err := h.Store.Found(t.Context(), roles, accounts); err != nil || got != want {
		t.Errorf("Found = %v, %v, want %v", got, err, want)
	}
}

func foundsOnce(t *testing.T, h Harness) {
	h.empty(t, true)
	h.found(t, true)
	h.empty(t, false)
	h.found(t, false)
	roles, accounts := founders()
	for i, a := range accounts {
		same(t, "a founder", h.profile(t, a.Key), model.Profile{Account: a, RoleRows: roles[i : i+1]})
	}
	if made := h.create(t, sample(3)); made.ID != 3 {
		t.Errorf("the first account after the founders has id %d, want 3", made.ID)
	}
}

func foundsOnceInParallel(t *testing.T, h Harness) {
	var (
		founded atomic.Int64
		group   sync.WaitGroup
	)
	for range parallel {
		group.Go(func() {
			roles, accounts := founders()
			ok, err := h.Store.Found(t.Context(), roles, accounts)
			if err != nil {
				t.Errorf("Found = %v", err)
			}
			if ok {
				founded.Add(1)
			}
		})
	}
	group.Wait()
	if n := founded.Load(); n != 1 {
		t.Errorf("%d of %d parallel starts founded, want 1", n, parallel)
	}
	h.empty(t, false)
}

func foundsOnlyEmpty(t *testing.T, h Harness) {
	h.create(t, sample(9))
	h.empty(t, false)
	h.found(t, false)
	_, err := h.Store.Profile(t.Context(), sample(1).Key)
	want(t, "Profile of a founder", err, model.ErrNotFound)
}

func foundsWhole(t *testing.T, h Harness) {
	roles, accounts := founders()
	accounts[1].Username = accounts[0].Username
	if ok, err := h.Store.Found(t.Context(), roles, accounts); err == nil || ok {
		t.Errorf("Found of two accounts with one name = %v, %v, want an error", ok, err)
	}
	h.empty(t, true)
	h.found(t, true)
}

func keepsEveryField(t *testing.T, h Harness) {
	limit, ttl := int64(0), int64(3600)
	a := model.Account{
		ID: 77, Key: "k", Username: "Ünï 'x' 🔑", NameFolded: "ünï", NameKey: "key", PasswordHash: "$argon2id$",
		PasswordAt: at(5), Epoch: 4, BasePath: "/ä", Roles: model.IntList{5, 2, 3}, Permission: 0xFFFF, Disabled: true,
		SSOID: "sso", MaxDevices: &limit, SessionTTL: &ttl, CreatedAt: at(0),
	}
	same(t, "what CreateAccount returned", h.create(t, a), a)
	same(t, "the account", h.profile(t, "k").Account, a)
	plain := h.create(t, sample(1))
	same(t, "an account without the rest", h.profile(t, plain.Key).Account, plain)
}

func neverReusesID(t *testing.T, h Harness) {
	one, two := h.create(t, sample(1)), h.create(t, sample(2))
	if one.ID <= 0 || two.ID <= one.ID {
		t.Errorf("ids %d and %d do not rise", one.ID, two.ID)
	}
	want(t, "DeleteAccount", h.Store.DeleteAccount(t.Context(), two.Key), nil)
	want(t, "DeleteAccount", h.Store.DeleteAccount(t.Context(), one.Key), nil)
	if three := h.create(t, sample(3)); three.ID <= two.ID {
		t.Errorf("a new account has id %d, want one above %d, which was used", three.ID, two.ID)
	}
}

func takesWishedID(t *testing.T, h Harness) {
	wish := sample(1)
	wish.ID = 500
	if made := h.create(t, wish); made.ID != 500 {
		t.Errorf("the wish was 500, the id is %d", made.ID)
	}
	if next := h.create(t, sample(2)); next.ID != 501 {
		t.Errorf("the next id is %d, want 501", next.ID)
	}
	low := sample(3)
	low.ID = 7
	if made := h.create(t, low); made.ID != 7 {
		t.Errorf("the wish was 7, the id is %d", made.ID)
	}
	if next := h.create(t, sample(4)); next.ID != 502 {
		t.Errorf("the next id is %d, want 502", next.ID)
	}
}

func refusesTaken(t *testing.T, h Harness) {
	there := h.create(t, sample(1))
	for what, change := range map[string]func(*model.Account){
		"name":     func(a *model.Account) { a.Username = there.Username },
		"name key": func(a *model.Account) { a.NameKey = there.NameKey },
		"id":       func(a *model.Account) { a.ID = there.ID },
		"key":      func(a *model.Account) { a.Key = there.Key },
	} {
		other := sample(2)
		change(&other)
		_, err := h.Store.CreateAccount(t.Context(), other)
		want(t, "CreateAccount with a taken "+what, err, model.ErrConflict)
	}
	same(t, "the account", h.profile(t, there.Key).Account, there)
	_, err := h.Store.AccountByName(t.Context(), sample(2).Username, sample(2).NameFolded)
	want(t, "AccountByName of the refused", err, model.ErrNotFound)
}

func createsNameOnce(t *testing.T, h Harness) {
	once(t, model.ErrConflict, func(i int) error {
		_, err := h.Store.CreateAccount(t.Context(), named(i, fmt.Sprint("Name", i), "name", "name"))
		return err
	})
}

func createsIDOnce(t *testing.T, h Harness) {
	once(t, model.ErrConflict, func(i int) error {
		a := sample(i)
		a.ID = 42
		_, err := h.Store.CreateAccount(t.Context(), a)
		return err
	})
}

func returnsCopies(t *testing.T, h Harness) {
	roles, accounts := founders()
	if ok, err := h.Store.Found(t.Context(), roles, accounts); !ok || err != nil {
		t.Fatalf("Found = %v, %v", ok, err)
	}
	key := accounts[1].Key
	roles[1].Scopes[0].Path, accounts[1].Roles[0] = "/changed", 99
	got := h.profile(t, key)
	got.Roles[0], got.RoleRows[0].Scopes[0].Path = 98, "/changed"
	byName, err := h.Store.AccountByName(t.Context(), accounts[1].Username, "")
	if err != nil {
		t.Fatalf("AccountByName = %v", err)
	}
	byName.Roles[0] = 97
	freshRoles, freshAccounts := founders()
	same(t, "the profile", h.profile(t, key), model.Profile{Account: freshAccounts[1], RoleRows: freshRoles[1:]})
}

func deletesOnce(t *testing.T, h Harness) {
	a := h.create(t, sample(1))
	once(t, model.ErrNotFound, func(int) error { return h.Store.DeleteAccount(t.Context(), a.Key) })
}

func deletesAll(t *testing.T, h Harness) {
	gone, stays := h.create(t, sample(1)), h.create(t, sample(2))
	h.Attach(t, gone.Key)
	login := h.Attach(t, stays.Key)
	attached := h.Attached(t, gone.Key)
	if attached == 0 || attached != h.Attached(t, stays.Key) {
		t.Fatalf("the harness attached %d and %d rows", attached, h.Attached(t, stays.Key))
	}
	want(t, "DeleteAccount", h.Store.DeleteAccount(t.Context(), gone.Key), nil)
	if n := h.Attached(t, gone.Key); n != 0 {
		t.Errorf("%d rows are left, want 0", n)
	}
	if n := h.Attached(t, stays.Key); n != attached {
		t.Errorf("the other account has %d rows left, want %d", n, attached)
	}
	h.ended(t, login, "")
	_, err := h.Store.Profile(t.Context(), gone.Key)
	want(t, "Profile", err, model.ErrNotFound)
	_, err = h.Store.AccountByName(t.Context(), gone.Username, gone.NameFolded)
	want(t, "AccountByName", err, model.ErrNotFound)
	want(t, "second DeleteAccount", h.Store.DeleteAccount(t.Context(), gone.Key), model.ErrNotFound)
	want(t, "DeleteAccount of nobody", h.Store.DeleteAccount(t.Context(), ""), model.ErrNotFound)
}

// inheritsNothing is S-12 for a wished id.
func inheritsNothing(t *testing.T, h Harness) {
	old := h.create(t, sample(1))
	h.Attach(t, old.Key)
	want(t, "DeleteAccount", h.Store.DeleteAccount(t.Context(), old.Key), nil)
	again := old
	again.Key, again.Epoch = sample(2).Key, 0
	made := h.create(t, again)
	if made.ID != old.ID {
		t.Errorf("the wished id is %d, want %d", made.ID, old.ID)
	}
	if n := h.Attached(t, made.Key); n != 0 {
		t.Errorf("the new account has %d rows, want 0", n)
	}
	same(t, "the new account", h.profile(t, made.Key), model.Profile{Account: again})
	if _, err := h.Store.Profile(t.Context(), old.Key); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Profile of the old key = %v, want %v", err, model.ErrNotFound)
	}
}
