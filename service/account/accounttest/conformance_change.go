package accounttest

import (
	"fmt"
	"testing"
	"time"

	"latchkey/model"
)

func (h Harness) finds(t *testing.T, exact, folded, wantKey string) {
	t.Helper()
	a, err := h.Store.AccountByName(t.Context(), exact, folded)
	if wantKey == "" {
		want(t, fmt.Sprintf("AccountByName(%q, %q)", exact, folded), err, model.ErrNotFound)
		return
	}
	if err != nil || a.Key != wantKey {
		t.Errorf("AccountByName(%q, %q) = %q, %v, want %q", exact, folded, a.Key, err, wantKey)
	}
}

func exactBeforeFolded(t *testing.T, h Harness) {
	folded := h.create(t, named(1, "Bob", "bob", "bob"))
	h.finds(t, "bOB", "bob", folded.Key)
	exact := h.create(t, named(2, "bOB", "bob", "twin of bob"))
	h.finds(t, "bOB", "bob", exact.Key)
	h.finds(t, "Bob", "bob", folded.Key)
}

// foldedIfAlone has more twins than a store may look at in one go.
func foldedIfAlone(t *testing.T, h Harness) {
	names := []string{"eve", "Eve", "eVe", "evE", "EVe", "EvE", "eVE", "EVE"}
	keys := map[string]string{}
	for i, name := range names[:7] {
		keys[name] = h.create(t, named(i, name, "eve", name)).Key
		for spelling, key := range keys {
			h.finds(t, spelling, "eve", key)
		}
		lone := ""
		if i == 0 {
			lone = keys[name]
		}
		h.finds(t, names[7], "eve", lone)
	}
	h.finds(t, "mallory", "mallory", "")
}

func nameIsNoPattern(t *testing.T, h Harness) {
	h.create(t, sample(1))
	for _, name := range []string{"", "%", "_____", "name_", "name%", "name1' OR '1'='1", "NAME1", "name1 ", "name1\x00"} {
		h.finds(t, name, name, "")
	}
	odd := h.create(t, named(2, "a%' OR 1=1 --", "a%' or 1=1 --", "a%' or 1=1 --"))
	h.finds(t, odd.Username, odd.NameFolded, odd.Key)
}

func rolesInOrder(t *testing.T, h Harness) {
	roles, founding := founders()
	founding[0].Roles = model.IntList{2, 40, 1, 2}
	founding[1].Roles = model.IntList{}
	if ok, err := h.Store.Found(t.Context(), roles, founding); !ok || err != nil {
		t.Fatalf("Found = %v, %v", ok, err)
	}
	p := h.profile(t, founding[0].Key)
	same(t, "the role rows", p.RoleRows, []model.Role{roles[1], roles[0], roles[1]})
	same(t, "the role ids", p.Roles, model.IntList{2, 40, 1, 2})
	if p := h.profile(t, founding[1].Key); len(p.RoleRows) != 0 {
		t.Errorf("an account without roles has %v", p.RoleRows)
	}
	_, err := h.Store.Profile(t.Context(), "nobody")
	want(t, "Profile of nobody", err, model.ErrNotFound)
}

func saysTwoFactor(t *testing.T, h Harness) {
	with, without := h.create(t, sample(1)), h.create(t, sample(2))
	h.Attach(t, with.Key)
	if !h.profile(t, with.Key).TwoFactor || h.profile(t, without.Key).TwoFactor {
		t.Errorf("TwoFactor = %v and %v, want true and false", h.profile(t, with.Key).TwoFactor, h.profile(t, without.Key).TwoFactor)
	}
}

func firstWithRole(t *testing.T, h Harness) {
	for n, row := range map[int]struct {
		id       int64
		roles    model.IntList
		disabled bool
	}{
		1: {10, model.IntList{11, 21, 12}, false}, // none of 1, 2
		2: {20, model.IntList{1, 2}, true},
		3: {30, model.IntList{3, 2}, false},
		4: {25, model.IntList{2}, false},
		5: {5, model.IntList{}, false},
	} {
		a := sample(n)
		a.ID, a.Roles, a.Disabled = row.id, row.roles, row.disabled
		h.create(t, a)
	}
	first := func(role int64, wantKey string) {
		t.Helper()
		key, err := h.Store.FirstWithRole(t.Context(), role)
		if wantKey == "" {
			want(t, fmt.Sprintf("FirstWithRole(%d)", role), err, model.ErrNotFound)
		} else if err != nil || key != wantKey {
			t.Errorf("FirstWithRole(%d) = %q, %v, want %q", role, key, err, wantKey)
		}
	}
	first(1, "")
	first(2, sample(4).Key)
	first(21, sample(1).Key)
	want(t, "EditAccount", h.Store.EditAccount(t.Context(), sample(2).Key, model.AccountEdit{Disabled: new(false), At: at(0)}), nil)
	first(1, sample(2).Key)
	first(2, sample(2).Key)
	want(t, "DeleteAccount", h.Store.DeleteAccount(t.Context(), sample(2).Key), nil)
	first(1, "")
	first(2, sample(4).Key)
}

