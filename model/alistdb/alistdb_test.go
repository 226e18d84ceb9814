package alistdb_test

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model/alistdb"
	"latchkey/model/alistdb/alistdbtest"
)

func read(t *testing.T, location, prefix string) alistdb.Dump {
	t.Helper()
	source, err := alistdb.Open(t.Context(), location, prefix)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	defer source.Close()
	dump, err := source.Read(t.Context(), alistdb.Wanted{Settings: true, Sessions: true})
	if err != nil {
		t.Fatalf("Read = %v", err)
	}
	return dump
}

// fill adds one row to every table of a new AList.
func fill(t *testing.T, db *alistdbtest.DB) {
	t.Helper()
	db.Schema(t)
	db.Insert(t, "roles", alistdbtest.Roles()...)
	db.Insert(t, "users", alistdbtest.User(7, "ann", "secret of ann", "[2]").
		With("disabled", true).With("permission", 5).With("otp_secret", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").
		With("sso_id", "sso").With("authn", `[{"ID":"aa"}]`).With("base_path", "/ann"))
	db.Insert(t, "users", alistdbtest.User(3, "ben", "secret of ben", nil))
	db.Insert(t, "ssh_public_keys", alistdbtest.Key(1, 7, "laptop", 1).
		With("added_time", time.Date(2025, 9, 1, 8, 11, 12, 0, time.UTC)).With("last_used_time", time.Date(2025, 9, 2, 10, 11, 12, 0, time.UTC)))
	db.Insert(t, "setting_items", alistdbtest.Setting("site_title", "Files"))
	db.Insert(t, "sessions", alistdbtest.Row{
		"user_id": 7, "device_key": "0123456789abcdef0123456789abcdef", "user_agent": "Mozilla/5.0", "ip": "1.*.*.4",
		"last_active": 1_760_000_000, "status": 0,
	})
}

// filled is what fill makes, as it must be read from every database.
func filled() alistdb.Dump {
	return alistdb.Dump{
		Users: []alistdb.User{
			{ID: 3, Username: "ben", PwdHash: alistdbtest.Hash("secret of ben", "salt000000000003"), Salt: "salt000000000003", BasePath: "/", Authn: "[]"},
			{
				ID: 7, Username: "ann", PwdHash: alistdbtest.Hash("secret of ann", "salt000000000007"), Salt: "salt000000000007", BasePath: "/ann",
				Role: alistdb.Text{Text: "[2]", Valid: true}, Disabled: true, Permission: 5,
				OTPSecret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", SSOID: "sso", Authn: `[{"ID":"aa"}]`,
			},
		},
		Roles: []alistdb.Role{
			{ID: 1, Name: "guest", Description: "Guest", Scopes: `[{"path":"/","permission":0}]`},
			{ID: 2, Name: "admin", Description: "Administrator", Scopes: `[{"path":"/","permission":65535}]`},
		},
		Keys: []alistdb.SSHKey{{
			ID: 1, UserID: 7, Title: "laptop", Text: alistdbtest.KeyText(1),
			AddedAt: time.Date(2025, 9, 1, 8, 11, 12, 0, time.UTC), LastUsedAt: time.Date(2025, 9, 2, 10, 11, 12, 0, time.UTC),
		}},
		Settings: []alistdb.Setting{{Key: "site_title", Value: "Files"}},
		Sessions: []alistdb.Session{{
			UserID: 7, DeviceKey: "0123456789abcdef0123456789abcdef", UserAgent: "Mozilla/5.0", IP: "1.*.*.4", LastActive: 1_760_000_000,
		}},
	}
}

func TestReadSQLite(t *testing.T) {
	db := alistdbtest.SQLite(t)
	fill(t, db)
	t.Run("beside a running AList", func(t *testing.T) {
		if diff := cmp.Diff(filled(), read(t, db.Path, "x_")); diff != "" {
			t.Errorf("Read (-want +got):\n%s", diff)
		}
	})
	db.Done(t)
	t.Run("after AList has stopped", func(t *testing.T) {
		if diff := cmp.Diff(filled(), read(t, db.Path, "x_")); diff != "" {
			t.Errorf("Read (-want +got):\n%s", diff)
		}
	})
	t.Run("by its folder", func(t *testing.T) {
		if diff := cmp.Diff(filled(), read(t, filepath.Dir(db.Path), "x_")); diff != "" {
			t.Errorf("Read (-want +got):\n%s", diff)
		}
	})
}

func TestReadMySQL(t *testing.T) {
	dsn := server(t, "LATCHKEY_TEST_MYSQL")
	db := alistdbtest.MySQL(t, dsn, unique("m"))
	fill(t, db)
	if diff := cmp.Diff(filled(), read(t, dsn, db.Prefix)); diff != "" {
		t.Errorf("Read by DSN (-want +got):\n%s", diff)
	}
	user, rest, _ := strings.Cut(dsn, "@tcp(")
	host, rest, _ := strings.Cut(rest, ")/")
	name, _, _ := strings.Cut(rest, "?")
	if diff := cmp.Diff(filled(), read(t, "mysql://"+user+"@"+host+"/"+name+"?prefix="+db.Prefix, "x_")); diff != "" {
		t.Errorf("Read by URL (-want +got):\n%s", diff)
	}
}

func TestReadPostgres(t *testing.T) {
	dsn := server(t, "LATCHKEY_TEST_POSTGRES")
	db := alistdbtest.Postgres(t, dsn, unique("p"))
	fill(t, db)
	if diff := cmp.Diff(filled(), read(t, dsn, db.Prefix)); diff != "" {
		t.Errorf("Read (-want +got):\n%s", diff)
	}
	mark := "?"
	if strings.Contains(dsn, "?") {
		mark = "&"
	}
	if diff := cmp.Diff(filled(), read(t, dsn+mark+"prefix="+db.Prefix, "x_")); diff != "" {
		t.Errorf("Read with the prefix in the URL (-want +got):\n%s", diff)
	}
}

// server is where a test database is, or the end of the test.
func server(t *testing.T, variable string) string {
	t.Helper()
	dsn := os.Getenv(variable)
	switch {
	case dsn != "":
	case os.Getenv("LATCHKEY_TEST_REQUIRE") == "1":
		t.Fatalf("%s is not set, and LATCHKEY_TEST_REQUIRE=1 wants it", variable)
	default:
		t.Skipf("%s is not set", variable)
	}
	return dsn
}

// unique is a table prefix that no other test run has.
func unique(kind string) string {
	return "t" + kind + time.Now().Format("150405000000") + "_"
}

func TestOldVersions(t *testing.T) {
	for name, tt := range map[string]struct {
		without []string
		row     alistdbtest.Row
		want    alistdb.User
	}{
		"before 3.25 passwords are plain and roles are numbers": {
			without: []string{"roles", "sessions", "ssh_public_keys", "users.pwd_hash", "users.salt", "users.pwd_ts", "users.authn"},
			row: alistdbtest.User(1, "ann", "", 2).With("password", "plain").
				Without("pwd_hash", "salt", "pwd_ts", "authn"),
			want: alistdb.User{ID: 1, Username: "ann", Password: "plain", BasePath: "/", Role: alistdb.Text{Text: "2", Valid: true}},
		},
		"before 3.46 there are no roles": {
			without: []string{"roles", "sessions"},
			row:     alistdbtest.User(1, "ann", "", 0).With("pwd_hash", "h").With("salt", "s"),
			want:    alistdb.User{ID: 1, Username: "ann", PwdHash: "h", Salt: "s", BasePath: "/", Role: alistdb.Text{Text: "0", Valid: true}, Authn: "[]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := alistdbtest.SQLite(t)
			db.Schema(t, tt.without...)
			db.Insert(t, "users", tt.row)
			got := read(t, db.Path, "x_")
			if diff := cmp.Diff([]alistdb.User{tt.want}, got.Users); diff != "" {
				t.Errorf("Users (-want +got):\n%s", diff)
			}
			for _, missing := range tt.without {
				if missing != "users.pwd_ts" && !got.Lacks(missing) {
					t.Errorf("Missing = %q, want %s in it", got.Missing, missing)
				}
			}
		})
	}
}

func TestLimitsPerUserAreRead(t *testing.T) {
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	db.Exec(t, "ALTER TABLE x_users ADD COLUMN max_devices integer")
	db.Exec(t, "ALTER TABLE x_users ADD COLUMN session_ttl integer")
	db.Insert(t, "users", alistdbtest.User(1, "ann", "", nil).With("max_devices", 3))
	got := read(t, db.Path, "x_").Users[0]
	if got.MaxDevices == nil || *got.MaxDevices != 3 || got.SessionTTL != nil {
		t.Errorf("limits = %v, %v, want 3 and none", got.MaxDevices, got.SessionTTL)
	}
}

func TestOddValuesAreNotedAndReadAsEmpty(t *testing.T) {
	for column, tt := range map[string]struct {
		value any
		want  string
	}{
		"permission":  {"all", "permission is no number"},
		"disabled":    {"maybe", "disabled is neither true nor false"},
		"username":    {[]byte("caf\xe9"), "username is not UTF-8"},
		"max_devices": {"many", "max_devices is no number"},
	} {
		t.Run(column, func(t *testing.T) {
			db := alistdbtest.SQLite(t)
			db.Schema(t)
			db.Exec(t, "ALTER TABLE x_users ADD COLUMN max_devices integer")
			db.Insert(t, "users", alistdbtest.User(1, "ann", "", nil).With(column, tt.value))
			if got := read(t, db.Path, "x_").Users[0].Odd; !slices.Equal(got, []string{tt.want}) {
				t.Errorf("Odd = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTimesInEverySpelling(t *testing.T) {
	want := time.Date(2025, 9, 1, 8, 11, 12, 0, time.UTC)
	for _, text := range []string{"2025-09-01 10:11:12+02:00", "2025-09-01T08:11:12Z", "2025-09-01 08:11:12", "2025-09-01 08:11:12 +0000 UTC"} {
		t.Run(text, func(t *testing.T) {
			db := alistdbtest.SQLite(t)
			db.Schema(t)
			db.Insert(t, "users", alistdbtest.User(1, "ann", "", nil))
			db.Insert(t, "ssh_public_keys", alistdbtest.Key(1, 1, "k", 1).With("added_time", text))
			if got := read(t, db.Path, "x_").Keys[0]; !got.AddedAt.Equal(want) || got.Odd != nil {
				t.Errorf("AddedAt = %v (%q), want %v", got.AddedAt, got.Odd, want)
			}
		})
	}
}

func TestNothingIsWrittenBesideOrInTheSource(t *testing.T) {
	for name, stop := range map[string]bool{"a stopped AList": true, "a running AList": false} {
		t.Run(name, func(t *testing.T) {
			db := alistdbtest.SQLite(t)
			fill(t, db)
			if stop {
				db.Done(t)
			}
			before := folder(t, filepath.Dir(db.Path))
			read(t, db.Path, "x_")
			if diff := cmp.Diff(before, folder(t, filepath.Dir(db.Path))); diff != "" {
				t.Errorf("the folder changed (-before +after):\n%s", diff)
			}
		})
	}
}

// folder is every file's name and hash. What SQLite's readers share (-shm) is
// memory, not data.
func folder(t *testing.T, path string) map[string][32]byte {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][32]byte{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(path, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), "-shm") {
			text = nil
		}
		files[e.Name()] = sha256.Sum256(text)
	}
	return files
}

func TestChangesDuringTheReadingAreNoticed(t *testing.T) {
	db := alistdbtest.SQLite(t)
	fill(t, db)
	db.Done(t)
	source, err := alistdb.Open(t.Context(), db.Path, "x_")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	_, err = source.Read(t.Context(), alistdb.Wanted{Progress: func(string, int) {
		now := time.Now().Add(time.Hour)
		if err := os.Chtimes(db.Path, now, now); err != nil {
			t.Error(err)
		}
	}})
	if !errors.Is(err, alistdb.ErrChanging) {
		t.Errorf("Read = %v, want %v", err, alistdb.ErrChanging)
	}
}

func TestRefusedSources(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	other := alistdbtest.SQLite(t)
	other.Prefix = "my_"
	other.Schema(t)
	empty := alistdbtest.SQLite(t)
	empty.Exec(t, "CREATE TABLE other (id integer)")
	for name, tt := range map[string]struct {
		location, prefix string
		want             string // in the error
	}{
		"a file that is not there":      {filepath.Join(folder, "none.db"), "x_", "there is no file"},
		"a folder without data.db":      {folder, "x_", "there is no file"},
		"a file that is no database":    {text, "x_", "this is no AList database"},
		"a database of something else":  {empty.Path, "x_", "there is no table x_users"},
		"tables with another prefix":    {other.Path, "x_", `tables with the prefix "my_" are`},
		"a prefix that breaks out":      {other.Path, `x"; --`, "a table prefix is"},
		"an unknown kind of URL":        {"oracle://scott:tiger@host/db", "x_", "the source is not understood"},
		"a MySQL URL that is none":      {"mysql://user:hunter22hunter22@ho st/db", "x_", "the source is not understood"},
		"a PostgreSQL URL that is none": {"postgres://user:hunter22hunter22@ho st/db", "x_", "the source is not understood"},
		"a MySQL server that is not there": {
			"mysql://user:hunter22hunter22@127.0.0.1:1/db", "x_", "open MySQL 127.0.0.1:1/db",
		},
		"a MySQL DSN to nowhere": {"user:hunter22hunter22@tcp(127.0.0.1:1)/db", "x_", "open MySQL 127.0.0.1:1/db"},
		"a PostgreSQL server that is not there": {
			"postgres://user:hunter22hunter22@127.0.0.1:1/db", "x_", "open PostgreSQL 127.0.0.1:1/db",
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, err := alistdb.Open(t.Context(), tt.location, tt.prefix)
			if err == nil {
				_, err = source.Read(t.Context(), alistdb.Wanted{})
				_ = source.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error = %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter22") || strings.Contains(err.Error(), "tiger") {
				t.Errorf("error %q repeats the password", err)
			}
		})
	}
}

func TestProgressIsToldByTableAndThousand(t *testing.T) {
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	var rows []alistdbtest.Row
	for i := range int64(2500) {
		rows = append(rows, alistdbtest.Row{"id": i + 1, "username": "u" + alistdbtest.Hash("", string(rune('a'+i)))})
	}
	db.Insert(t, "users", rows...)
	source, err := alistdb.Open(t.Context(), db.Path, "x_")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var told []int
	_, err = source.Read(t.Context(), alistdb.Wanted{Progress: func(table string, rows int) {
		if table == "users" {
			told = append(told, rows)
		}
	}})
	if want := []int{1000, 2000, 2500}; err != nil || !slices.Equal(told, want) {
		t.Errorf("told %v (%v), want %v", told, err, want)
	}
}
