package sqlstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/model/sqlstore"
)

// dump is every row of every table, as text.
func dump(t *testing.T, db *sqlstore.DB) []string {
	t.Helper()
	var all []string
	for _, table := range []string{"accounts", "devices", "logins", "recovery_codes", "roles", "settings", "ssh_keys", "totp"} {
		columns := column(t, reader(t, db), "SELECT name FROM pragma_table_info('"+table+"') ORDER BY cid")
		quoted := make([]string, len(columns))
		for i, c := range columns {
			quoted[i] = `quote("` + c + `")`
		}
		all = append(all, column(t, reader(t, db),
			fmt.Sprintf("SELECT '%s ' || %s FROM %s ORDER BY 1", table, strings.Join(quoted, " || ' ' || "), table))...)
	}
	return all
}

// founded is a database with a role, an account nobody used, and a setting.
func founded(t *testing.T, opts sqlstore.Options) (*sqlstore.DB, model.Holdings) {
	t.Helper()
	db := open(t, opts)
	roles := []model.Role{{ID: 3, Name: "general", Scopes: model.ScopeList{{Path: "/"}}}}
	if _, err := db.Accounts().Found(t.Context(), roles, []model.Account{account(1)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Settings().AddSetting(t.Context(), model.Setting{Key: "token", Value: "ours"}); err != nil {
		t.Fatal(err)
	}
	have, err := db.Imports().Holdings(t.Context())
	if err != nil {
		t.Fatalf("Holdings = %v", err)
	}
	return db, have
}

// wholeImport writes to every table.
func wholeImport(have model.Holdings) model.Import {
	becomes := have.Roles[0]
	becomes.Name, becomes.Scopes = "General", model.ScopeList{{Path: "/", Permission: 8}}
	theirs := account(7)
	theirs.ID, theirs.ImportedAs, theirs.Passkeys = 1, "1:ann", `[{"ID":"x"}]`
	at := model.At(start)
	return model.Import{
		Vacate:   have.Accounts,
		Fill:     []model.RoleFill{{Was: have.Roles[0], Becomes: becomes}},
		Roles:    []model.Role{{ID: 4, Name: "family", Scopes: model.ScopeList{}}},
		Accounts: []model.Account{theirs},
		TOTP:     []model.TOTP{{AccountKey: theirs.Key, Secret: "sealed", EnrolledAt: at}},
		SSHKeys:  []model.SSHKey{{AccountKey: theirs.Key, Title: "t", Fingerprint: "f", PublicKey: "p", AddedAt: at}},
		Devices:  []model.Device{{Key: "d", AccountKey: theirs.Key, Kind: model.DeviceWeb, CreatedAt: at, SeenAt: at}},
		Settings: []model.SettingNew{
			{Setting: model.Setting{Key: "token", Value: "theirs"}, Was: "ours"},
			{Setting: model.Setting{Key: "site_title", Value: "Files"}},
		},
	}
}

func TestImportAllWritesEverything(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db, have := founded(t, opts)
			in := wholeImport(have)
			told := map[string]int{}
			err := db.Imports().ImportAll(t.Context(), in, func(table string, rows int) { told[table] = rows })
			if err != nil {
				t.Fatalf("ImportAll = %v", err)
			}
			got, err := db.Imports().Holdings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			theirs := in.Accounts[0].Key
			key := in.SSHKeys[0]
			key.ID = 1
			want := model.Holdings{
				Roles: []model.Role{in.Fill[0].Becomes, in.Roles[0]}, Accounts: in.Accounts, SSHKeys: []model.SSHKey{key},
				Settings: []model.Setting{in.Settings[1].Setting, in.Settings[0].Setting}, Devices: in.Devices,
				Used: map[string]bool{theirs: true},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Holdings (-want +got):\n%s", diff)
			}
			p, err := db.Accounts().Profile(t.Context(), theirs)
			if err != nil || !p.TwoFactor {
				t.Errorf("Profile = %+v, %v, want one with a second factor", p, err)
			}
			if want := map[string]int{"roles": 1, "accounts": 1, "totp": 1, "ssh_keys": 1, "devices": 1}; !cmp.Equal(told, want) {
				t.Errorf("told %v, want %v", told, want)
			}
		})
	}
}

