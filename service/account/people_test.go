package account_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/revocation"
)

// with makes an account of that name with the roles.
func (f *fixture) with(t *testing.T, name string, roles ...int64) model.Account {
	t.Helper()
	a, err := f.Add(t.Context(), model.Account{Username: name, Roles: roles})
	if err != nil {
		t.Fatalf("Add(%q) = %v", name, err)
	}
	return a
}

// boss makes an account an admin.
func (f *fixture) boss(t *testing.T, name string) model.Account {
	t.Helper()
	a := f.with(t, name, account.RoleGeneral)
	if err := f.SetRoles(t.Context(), a, []int64{model.RoleAdmin, model.RoleAdmin}); err != nil {
		t.Fatalf("SetRoles(%q) = %v", name, err)
	}
	return f.byID(t, a.ID)
}

func (f *fixture) byID(t *testing.T, id int64) model.Account {
	t.Helper()
	a, err := f.ByID(t.Context(), id)
	if err != nil {
		t.Fatalf("ByID(%d) = %v", id, err)
	}
	return a
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func TestAddMakesWhatIsAskedFor(t *testing.T) {
	f := newFixture(t)
	limit := int64(2)
	f.notices = nil
	made, err := f.Add(t.Context(), model.Account{
		ID: 50, Key: "mine", Username: "Ann", NameFolded: "x", NameKey: "y", PasswordHash: "hash", BasePath: "a/../b/",
		Roles: model.IntList{3, 3}, Permission: 9, Disabled: true, SSOID: "s", MaxDevices: &limit,
	})
	if err != nil {
		t.Fatalf("Add = %v", err)
	}
	want := model.Account{
		ID: 50, Key: made.Key, Username: "Ann", NameFolded: "ann", NameKey: "ann", PasswordHash: "hash", PasswordAt: model.At(start), BasePath: "/b",
		Roles: model.IntList{3}, Permission: 9, Disabled: true, SSOID: "s", MaxDevices: &limit, CreatedAt: model.At(start),
	}
	if diff := cmp.Diff(want, f.byID(t, 50)); diff != "" {
		t.Errorf("the account differs (-want +got):\n%s", diff)
	}
	if made.Key == "mine" || len(made.Key) != 32 {
		t.Errorf("the key is %q, want one of its own", made.Key)
	}
	if diff := cmp.Diff([]revocation.Notice{{AccountKey: made.Key}}, f.notices); diff != "" || !strings.Contains(f.log.String(), "event=account_created ") {
		t.Errorf("notices (-want +got):\n%s\nlog: %s", diff, f.log)
	}
	if plain := f.with(t, "bob"); plain.ID != 51 || !plain.PasswordAt.IsZero() || plain.BasePath != "/" || len(plain.Roles) != 0 {
		t.Errorf("a plain account is %+v", plain)
	}
}

func TestAddRefuses(t *testing.T) {
	f := newFixture(t)
	f.with(t, "Ann", 3)
	for _, twin := range []string{"eve", "EVE"} { // as an import leaves them
		if _, err := f.store.CreateAccount(t.Context(), model.Account{Key: twin, Username: twin, NameFolded: "eve", NameKey: twin}); err != nil {
			t.Fatal(err)
		}
	}
	f.notices = nil
	for what, tt := range map[string]struct {
		a    model.Account
		want error
	}{
		"a taken name":               {model.Account{Username: "Ann"}, account.ErrNameTaken},
		"a taken name in other case": {model.Account{Username: "ANN"}, account.ErrNameTaken},
		"a taken name, a wished id":  {model.Account{ID: 50, Username: "ann"}, account.ErrNameTaken},
		"a taken id":                 {model.Account{ID: 3, Username: "new"}, account.ErrIDTaken},
		"both":                       {model.Account{ID: 3, Username: "ann"}, account.ErrNameTaken},
		"a twin's name":              {model.Account{ID: 50, Username: "eve"}, account.ErrNameTaken},
		"a name that is none":        {model.Account{Username: "a/b"}, account.ErrName},
		"an unknown role":            {model.Account{Username: "new", Roles: model.IntList{3, 99}}, account.ErrNoRole},
	} {
		if made, err := f.Add(t.Context(), tt.a); !errors.Is(err, tt.want) {
			t.Errorf("Add with %s = %+v, %v, want %v", what, made, err, tt.want)
		}
	}
	if len(f.notices) > 0 {
		t.Errorf("refusals sent %v", f.notices)
	}
}

func TestPageIsBounded(t *testing.T) {
	f := newFixture(t)
	for n := range 4 {
		f.with(t, fmt.Sprint("u", n))
	}
	for _, tt := range []struct {
		number, size int
		want         []int64
	}{
		{1, 0, []int64{1, 2, 3, 4, 5, 6}},
		{0, -1, []int64{1, 2, 3, 4, 5, 6}},
		{1, 1 << 40, []int64{1, 2, 3, 4, 5, 6}},
		{2, 4, []int64{5, 6}},
		{-7, 2, []int64{1, 2}},
		{3, 4, nil},
		{1_000_000, 1000, nil},
	} {
		rows, total, err := f.Page(t.Context(), tt.number, tt.size)
		var ids []int64
		for _, a := range rows {
			ids = append(ids, a.ID)
		}
		if diff := cmp.Diff(tt.want, ids); diff != "" || total != 6 || err != nil {
			t.Errorf("Page(%d, %d): total %d, %v (-want +got):\n%s", tt.number, tt.size, total, err, diff)
		}
		roles, total, err := f.Roles(t.Context(), tt.number, tt.size)
		if len(roles) > 3 || total != 3 || err != nil {
			t.Errorf("Roles(%d, %d) = %d of %d, %v", tt.number, tt.size, len(roles), total, err)
		}
	}
	if _, err := f.ByID(t.Context(), 77); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("ByID(77) = %v, want %v", err, account.ErrUnknown)
	}
}

