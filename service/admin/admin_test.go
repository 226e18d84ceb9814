package admin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/account/accounttest"
	"latchkey/service/admin"
	"latchkey/service/audit"
	"latchkey/service/password"
	"latchkey/service/revocation"
	"latchkey/service/setting"
	"latchkey/service/setting/settingtest"
	"latchkey/service/throttle"
	"latchkey/service/throttle/throttletest"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

const good = "orchard lantern"

// fixture is a founded service on working fakes.
type fixture struct {
	*admin.Service

	store    *accounttest.Store
	settings *settingtest.Store
	factors  *totptest.Store
	log      *bytes.Buffer
	at       time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		store: accounttest.New(), settings: settingtest.New(), factors: totptest.New(), log: &bytes.Buffer{},
		at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	now := func() time.Time { return f.at }
	hub, rec := &revocation.Hub{}, audit.New(slog.New(slog.NewTextHandler(f.log, nil)))
	values, err := setting.New(t.Context(), f.settings, settingtest.NewSealer())
	if err != nil {
		t.Fatal(err)
	}
	cheap := password.Defaults()
	cheap.MemoryKiB = 64
	hasher, err := password.New(cheap)
	if err != nil {
		t.Fatal(err)
	}
	limits, err := throttle.New(throttle.Defaults(), throttle.Deps{
		Store: throttletest.New(), Key: []byte("0123456789abcdef0123456789abcdef"), Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	accounts := account.New(f.store, hub, rec, now, 100)
	if _, err := accounts.Found(t.Context(), "hash"); err != nil {
		t.Fatal(err)
	}
	f.Service = admin.New(admin.Deps{
		Accounts: accounts, Settings: values, Hasher: hasher, Throttle: limits, Audit: rec, Now: now,
		Factors: totp.New(f.factors, totptest.NewSealer(), hub, now, rec.Record),
	})
	return f
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func (f *fixture) named(t *testing.T, name string) model.Account {
	t.Helper()
	a, err := f.Accounts.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatalf("find %q: %v", name, err)
	}
	return a
}

func (f *fixture) role(t *testing.T, r model.Role, makeDefault bool) {
	t.Helper()
	if err := f.CreateRole(t.Context(), r, makeDefault); err != nil {
		t.Fatalf("CreateRole(%+v) = %v", r, err)
	}
}

func TestCreateAccount(t *testing.T) {
	f := newFixture(t)
	f.role(t, model.Role{ID: 7, Name: "team", Scopes: model.ScopeList{{Path: "/t"}}}, false)
	f.role(t, model.Role{ID: 8, Name: "bare"}, false)
	for what, tt := range map[string]struct {
		in    model.Account
		plain string
		roles model.IntList
		base  string
	}{
		"without roles":              {model.Account{}, good, model.IntList{3}, "/"},
		"with a role that has paths": {model.Account{Roles: model.IntList{8, 7, 3}, BasePath: "/x"}, good, model.IntList{8, 7, 3}, "/t"},
		"with a role that has none":  {model.Account{Roles: model.IntList{8}, BasePath: "x"}, good, model.IntList{8}, "/x"},
		"without a password":         {model.Account{}, "", model.IntList{3}, "/"},
	} {
		tt.in.Username = what
		_, err := f.CreateAccount(t.Context(), tt.in, tt.plain)
		wantErr(t, what, err, nil)
		a := f.named(t, what)
		if diff := cmp.Diff(tt.roles, a.Roles); diff != "" || a.BasePath != tt.base {
			t.Errorf("%s: base path %q, want %q; roles (-want +got):\n%s", what, a.BasePath, tt.base, diff)
		}
		if hashed := strings.HasPrefix(a.PasswordHash, "$argon2id$"); hashed != (tt.plain != "") {
			t.Errorf("%s: the password is stored as %q", what, a.PasswordHash)
		}
	}
	for what, tt := range map[string]struct {
		in    model.Account
		plain string
		want  error
	}{
		"an admin":             {model.Account{Username: "x", Roles: model.IntList{3, 2}}, good, admin.ErrReserved},
		"a guest":              {model.Account{Username: "x", Roles: model.IntList{1}}, good, admin.ErrReserved},
		"an unknown role":      {model.Account{Username: "x", Roles: model.IntList{99}}, good, account.ErrNoRole},
		"a weak password":      {model.Account{Username: "x"}, "short", password.ErrWeak},
		"a taken name":         {model.Account{Username: "ADMIN"}, good, account.ErrNameTaken},
		"a name that is none":  {model.Account{Username: "a/b"}, good, account.ErrName},
		"a taken id":           {model.Account{ID: 1, Username: "x"}, good, account.ErrIDTaken},
		"a second unseen role": {model.Account{Username: "x", Roles: model.IntList{7, 99}}, good, account.ErrNoRole},
	} {
		_, err := f.CreateAccount(t.Context(), tt.in, tt.plain)
		wantErr(t, what, err, tt.want)
	}
	made, err := f.CreateAny(t.Context(), model.Account{Username: "root", Roles: model.IntList{2}}, good)
	if err != nil || made.Roles[0] != model.RoleAdmin {
		t.Errorf("CreateAny = %+v, %v, want an admin", made, err)
	}
}

// A default role that is the guest's, as imported settings may say, makes no
// guests.
func TestNobodyIsMadeAGuestByDefault(t *testing.T) {
	f := newFixture(t)
	for value, want := range map[string]int64{"1": 1, "2": 2, "7": 7, "": 3, "x": 3, "-1": 3, "0": 3} {
		if err := f.Settings.Save(t.Context(), map[string]string{setting.KeyDefaultRole: value}); err != nil {
			t.Fatal(err)
		}
		if got := f.DefaultRole(); got != want {
			t.Errorf("DefaultRole with %q = %d, want %d", value, got, want)
		}
		if _, err := f.CreateAccount(t.Context(), model.Account{Username: "u" + value}, ""); want < 3 && !errors.Is(err, admin.ErrReserved) {
			t.Errorf("CreateAccount with default %q = %v, want %v", value, err, admin.ErrReserved)
		}
	}
}

func TestRegister(t *testing.T) {
	f := newFixture(t)
	register := func(name, plain, address string) error { return f.Register(t.Context(), name, plain, address) }
	wantErr(t, "closed", register("ann", good, "192.0.2.1"), admin.ErrRegistration)
	for value, open := range map[string]bool{"true": true, "1": true, "0": false, "false": false} {
		wantErr(t, "save", f.SaveSettings(t.Context(), map[string]string{setting.KeyAllowRegister: value}), nil)
		if f.RegistrationOpen() != open {
			t.Errorf("RegistrationOpen with %q = %t", value, !open)
		}
	}
	wantErr(t, "save", f.SaveSettings(t.Context(), map[string]string{setting.KeyAllowRegister: "true"}), nil)
	for range 30 { // costs nothing
		wantErr(t, "a weak password", register("ann", "short", "192.0.2.1"), password.ErrWeak)
		wantErr(t, "a name that is none", register("a/nn", good, "192.0.2.1"), account.ErrName)
	}
	wantErr(t, "a good one", register("ann", good, "192.0.2.1"), nil)
	wantErr(t, "a taken name", register("Ann", good, "192.0.2.1"), account.ErrNameTaken)
	for n := range 13 {
		wantErr(t, "one more", register(fmt.Sprint("u", n), good, "192.0.2.1"), nil)
	}
	wantErr(t, "too many", register("more", good, "192.0.2.1"), throttle.ErrThrottled)
	wantErr(t, "from elsewhere", register("more", good, "192.0.2.2"), nil)
	if a := f.named(t, "ann"); len(a.Roles) != 1 || a.Roles[0] != account.RoleGeneral || a.Disabled || a.Permission != 0 {
		t.Errorf("the account is %+v", a)
	}
}

func TestEditAccount(t *testing.T) {
	f := newFixture(t)
	_, err := f.CreateAccount(t.Context(), model.Account{Username: "ann"}, good)
	wantErr(t, "CreateAccount", err, nil)
	before := f.named(t, "ann")
	wantErr(t, "nobody", f.EditAccount(t.Context(), 77, model.AccountEdit{}, good), account.ErrUnknown)
	wantErr(t, "a weak password", f.EditAccount(t.Context(), 3, model.AccountEdit{SSOID: new("x")}, "short"), password.ErrWeak)
	wantErr(t, "an empty password", f.EditAccount(t.Context(), 3, model.AccountEdit{}, ""), nil)
	if diff := cmp.Diff(before, f.named(t, "ann")); diff != "" {
		t.Errorf("the account changed (-before +after):\n%s", diff)
	}
	wantErr(t, "a password", f.EditAccount(t.Context(), 3, model.AccountEdit{}, good+"s"), nil)
	if after := f.named(t, "ann"); after.PasswordHash == before.PasswordHash || after.Epoch != before.Epoch+1 {
		t.Errorf("after a new password the account is %+v", after)
	}
	wantErr(t, "deleting nobody", f.DeleteAccount(t.Context(), 77), account.ErrUnknown)
	wantErr(t, "deleting the admin", f.DeleteAccount(t.Context(), 2), account.ErrReserved)
	wantErr(t, "deleting", f.DeleteAccount(t.Context(), 3), nil)
	wantErr(t, "deleting again", f.DeleteAccount(t.Context(), 3), account.ErrUnknown)
	wantErr(t, "the second factor of nobody", f.CancelTwoFactor(t.Context(), access.Caller{}, 77), account.ErrUnknown)
	wantErr(t, "no second factor", f.CancelTwoFactor(t.Context(), access.Caller{}, 2), nil)
}

// The setting is the truth about the default role, whichever way it is changed.
func TestDefaultRole(t *testing.T) {
	f := newFixture(t)
	f.role(t, model.Role{ID: 7, Name: "team"}, true)
	f.role(t, model.Role{ID: 8, Name: "7"}, false) // a name that looks like an id
	want := func(what string, id int64) {
		t.Helper()
		if got := f.DefaultRole(); got != id {
			t.Errorf("%s: the default role is %d, want %d", what, got, id)
		}
	}
	save := func(value string) error {
		return f.SaveSettings(t.Context(), map[string]string{setting.KeyDefaultRole: value, "logo": value})
	}
	want("created as it", 7)
	wantErr(t, "DeleteRole", f.DeleteRole(t.Context(), 7), admin.ErrDefaultHeld)
	wantErr(t, "by name", save("general"), nil)
	want("by name", 3)
	wantErr(t, "by a name that looks like an id", save("7"), nil)
	want("by a name that looks like an id", 8)
	wantErr(t, "by id", save("3"), nil)
	want("by id", 3)
	for value, refusal := range map[string]error{
		"admin": admin.ErrDefaultReserved, "guest": admin.ErrDefaultReserved, "1": admin.ErrDefaultReserved,
		"nobody": admin.ErrDefaultUnknown, "": admin.ErrDefaultUnknown, "77": admin.ErrDefaultUnknown,
	} {
		wantErr(t, "by "+value, save(value), refusal)
	}
	want("after refusals", 3)
	if got := f.Settings.Get("logo"); got != "3" {
		t.Errorf("a refused save stored %q beside", got)
	}
	wantErr(t, "EditRole", f.EditRole(t.Context(), 7, model.RoleEdit{}, true), nil)
	want("edited to be it", 7)
	wantErr(t, "EditRole", f.EditRole(t.Context(), 7, model.RoleEdit{}, false), nil)
	want("edited otherwise", 7)
	wantErr(t, "the guest's", f.EditRole(t.Context(), 1, model.RoleEdit{}, true), admin.ErrDefaultReserved)
	wantErr(t, "the admin's", f.EditRole(t.Context(), 2, model.RoleEdit{}, true), account.ErrRoleFixed)
	wantErr(t, "nobody's", f.EditRole(t.Context(), 77, model.RoleEdit{}, true), account.ErrNoRole)
	wantErr(t, "a taken one", f.CreateRole(t.Context(), model.Role{Name: "team"}, true), account.ErrRoleTaken)
	want("after more refusals", 7)
	wantErr(t, "DeleteRole", f.DeleteRole(t.Context(), 8), nil)
}

func TestSettingsShowTheDefaultRoleByName(t *testing.T) {
	f := newFixture(t)
	f.role(t, model.Role{Name: "team"}, true)
	views, err := f.SettingsOf(t.Context(), []int{setting.GroupSite})
	wantErr(t, "SettingsOf", err, nil)
	for _, v := range views {
		if v.Group != setting.GroupSite {
			t.Errorf("%s is of group %d", v.Key, v.Group)
		}
		if v.Key != setting.KeyDefaultRole {
			continue
		}
		if v.Value != "team" || v.Kind != setting.Choice || !cmp.Equal(v.Options, []string{"general", "team"}) {
			t.Errorf("the default role is shown as %+v", v)
		}
		wantErr(t, "sending it back", f.SaveSettings(t.Context(), map[string]string{v.Key: v.Value}), nil)
	}
}

func TestTokens(t *testing.T) {
	f := newFixture(t)
	first, err := f.NewToken(t.Context(), "")
	if err != nil || len(first) != 106 || f.Settings.Get(setting.KeyToken) != first {
		t.Errorf("NewToken = %q, %v", first, err)
	}
	second, err := f.NewToken(t.Context(), "")
	if err != nil || second == first {
		t.Errorf("a second NewToken = %q, %v", second, err)
	}
	chosen := strings.Repeat("x", 16)
	got, err := f.NewToken(t.Context(), chosen)
	if err != nil || got != chosen || f.Settings.Get(setting.KeyToken) != chosen {
		t.Errorf("NewToken(chosen) = %q, %v", got, err)
	}
	for _, weak := range []string{strings.Repeat("x", 15), strings.Repeat("x", 1025), "sixteen letters and blanks", strings.Repeat("ä", 16), strings.Repeat("x", 16) + "\x7f"} {
		_, err := f.NewToken(t.Context(), weak)
		wantErr(t, fmt.Sprintf("NewToken(%q)", weak), err, admin.ErrToken)
	}
	wantErr(t, "an empty one saved", f.SaveSettings(t.Context(), map[string]string{setting.KeyToken: ""}), admin.ErrToken)
	if f.Settings.Get(setting.KeyToken) != chosen {
		t.Error("a refusal changed the token")
	}
	rows, err := f.settings.Settings(context.Background())
	wantErr(t, "Settings", err, nil)
	for _, row := range rows {
		if strings.Contains(row.Value, chosen) {
			t.Error("the token lies in a row as it is")
		}
	}
	if log := f.log.String(); strings.Contains(log, chosen) || strings.Contains(log, first) || !strings.Contains(log, "event=settings_changed ") {
		t.Errorf("the log says %s", log)
	}
}