func changesWhatIsNamed(t *testing.T, h Harness) {
	a, other := h.create(t, sample(1)), h.create(t, sample(2))
	login := h.Attach(t, a.Key)
	epoch := h.profile(t, a.Key).Epoch
	a.Epoch = epoch // the second factor may have raised it
	change := func(c model.AccountEdit) {
		t.Helper()
		want(t, "EditAccount", h.Store.EditAccount(t.Context(), a.Key, c), nil)
		same(t, "the account", h.profile(t, a.Key).Account, a)
		same(t, "the other account", h.profile(t, other.Key).Account, other)
	}
	change(model.AccountEdit{At: at(1)})
	a.SSOID = "sso"
	change(model.AccountEdit{SSOID: &a.SSOID, At: at(2)})
	a.Username, a.NameFolded, a.NameKey, a.ProfileAt = "New", "new", "new", at(3)
	change(model.AccountEdit{Username: &a.Username, NameFolded: &a.NameFolded, NameKey: &a.NameKey, At: at(3)})
	a.Username, a.ProfileAt = "NEW", at(4) // only the case of its own name
	change(model.AccountEdit{Username: &a.Username, NameFolded: &a.NameFolded, NameKey: &a.NameKey, At: at(4)})
	a.SSOID = ""
	change(model.AccountEdit{SSOID: &a.SSOID, At: at(5)})
	h.ended(t, login, "")
	h.finds(t, sample(1).Username, sample(1).NameFolded, "")
}

func changesKnown(t *testing.T, h Harness) {
	h.create(t, sample(1))
	text := "x"
	for what, c := range map[string]model.AccountEdit{
		"nothing": {}, "name": {Username: &text, NameFolded: &text, NameKey: &text}, "password": {PasswordHash: &text, At: at(0)},
	} {
		want(t, "EditAccount of "+what, h.Store.EditAccount(t.Context(), "nobody", c), model.ErrNotFound)
	}
	want(t, "EditAccount", h.Store.EditAccount(t.Context(), "nobody", model.AccountEdit{Disabled: new(true), At: at(0)}), model.ErrNotFound)
	want(t, "EditAccount", h.Store.EditAccount(t.Context(), "nobody", model.AccountEdit{Disabled: new(false), At: at(0)}), model.ErrNotFound)
}

func refusesTakenChange(t *testing.T, h Harness) {
	a, other := h.create(t, sample(1)), h.create(t, sample(2))
	login := h.Attach(t, a.Key)
	before := h.profile(t, a.Key)
	hash, sso := "new hash", "new sso"
	for what, name := range map[string]string{"name": other.Username, "name key": "another spelling"} {
		c := model.AccountEdit{Username: &name, NameFolded: &name, NameKey: &other.NameKey, PasswordHash: &hash, SSOID: &sso, At: at(time.Hour)}
		if what == "name" {
			free := "free"
			c.NameKey = &free
		}
		want(t, "EditAccount to a taken "+what, h.Store.EditAccount(t.Context(), a.Key, c), model.ErrConflict)
	}
	same(t, "the profile", h.profile(t, a.Key), before)
	h.ended(t, login, "")
}

func changesNameOnce(t *testing.T, h Harness) {
	for i := range parallel {
		h.create(t, sample(i))
	}
	name := "wanted"
	once(t, model.ErrConflict, func(i int) error {
		c := model.AccountEdit{Username: &name, NameFolded: &name, NameKey: &name, At: at(0)}
		return h.Store.EditAccount(t.Context(), sample(i).Key, c)
	})
}

func passwordEndsLogins(t *testing.T, h Harness) {
	a, other := h.create(t, sample(1)), h.create(t, sample(2))
	login, foreign := h.Attach(t, a.Key), h.Attach(t, other.Key)
	before, otherBefore := h.profile(t, a.Key), h.profile(t, other.Key)
	hash := "new hash"
	err := h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{PasswordHash: &hash, At: at(time.Hour)})
	want(t, "EditAccount", err, nil)
	after := before
	after.PasswordHash, after.PasswordAt, after.Epoch = hash, at(time.Hour), before.Epoch+1
	same(t, "the profile", h.profile(t, a.Key), after)
	same(t, "the other profile", h.profile(t, other.Key), otherBefore)
	h.ended(t, login, model.EndPassword)
	h.ended(t, foreign, "")
}

func disablingEndsLogins(t *testing.T, h Harness) {
	a, other := h.create(t, sample(1)), h.create(t, sample(2))
	login, foreign := h.Attach(t, a.Key), h.Attach(t, other.Key)
	epoch := h.profile(t, a.Key).Epoch
	set := func(disabled bool) model.Profile {
		t.Helper()
		want(t, "EditAccount", h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{Disabled: &disabled, At: at(time.Hour)}), nil)
		p := h.profile(t, a.Key)
		if p.Disabled != disabled {
			t.Errorf("Disabled = %v, want %v", p.Disabled, disabled)
		}
		return p
	}
	if p := set(true); p.Epoch <= epoch {
		t.Errorf("the epoch is %d, want more than %d", p.Epoch, epoch)
	}
	h.ended(t, login, model.EndDisabled)
	h.ended(t, foreign, "")
	set(true)
	set(false)
	h.ended(t, login, model.EndDisabled)
	hash := "new hash"
	want(t, "EditAccount", h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{PasswordHash: &hash, At: at(2 * time.Hour)}), nil)
	h.ended(t, login, model.EndDisabled) // the first reason stays
}

// A caller may have been thrown out between the check of its credential and the
// change it asked for.
func changesOnlyForLiveLogin(t *testing.T, h Harness) {
	a, other := h.create(t, sample(1)), h.create(t, sample(2))
	login, foreign := h.Attach(t, a.Key), h.Attach(t, other.Key)
	hash := "new hash"
	by := func(login string) error {
		return h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{PasswordHash: &hash, ByLogin: login, At: at(time.Hour)})
	}
	before := h.profile(t, a.Key)
	want(t, "EditAccount by another's login", by(foreign), model.ErrStale)
	want(t, "EditAccount by no login there is", by("none"), model.ErrStale)
	same(t, "the profile", h.profile(t, a.Key), before)
	h.ended(t, login, "")
	want(t, "EditAccount by a live login", by(login), nil)
	want(t, "EditAccount by the login that this ended", by(login), model.ErrStale)
}
