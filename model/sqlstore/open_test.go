package sqlstore_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/model/sqlstore"
)

// start is when the rows of these tests were made.
var start = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

// drivers are the ways to open a database in this build.
func drivers(t *testing.T) map[string]sqlstore.Options {
	t.Helper()
	ways := map[string]sqlstore.Options{"default driver": {}}
	if sqlstore.TwoDrivers() {
		ways["pure driver"] = sqlstore.Options{Pure: true}
	}
	return ways
}

// open is a new database in a folder of its own, migrated; the test closes it.
func open(t *testing.T, opts sqlstore.Options) *sqlstore.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "latchkey.db"), opts)
}

// openAt is like open, with the file given.
func openAt(t *testing.T, path string, opts sqlstore.Options) *sqlstore.DB {
	t.Helper()
	db := openRaw(t, path, opts)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatalf("Migrate = %v", err)
	}
	return db
}

// openRaw is like openAt without the migration.
func openRaw(t *testing.T, path string, opts sqlstore.Options) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(path, opts)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return db
}

func writer(t *testing.T, db *sqlstore.DB) *sql.DB {
	t.Helper()
	pool, err := db.Writer()
	if err != nil {
		t.Fatalf("Writer = %v", err)
	}
	return pool
}

func reader(t *testing.T, db *sqlstore.DB) *sql.DB {
	t.Helper()
	pool, err := db.Reader()
	if err != nil {
		t.Fatalf("Reader = %v", err)
	}
	return pool
}

func exec(t *testing.T, db *sqlstore.DB, statement string) {
	t.Helper()
	if _, err := writer(t, db).ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// account is a row that no other n makes.
func account(n int) model.Account {
	name := fmt.Sprintf("name%d", n)
	return model.Account{
		Key: fmt.Sprintf("%032x", n), Username: name, NameFolded: name, NameKey: name,
		BasePath: "/", Roles: model.IntList{3}, CreatedAt: model.At(start),
	}
}

func createAccount(t *testing.T, db *sqlstore.DB, n int) model.Account {
	t.Helper()
	a, err := db.Accounts().CreateAccount(t.Context(), account(n))
	if err != nil {
		t.Fatalf("CreateAccount = %v", err)
	}
	return a
}

// openLogin makes a live login of a device of its own.
func openLogin(t *testing.T, db *sqlstore.DB, accountKey, id string) {
	t.Helper()
	p, err := db.Accounts().Profile(t.Context(), accountKey)
	if err != nil {
		t.Fatalf("Profile = %v", err)
	}
	at := model.At(start)
	_, err = db.Logins().OpenLogin(t.Context(), model.LoginOpening{
		Login: model.Login{
			ID: id, AccountKey: accountKey, DeviceKey: "device of " + id,
			CreatedAt: at, SeenAt: at, ExpiresAt: model.At(at.Add(48 * time.Hour)),
		},
		Device: model.Device{
			Key: "device of " + id, AccountKey: accountKey, Kind: model.DeviceWeb,
			UserAgent: "Käse/1.0 🔑", IP: "203.0.*.*", CreatedAt: at, SeenAt: at,
		},
		Epoch: p.Epoch, Live: model.Live{At: at}, LoginCap: 20, DeviceCap: 100,
	})
	if err != nil {
		t.Fatalf("OpenLogin = %v", err)
	}
}

func TestOpenSetsPragmas(t *testing.T) { // F-02: an acknowledged commit survives a power loss
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			for _, tt := range []struct {
				handle string
				pool   *sql.DB
				want   map[string]string
			}{
				{"writer", writer(t, db), map[string]string{
					"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "query_only": "0",
				}},
				{"reader", reader(t, db), map[string]string{
					"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000", "query_only": "1",
				}},
			} {
				for pragma, want := range tt.want {
					var got string
					if err := tt.pool.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
						t.Errorf("%s: %s = %q, %v, want %q", tt.handle, pragma, got, err, want)
					}
				}
			}
		})
	}
}

func TestReaderCannotWrite(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			if _, err := reader(t, db).ExecContext(t.Context(), "DELETE FROM settings"); err == nil {
				t.Error("a reader deleted, want an error")
			}
		})
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	for name, opts := range drivers(t) {
		for _, dir := range []string{
			"with blank", "q?mode=memory", "frag#ment", "per%41cent%", "Käse 🔑", "a&b=c", "col:on", "p+lus", ";semi", "back\\slash", `quo"te'`,
		} {
			t.Run(name+" "+dir, func(t *testing.T) {
				folder := filepath.Join(t.TempDir(), dir)
				if err := os.Mkdir(folder, 0o700); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(folder, dir+".db")
				createAccount(t, openAt(t, path, opts), 1)
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if info.Size() == 0 {
					t.Error("the file is empty: SQLite wrote somewhere else")
				}
			})
		}
	}
}

func TestOpenTakesRelativePaths(t *testing.T) {
	for name, opts := range drivers(t) {
		for _, path := range []string{"latchkey.db", "./latchkey.db", "col:on.db", "*"} {
			t.Run(name+" "+path, func(t *testing.T) {
				t.Chdir(t.TempDir())
				createAccount(t, openAt(t, path, opts), 1)
				if info, err := os.Stat(path); err != nil || info.Size() == 0 {
					t.Errorf("Stat = %v, %v, want a file with something in it", info, err)
				}
			})
		}
	}
}

func TestOpenTakesDoubledSlashes(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			createAccount(t, openAt(t, "/"+filepath.Join(t.TempDir(), "latchkey.db"), opts), 1)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			notOne := filepath.Join(t.TempDir(), "notes.txt")
			text := []byte("this is a text file, and a rather long one, as databases go: it is not one\n")
			if err := os.WriteFile(notOne, text, 0o600); err != nil {
				t.Fatal(err)
			}
			for what, path := range map[string]string{
				"a folder":                   t.TempDir(),
				"a file in a missing folder": filepath.Join(t.TempDir(), "missing", "latchkey.db"),
				"a file that is no database": notOne,
			} {
				if db, err := sqlstore.Open(path, opts); err == nil {
					db.Close()
					t.Errorf("Open of %s succeeded, want an error", what)
				}
			}
			if got, err := os.ReadFile(notOne); err != nil || !cmp.Equal(got, text) {
				t.Errorf("the text file was changed: %q, %v", got, err)
			}
		})
	}
}
