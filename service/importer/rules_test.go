package importer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/model/alistdb/alistdbtest"
	"latchkey/service/account"
	"latchkey/service/importer"
	"latchkey/service/password"
	"latchkey/service/setting"
)

func TestWhoTakesOurFoundersPlaces(t *testing.T) {
	user := alistdbtest.User
	type person struct {
		ID       int64
		Name     string
		Roles    model.IntList
		Disabled bool
		Opens    string // the password that opens it
	}
	ourAdmin := person{ID: 2, Name: "admin", Roles: model.IntList{2}, Opens: ourAdminPassword}
	for name, tt := range map[string]struct {
		users  []alistdbtest.Row
		before func(t *testing.T, h *house)
		want   []person
		note   string // that admins stay
	}{
		"a fresh AList's guest and admin take both": {
			users: alistdbtest.People("theirs"),
			want:  []person{{1, "guest", model.IntList{1}, true, ""}, {2, "admin", model.IntList{2}, false, "theirs"}},
		},
		"an older AList's admin keeps the id 1 and its guest the id 2": {
			users: []alistdbtest.Row{user(1, "admin", "theirs", 2), user(2, "guest", "guest", 1)},
			want:  []person{{1, "admin", model.IntList{2}, false, "theirs"}, {2, "guest", model.IntList{1}, false, ""}},
		},
		"an admin with another name": {
			users: []alistdbtest.Row{user(1, "guest", "guest", "[1]"), user(7, "root", "theirs", "[3,2]")},
			want:  []person{{1, "guest", model.IntList{1}, false, ""}, {7, "root", model.IntList{2}, false, "theirs"}},
		},
		"of several admins all come": {
			users: []alistdbtest.Row{user(2, "admin", "theirs", "[2]"), user(3, "root", "root's", "[2]")},
			want: []person{
				{1, "guest", model.IntList{1}, true, ""},
				{2, "admin", model.IntList{2}, false, "theirs"},
				{3, "root", model.IntList{2}, false, "root's"},
			},
		},
		"a disabled admin does not lock the operator out": {
			users: []alistdbtest.Row{user(3, "root", "theirs", "[2]").With("disabled", true)},
			want:  []person{{1, "guest", model.IntList{1}, true, ""}, ourAdmin, {3, "root", model.IntList{2}, true, "theirs"}},
			note:  "the one made at the first start stays",
		},
		"an admin without a password does not": {
			users: []alistdbtest.Row{user(3, "root", "", "[2]").With("pwd_hash", "")},
			want:  []person{{1, "guest", model.IntList{1}, true, ""}, ourAdmin, {3, "root", model.IntList{2}, false, ""}},
			note:  "the one made at the first start stays",
		},
		"an AList without an admin leaves ours": {
			users: []alistdbtest.Row{user(2, "ann", "ann's", "[]")},
			want:  []person{{1, "guest", model.IntList{1}, true, ""}, ourAdmin, {3, "ann", model.IntList{}, false, "ann's"}},
			note:  "the one made at the first start stays",
		},
		"an admin of ours who chose a password stays": {
			users: []alistdbtest.Row{user(1, "admin", "theirs", 2), user(2, "guest", "guest", 1)},
			before: func(t *testing.T, h *house) {
				hash, err := h.hasher.Hash(t.Context(), password.Static("chosen"))
				if err != nil {
					t.Fatal(err)
				}
				if err := h.accounts.Change(t.Context(), h.account(t, "admin").Key, account.Change{PasswordHash: &hash}); err != nil {
					t.Fatal(err)
				}
			},
			want: []person{{2, "admin", model.IntList{2}, false, "chosen"}, {3, "guest", model.IntList{1}, false, ""}},
		},
		"an admin of ours who signed in stays": {
			users: alistdbtest.People("theirs"),
			before: func(t *testing.T, h *house) {
				a, at := h.account(t, "admin"), model.At(start)
				_, err := h.db.Logins().OpenLogin(t.Context(), model.LoginOpening{
					Login:  model.Login{ID: "l", AccountKey: a.Key, DeviceKey: "d", CreatedAt: at, SeenAt: at, ExpiresAt: at},
					Device: model.Device{Key: "d", AccountKey: a.Key, Kind: model.DeviceWeb, CreatedAt: at, SeenAt: at},
					Live:   model.Live{At: at}, DeviceCap: 9, LoginCap: 9,
				})
				if err != nil {
					t.Fatal(err)
				}
			},
			want: []person{{1, "guest", model.IntList{1}, true, ""}, ourAdmin},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, source := newHouse(t), alistdbtest.SQLite(t)
			source.Schema(t)
			source.Insert(t, "roles", alistdbtest.Roles()...)
			source.Insert(t, "users", tt.users...)
			if tt.before != nil {
				tt.before(t, h)
			}
			report := h.run(t, source, everything())
			have, err := h.db.Imports().Holdings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(have.Accounts, func(a, b model.Account) int { return int(a.ID - b.ID) })
			var got []person
			for i, a := range have.Accounts {
				p := person{ID: a.ID, Name: a.Username, Roles: a.Roles, Disabled: a.Disabled}
				if i < len(tt.want) && tt.want[i].Opens != "" && h.opens(t, a.Username, tt.want[i].Opens) {
					p.Opens = tt.want[i].Opens
				}
				got = append(got, p)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			if tt.note != "" && !has(report.Notes, tt.note) {
				t.Errorf("notes %q, want %q among them", report.Notes, tt.note)
			}
			before := h.dump(t)
			h.run(t, source, everything())
			if diff := cmp.Diff(before, h.dump(t)); diff != "" {
				t.Errorf("the second import changed something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestWhatIsHereStays(t *testing.T) {
	source := fresh(t, alistdbtest.User(3, "ann", "ann's", "[]"), alistdbtest.User(4, "ben", "ben's", "[]").With("otp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
	source.Insert(t, "ssh_public_keys", alistdbtest.Key(1, 3, "laptop", 1))
	h := newHouse(t)
	h.run(t, source, everything())
	ann := h.account(t, "ann")
	renamed, hash := "anna", "$argon2id$changed here"
	if err := h.accounts.Change(t.Context(), ann.Key, account.Change{Username: &renamed, PasswordHash: &hash}); err != nil {
		t.Fatal(err)
	}
	ben := h.account(t, "ben")
	if err := h.db.TOTP().DeleteTOTP(t.Context(), ben.Key, "", model.At(start)); err != nil {
		t.Fatal(err)
	}
	keys, _, err := h.db.SSHKeys().SSHKeys(t.Context(), ann.Key, 0, 9)
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys = %v, %v, want one", keys, err)
	}
	if err := h.db.SSHKeys().DeleteSSHKey(t.Context(), ann.Key, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := h.settings.Save(t.Context(), map[string]string{setting.KeyMaxDevices: "9"}); err != nil {
		t.Fatal(err)
	}
	source.Insert(t, "setting_items", alistdbtest.Setting("max_devices", "3"))
	before := h.dump(t)
	report := h.run(t, source, everything())
	if diff := cmp.Diff(before, h.dump(t)); diff != "" {
		t.Errorf("a renamed account, a removed factor, a deleted key or a changed setting came back (-before +after):\n%s", diff)
	}
	if !has(remarks(report, "ssh_public_keys", 1), "it may have been deleted here") {
		t.Error("the key that is missing is not reported")
	}
}

func TestNamesThatAreTakenHere(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"ann", "ben"} {
		if _, err := h.accounts.Create(t.Context(), name, "$argon2id$ours"); err != nil {
			t.Fatal(err)
		}
	}
	source := fresh(t, alistdbtest.User(8, "ann", "theirs", "[]"), alistdbtest.User(9, "Ben", "theirs", "[]"))
	source.Insert(t, "ssh_public_keys", alistdbtest.Key(1, 8, "of ann", 1), alistdbtest.Key(2, 9, "of Ben", 2))
	ours := h.account(t, "ann")
	report := h.run(t, source, everything())
	if diff := cmp.Diff(ours, h.account(t, "ann")); diff != "" {
		t.Errorf("AList's ann changed ours (-before +after):\n%s", diff)
	}
	if !has(remarks(report, "users", 8), "left out with all that is theirs") || !has(remarks(report, "ssh_public_keys", 1), "its user was left out") {
		t.Errorf("report = %v", report.Lines)
	}
	if _, total, err := h.db.SSHKeys().SSHKeys(t.Context(), ours.Key, 0, 9); err != nil || total != 0 {
		t.Errorf("our ann has %d keys (%v), want none", total, err)
	}
	if !h.opens(t, "Ben", "theirs") || h.account(t, "Ben").NameKey != "Ben" {
		t.Error("Ben, who differs in case only, did not come with the exact spelling")
	}
}

func TestTheSameIDAndNameMadeHere(t *testing.T) {
	h := newHouse(t)
	made, err := h.accounts.Create(t.Context(), "ann", "$argon2id$ours")
	if err != nil {
		t.Fatal(err)
	}
	report := h.run(t, fresh(t, alistdbtest.User(made.ID, "ann", "theirs", "[]")), everything())
	if got := h.account(t, "ann"); got.PasswordHash != "$argon2id$ours" || !has(remarks(report, "users", made.ID), "was made here") {
		t.Errorf("ann = %+v, remarks %v", got.Account, report.Lines)
	}
}

func TestTheSameNameTwiceInAList(t *testing.T) { // MySQL's collations, and tables without the index
	h, source := newHouse(t), alistdbtest.SQLite(t)
	source.Schema(t, "users", "roles")
	source.Exec(t, "CREATE TABLE x_users (id integer, username text, pwd_hash text, salt text, role text)")
	for _, id := range []int64{5, 6} {
		source.Insert(t, "users", alistdbtest.Row{"id": id, "username": "ann", "pwd_hash": alistdbtest.Hash("ann's", "s"), "salt": "s", "role": "0"})
	}
	report := h.run(t, source, everything())
	if !has(remarks(report, "users", 6), "account 5 has this name") || !h.opens(t, "ann", "ann's") {
		t.Errorf("report = %v", report.Lines)
	}
}

func TestRoles(t *testing.T) {
	role := func(id int64, name string, permission string) alistdbtest.Row {
		return alistdbtest.Row{"id": id, "name": name, "description": "", "default": false, "raw_permission": `[{"path":"/","permission":` + permission + `}]`}
	}
	for name, tt := range map[string]struct {
		roles  []alistdbtest.Row
		before func(t *testing.T, h *house)
		of     string        // a user's role column
		want   model.IntList // what the user holds
		names  []string      // our roles by id
	}{
		"general is ours, whatever its id": {
			roles: []alistdbtest.Row{role(9, "general", "8")}, of: "[9]", want: model.IntList{3}, names: []string{"guest", "admin", "general"},
		},
		"another role with the id 3 moves": {
			roles: []alistdbtest.Row{role(3, "family", "8"), role(5, "friends", "8")}, of: "[3,5]", want: model.IntList{6, 5},
			names: []string{"guest", "admin", "general", "friends", "family"},
		},
		"a role that is called as our admin's does not become it": {
			roles: []alistdbtest.Row{role(7, "admin", "8")}, of: "[7]", want: model.IntList{7}, names: []string{"guest", "admin", "general", "admin (7)"},
		},
		"a role that was changed here stays": {
			roles: []alistdbtest.Row{role(3, "general", "8")},
			before: func(t *testing.T, h *house) {
				about := "changed here"
				if err := h.accounts.EditRole(t.Context(), 3, model.RoleEdit{Description: &about}); err != nil {
					t.Fatal(err)
				}
			},
			of: "[3]", want: model.IntList{3}, names: []string{"guest", "admin", "general"},
		},
		"general may have been deleted here": {
			roles: []alistdbtest.Row{role(3, "family", "8")},
			before: func(t *testing.T, h *house) {
				if err := h.accounts.DeleteRole(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
			},
			of: "[3]", want: model.IntList{3}, names: []string{"guest", "admin", "family"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, source := newHouse(t), alistdbtest.SQLite(t)
			source.Schema(t)
			source.Insert(t, "roles", tt.roles...)
			source.Insert(t, "users", alistdbtest.User(5, "ann", "ann's", tt.of))
			if tt.before != nil {
				tt.before(t, h)
			}
			h.run(t, source, everything())
			if got := h.account(t, "ann").Roles; !cmp.Equal(got, tt.want) {
				t.Errorf("ann's roles = %v, want %v", got, tt.want)
			}
			have, err := h.db.Imports().Holdings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(have.Roles, func(a, b model.Role) int { return int(a.ID - b.ID) })
			var names []string
			for _, r := range have.Roles {
				names = append(names, r.Name)
				if tt.before != nil && r.Name == "general" && (r.Description != "changed here" || r.Scopes[0].Permission != 0) {
					t.Errorf("a role that was changed here became %+v", r)
				}
			}
			if !cmp.Equal(names, tt.names) {
				t.Errorf("roles = %q, want %q", names, tt.names)
			}
			before := h.dump(t)
			h.run(t, source, everything())
			if diff := cmp.Diff(before, h.dump(t)); diff != "" {
				t.Errorf("the second import changed something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestSettingsAndSessionsAreOptional(t *testing.T) {
	h, source := newHouse(t), odd(t)
	h.run(t, source, importer.Options{})
	if err := h.settings.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	have, err := h.db.Imports().Holdings(t.Context())
	if err != nil || len(have.Devices) != 0 || h.settings.Get(setting.KeyToken) != ourToken || len(have.Settings) != 1 {
		t.Errorf("%d devices and settings %v came without being asked for (%v)", len(have.Devices), have.Settings, err)
	}
}

func TestOurTokenStaysOnceItMayBeInUse(t *testing.T) {
	for name, tt := range map[string]struct {
		theirs string
		used   bool
		want   string
	}{
		"a good one comes with AList's admin":     {"alist-theirs-0123456789", false, "alist-theirs-0123456789"},
		"a short one does not come":               {"short", false, ourToken},
		"one with blanks does not come":           {"alist theirs 0123456789", false, ourToken},
		"none comes once our admin has been used": {"alist-theirs-0123456789", true, ourToken},
		"an empty one leaves ours":                {"", false, ourToken},
	} {
		t.Run(name, func(t *testing.T) {
			h, source := newHouse(t), fresh(t)
			source.Insert(t, "setting_items", alistdbtest.Setting("token", tt.theirs))
			if tt.used {
				hash := "$argon2id$"
				if err := h.accounts.Change(t.Context(), h.account(t, "admin").Key, account.Change{PasswordHash: &hash}); err != nil {
					t.Fatal(err)
				}
			}
			h.run(t, source, everything())
			if err := h.settings.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := h.settings.Get(setting.KeyToken); got != tt.want {
				t.Errorf("token = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnImportThatFailsInTheMiddleLeavesNothing(t *testing.T) {
	for _, at := range []string{"writing roles", "writing accounts", "writing ssh_keys", "writing devices"} {
		t.Run(at, func(t *testing.T) {
			h, source := newHouse(t), odd(t)
			before := h.dump(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			o := everything()
			o.Progress = func(step string, _ int) {
				if step == at {
					cancel(errors.New("the operator pressed Ctrl-C"))
				}
			}
			if _, err := runWith(ctx, t, h, source, o); !errors.Is(err, model.ErrUnavailable) {
				t.Errorf("Run = %v, want %v", err, model.ErrUnavailable)
			}
			if diff := cmp.Diff(before, h.dump(t)); diff != "" {
				t.Errorf("something was written (-before +after):\n%s", diff)
			}
			if h.notices != 0 {
				t.Error("it was published")
			}
			if golden(t, "testdata/odd_rows.golden", text(t, h.run(t, source, everything()))); t.Failed() {
				t.Error("the next try differs")
			}
		})
	}
}