func TestEditHoldsTheRulesOfRoles(t *testing.T) {
	f := newFixture(t)
	general, guest := f.with(t, "general", 3), f.byID(t, 1)
	admin, boss := f.byID(t, 2), f.boss(t, "boss")
	for _, tt := range []struct {
		what  string
		of    model.Account
		roles model.IntList
		want  error
	}{
		{"the same for an admin", boss, model.IntList{2}, nil},
		{"the same for admin", admin, model.IntList{2}, nil},
		{"the same for the guest", guest, model.IntList{1}, nil},
		{"more for admin", admin, model.IntList{2, 3}, account.ErrAdminRole},
		{"others for admin", admin, model.IntList{3}, account.ErrAdminRole},
		{"none for admin", admin, model.IntList{}, account.ErrAdminRole},
		{"more for an admin", boss, model.IntList{2, 3}, account.ErrReservedRole},
		{"an admin's for somebody", general, model.IntList{3, 2}, account.ErrReservedRole},
		{"a guest's for somebody", general, model.IntList{1}, account.ErrReservedRole},
		{"an unknown one", general, model.IntList{99}, account.ErrNoRole},
		{"none", general, model.IntList{}, nil},
		{"one twice", general, model.IntList{3, 3}, nil},
		{"an ordinary one for an admin", boss, model.IntList{3}, nil},
		{"the admin's again", f.byID(t, boss.ID), model.IntList{2}, nil}, // a form that was read before: not written
	} {
		wantErr(t, tt.what, f.Edit(t.Context(), tt.of, model.AccountEdit{Roles: &tt.roles}), tt.want)
	}
	for id, want := range map[int64]model.IntList{1: {1}, 2: {2}, general.ID: {3}, boss.ID: {3}} {
		if diff := cmp.Diff(want, f.byID(t, id).Roles); diff != "" {
			t.Errorf("roles of %d (-want +got):\n%s", id, diff)
		}
	}
}

func TestEditOfNames(t *testing.T) {
	f := newFixture(t)
	ann := f.with(t, "Ann", 3)
	odd, err := f.store.CreateAccount(t.Context(), model.Account{Key: "odd", Username: "a/b", NameFolded: "a/b", NameKey: "a/b as imported"})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old model.Account, name string) error {
		return f.Edit(t.Context(), old, model.AccountEdit{Username: &name, SSOID: new("s")})
	}
	wantErr(t, "the own name", edit(ann, "Ann"), nil)
	wantErr(t, "the own name in other case", edit(ann, "ANN"), nil)
	wantErr(t, "somebody's name", edit(ann, "Admin"), account.ErrNameTaken)
	wantErr(t, "a name that is none", edit(ann, "a/c"), account.ErrName)
	wantErr(t, "an imported name that stays", edit(odd, "a/b"), nil)
	if got := f.byID(t, odd.ID); got.NameKey != "a/b as imported" || got.SSOID != "s" {
		t.Errorf("the imported account is %+v", got)
	}
	if got := f.byID(t, ann.ID); got.Username != "ANN" || got.NameKey != "ann" {
		t.Errorf("the renamed account is %+v", got)
	}
	wantErr(t, "one that is gone", edit(model.Account{Key: "gone", Username: "x"}, "y"), account.ErrUnknown)
}