func TestImportAllWritesNothingWhenAnythingFails(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, db *sqlstore.DB)
		change    func(in *model.Import)
		want      error
	}{
		"who gives way signed in meanwhile": {
			meanwhile: func(t *testing.T, db *sqlstore.DB) { openLogin(t, db, account(1).Key, "login") },
			want:      model.ErrStale,
		},
		"who gives way got a second factor meanwhile": {
			meanwhile: func(t *testing.T, db *sqlstore.DB) { enrol(t, db, account(1).Key) },
			want:      model.ErrStale,
		},
		"who gives way got another password meanwhile": {
			meanwhile: func(t *testing.T, db *sqlstore.DB) {
				hash := "new"
				change := model.AccountEdit{PasswordHash: &hash, At: model.At(start)}
				if err := db.Accounts().EditAccount(t.Context(), account(1).Key, change); err != nil {
					t.Fatal(err)
				}
			},
			want: model.ErrStale,
		},
		"a role changed meanwhile": {change: func(in *model.Import) { in.Fill[0].Was.Scopes = model.ScopeList{} }, want: model.ErrStale},
		"a setting changed meanwhile": {
			change: func(in *model.Import) { in.Settings[0].Was = "other" }, want: model.ErrStale,
		},
		"a setting came meanwhile": {
			meanwhile: func(t *testing.T, db *sqlstore.DB) {
				if err := db.Settings().AddSetting(t.Context(), model.Setting{Key: "site_title", Value: "mine"}); err != nil {
					t.Fatal(err)
				}
			},
			want: model.ErrConflict,
		},
		"a name was taken meanwhile": {
			meanwhile: func(t *testing.T, db *sqlstore.DB) { createAccount(t, db, 7) }, want: model.ErrConflict,
		},
		"a row hangs on nobody": {
			change: func(in *model.Import) { in.Devices[0].AccountKey = "nobody" }, want: model.ErrStale,
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, have := founded(t, sqlstore.Options{})
			in := wholeImport(have)
			if tt.meanwhile != nil {
				tt.meanwhile(t, db)
			}
			if tt.change != nil {
				tt.change(&in)
			}
			before := dump(t, db)
			if err := db.Imports().ImportAll(t.Context(), in, nil); !errors.Is(err, tt.want) {
				t.Errorf("ImportAll = %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(before, dump(t, db)); diff != "" {
				t.Errorf("something was written (-before +after):\n%s", diff)
			}
		})
	}
}

func TestPasswordsWithAndReplacePassword(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			var rows []model.Account
			for i, stored := range []string{"$alist$a", "$alist-argon2id$b", "$alist$c", "", "$ALIST$d", "$alist$e"} {
				a := account(i + 1)
				a.PasswordHash = stored
				rows = append(rows, a)
			}
			if err := db.Imports().ImportAll(t.Context(), model.Import{Accounts: rows}, nil); err != nil {
				t.Fatal(err)
			}
			after, found := "", []string{}
			for {
				page, err := db.Imports().PasswordsWith(t.Context(), "$alist$", after, 2)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, a := range page {
					after, found = a.Key, append(found, a.PasswordHash)
				}
			}
			if want := []string{"$alist$a", "$alist$c", "$alist$e"}; !cmp.Equal(found, want) {
				t.Errorf("PasswordsWith = %q, want %q", found, want)
			}
			before, key := dump(t, db), rows[0].Key
			if err := db.Imports().ReplacePassword(t.Context(), key, "$alist$other", "new"); !errors.Is(err, model.ErrStale) {
				t.Errorf("ReplacePassword of another one = %v, want %v", err, model.ErrStale)
			}
			if diff := cmp.Diff(before, dump(t, db)); diff != "" {
				t.Errorf("it wrote (-before +after):\n%s", diff)
			}
			if err := db.Imports().ReplacePassword(t.Context(), key, "$alist$a", "new"); err != nil {
				t.Errorf("ReplacePassword = %v", err)
			}
			got, err := db.Accounts().Profile(t.Context(), key)
			want := rows[0]
			want.PasswordHash = "new"
			if diff := cmp.Diff(want, got.Account); err != nil || diff != "" {
				t.Errorf("the account (%v) (-want +got):\n%s", err, diff)
			}
		})
	}
}
