package account_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/revocation"
)

func (f *fixture) addRole(t *testing.T, r model.Role) model.Role {
	t.Helper()
	made, err := f.AddRole(t.Context(), r)
	if err != nil {
		t.Fatalf("AddRole(%+v) = %v", r, err)
	}
	return made
}

func TestRolesAreCleaned(t *testing.T) {
	f := newFixture(t)
	made := f.addRole(t, model.Role{Name: "team", Scopes: model.ScopeList{{Path: "a/b/", Permission: 1}, {Path: "/../c//d/.", Permission: 2}, {Permission: 3}}})
	want := model.Role{ID: 4, Name: "team", Scopes: model.ScopeList{{Path: "/a/b", Permission: 1}, {Path: "/c/d", Permission: 2}, {Path: "/", Permission: 3}}}
	got, err := f.Role(t.Context(), made.ID)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Role: %v (-want +got):\n%s", err, diff)
	}
	wantErr(t, "EditRole", f.EditRole(t.Context(), 4, model.RoleEdit{Scopes: &model.ScopeList{{Path: "x/"}}}), nil)
	if got, _ := f.Role(t.Context(), 4); got.Scopes[0].Path != "/x" || got.Name != "team" {
		t.Errorf("the edited role is %+v", got)
	}
}

func TestRoleRules(t *testing.T) {
	f := newFixture(t)
	f.addRole(t, model.Role{ID: 9, Name: "team"})
	f.store.SetRole(model.Role{ID: 20, Name: "im/ported"})
	add := func(r model.Role) error {
		_, err := f.AddRole(t.Context(), r)
		return err
	}
	name := func(id int64, to string) error { return f.EditRole(t.Context(), id, model.RoleEdit{Name: &to}) }
	for what, tt := range map[string]struct{ got, want error }{
		"a taken name":                {add(model.Role{Name: "team"}), account.ErrRoleTaken},
		"a taken id":                  {add(model.Role{ID: 9, Name: "new"}), account.ErrIDTaken},
		"both":                        {add(model.Role{ID: 9, Name: "team"}), account.ErrRoleTaken},
		"no name":                     {add(model.Role{}), account.ErrRoleName},
		"a name with a slash":         {add(model.Role{Name: "a/b"}), account.ErrRoleName},
		"renaming to a taken name":    {name(9, "general"), account.ErrRoleTaken},
		"renaming to no name":         {name(9, ""), account.ErrRoleName},
		"an imported name that stays": {name(20, "im/ported"), nil},
		"the admin's":                 {f.EditRole(t.Context(), 2, model.RoleEdit{}), account.ErrRoleFixed},
		"the guest's name":            {name(1, "visitor"), nil},
		"nobody's":                    {name(77, "x"), account.ErrNoRole},
		"deleting nobody's":           {f.DeleteRole(t.Context(), 77), account.ErrNoRole},
		"deleting the admin's":        {f.DeleteRole(t.Context(), 2), account.ErrRoleFixed},
		"deleting the guest's":        {f.DeleteRole(t.Context(), 1), account.ErrRoleFixed},
	} {
		wantErr(t, what, tt.got, tt.want)
	}
	if guest, err := f.Role(t.Context(), 1); guest.Name != "guest" || err != nil {
		t.Errorf("the guest's role is %+v, %v", guest, err)
	}
	f.with(t, "ann", 9)
	wantErr(t, "deleting a role that is held", f.DeleteRole(t.Context(), 9), account.ErrRoleHeld)
	if _, err := f.Role(t.Context(), 77); err == nil || err.Error() != "failed get role: record not found" {
		t.Errorf("Role(77) = %v", err)
	}
}

// Whoever remembers an account reads it again: it may hold the role.
func TestRoleChangesAreFelt(t *testing.T) {
	f := newFixture(t)
	ann := f.with(t, "ann", 3)
	f.snapshot(t, ann.Key)
	f.notices = nil
	f.log.Reset()
	wantErr(t, "EditRole", f.EditRole(t.Context(), 3, model.RoleEdit{Name: new("people")}), nil)
	if diff := cmp.Diff([]revocation.Notice{{}}, f.notices); diff != "" || !strings.Contains(f.log.String(), "event=role_changed ") {
		t.Errorf("notices (-want +got):\n%s\nlog: %s", diff, f.log)
	}
	if s := f.snapshot(t, ann.Key); s.RoleNames[0] != "people" {
		t.Errorf("the snapshot has roles %v", s.RoleNames)
	}
}

// Of several roles one is enough, the admin's among them, and whoever remembers
// an account reads it again.
func TestRequiredTwoFactorIsFelt(t *testing.T) {
	f := newFixture(t)
	team := f.addRole(t, model.Role{Name: "team"})
	ann := f.with(t, "ann", 3, team.ID)
	for _, step := range []struct {
		role           int64
		required, want bool
	}{{team.ID, true, true}, {3, true, true}, {team.ID, false, true}, {3, false, false}, {model.RoleAdmin, true, false}} {
		f.snapshot(t, ann.Key)
		f.notices = nil
		f.log.Reset()
		wantErr(t, "RequireTwoFactor", f.RequireTwoFactor(t.Context(), step.role, step.required), nil)
		if s := f.snapshot(t, ann.Key); s.RequiresTwoFactor != step.want || s.MustEnrol() != step.want {
			t.Errorf("after %+v: required %t, to enrol %t", step, s.RequiresTwoFactor, s.MustEnrol())
		}
		line := f.log.String()
		if diff := cmp.Diff([]revocation.Notice{{}}, f.notices); diff != "" || !strings.Contains(line, "event=role_changed ") || !strings.Contains(line, "require_2fa=") {
			t.Errorf("after %+v: notices (-want +got):\n%s\nlog: %s", step, diff, line)
		}
		if r, err := f.Role(t.Context(), step.role); err != nil || r.RequireTwoFactor != step.required {
			t.Errorf("after %+v: the role is %+v, %v", step, r, err)
		}
	}
	f.store.Attach(ann.Key)
	wantErr(t, "RequireTwoFactor", f.RequireTwoFactor(t.Context(), 3, true), nil)
	if s := f.snapshot(t, ann.Key); !s.RequiresTwoFactor || s.MustEnrol() {
		t.Errorf("with a factor: required %t, to enrol %t", s.RequiresTwoFactor, s.MustEnrol())
	}
	wantErr(t, "RequireTwoFactor of nobody", f.RequireTwoFactor(t.Context(), 77, true), account.ErrNoRole)
}