// A new address alone is one event, not an edit of nothing besides.
func TestEditOfTheAddressAloneIsOneEvent(t *testing.T) {
	f := newFixture(t)
	ann := f.with(t, "Ann", 3)
	f.log.Reset()
	wantErr(t, "Edit", f.Edit(t.Context(), ann, model.AccountEdit{Email: new("ann@example.org")}), nil)
	if log := f.log.String(); strings.Count(log, "event=") != 1 || !strings.Contains(log, "event=email_changed ") {
		t.Errorf("the log says %q", log)
	}
	f.log.Reset()
	wantErr(t, "Edit", f.Edit(t.Context(), ann, model.AccountEdit{Email: new("a@example.org"), BasePath: new("x/")}), nil)
	if log := f.log.String(); !strings.Contains(log, "event=email_changed ") || !strings.Contains(log, "changed=base_path") {
		t.Errorf("the log says %q", log)
	}
}

func TestEditTellsEverybody(t *testing.T) {
	f := newFixture(t)
	ann := f.with(t, "Ann", 3)
	f.snapshot(t, ann.Key)
	f.notices = nil
	f.log.Reset()
	wantErr(t, "Edit", f.Edit(t.Context(), ann, model.AccountEdit{BasePath: new("x/"), PasswordHash: new("top secret")}), nil)
	if diff := cmp.Diff([]revocation.Notice{{AccountKey: ann.Key}}, f.notices); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	if line := f.log.String(); !strings.Contains(line, "event=account_edited ") || !strings.Contains(line, `changed="password base_path"`) || strings.Contains(line, "secret") {
		t.Errorf("the log says %q", line)
	}
	if s := f.snapshot(t, ann.Key); s.BasePath != "/x" || s.Epoch != 1 {
		t.Errorf("the snapshot is %+v", s)
	}
	if at := f.byID(t, ann.ID).PasswordAt; at != model.At(start) {
		t.Errorf("the password is of %v, want %v", at, start)
	}
}

func TestOneAdminStays(t *testing.T) {
	f := newFixture(t)
	admin := f.byID(t, 2)
	f.notices = nil
	wantErr(t, "disabling", f.SetDisabled(t.Context(), admin.Key, true), account.ErrLastAdmin)
	wantErr(t, "deleting", f.Delete(t.Context(), admin.Key), account.ErrLastAdmin)
	wantErr(t, "removing", f.Remove(t.Context(), admin), account.ErrReserved)
	wantErr(t, "removing the guest", f.Remove(t.Context(), f.byID(t, 1)), account.ErrReserved)
	wantErr(t, "other roles", f.SetRoles(t.Context(), admin, []int64{3}), account.ErrLastAdmin)
	wantErr(t, "unknown roles", f.SetRoles(t.Context(), admin, []int64{2, 99}), account.ErrNoRole)
	wantErr(t, "editing", f.Edit(t.Context(), admin, model.AccountEdit{Disabled: new(true)}), account.ErrLastAdmin)
	if len(f.notices) > 0 {
		t.Errorf("refusals sent %v", f.notices)
	}
	boss := f.boss(t, "boss")
	wantErr(t, "other roles with another admin", f.SetRoles(t.Context(), admin, []int64{3}), nil)
	wantErr(t, "deleting who was an admin", f.Remove(t.Context(), f.byID(t, 2)), nil)
	wantErr(t, "the other admin", f.SetDisabled(t.Context(), boss.Key, true), account.ErrLastAdmin)
}

func TestForget(t *testing.T) {
	f := newFixture(t)
	f.notices = nil
	wantErr(t, "Forget", f.Forget(t.Context(), "ADMIN"), nil)
	wantErr(t, "Forget of nobody", f.Forget(t.Context(), "nobody"), account.ErrUnknown)
	if diff := cmp.Diff([]revocation.Notice{{AccountKey: f.key(t, "admin")}}, f.notices); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}
