package sqlstore_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm/schema"

	"latchkey/model"
	"latchkey/model/sqlstore"
)

// tables are all records, each of which is a table.
func tables() []any {
	return []any{
		model.Account{},
		model.AuditEvent{},
		model.Device{},
		model.Key{},
		model.Link{},
		model.Login{},
		model.Notice{},
		model.OAuthClient{},
		model.OAuthScope{},
		model.Place{},
		model.RecoveryCode{},
		model.RevokedSSHKey{},
		model.Role{},
		model.Setting{},
		model.SSHKey{},
		model.Throttle{},
		model.TOTP{},
	}
}

// ddl is what the schema consists of, without goose's own table.
func ddl(t *testing.T, db *sqlstore.DB) []string {
	t.Helper()
	return column(t, writer(t, db), `SELECT type || ' ' || name || ': ' || sql FROM sqlite_schema
		WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'goose%' AND tbl_name NOT LIKE 'sqlite%' ORDER BY 1`)
}

// column is the rows of a query of one column.
func column(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func version(t *testing.T, steps *goose.Provider) int64 {
	t.Helper()
	v, err := steps.GetDBVersion(t.Context())
	if err != nil {
		t.Fatalf("GetDBVersion = %v", err)
	}
	return v
}

// steps are the program's migrations and those in extra.
func steps(t *testing.T, db *sqlstore.DB, extra fstest.MapFS) *goose.Provider {
	t.Helper()
	dir, err := sqlstore.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{}
	files, err := fs.Glob(dir, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: text}
	}
	maps.Copy(all, extra)
	provider, err := db.Steps(all)
	if err != nil {
		t.Fatalf("Steps = %v", err)
	}
	return provider
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := openRaw(t, filepath.Join(t.TempDir(), "latchkey.db"), opts)
			if n, err := db.Migrate(t.Context()); err != nil || n == 0 {
				t.Fatalf("Migrate of a new file = %d, %v, want some steps", n, err)
			}
			createAccount(t, db, 1)
			before := ddl(t, db)
			if n, err := db.Migrate(t.Context()); err != nil || n != 0 {
				t.Errorf("second Migrate = %d, %v, want no step", n, err)
			}
			if diff := cmp.Diff(before, ddl(t, db)); diff != "" {
				t.Errorf("the schema changed (-before +after):\n%s", diff)
			}
			if _, err := db.Accounts().Profile(t.Context(), account(1).Key); err != nil {
				t.Errorf("Profile = %v", err)
			}
		})
	}
}

func TestMigrateRefusesNewerSchema(t *testing.T) { // F-09
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			createAccount(t, db, 1)
			newer := steps(t, db, fstest.MapFS{"00999_newer.sql": {Data: []byte("-- +goose Up\nCREATE TABLE newer (id INTEGER);")}})
			if _, err := newer.Up(t.Context()); err != nil {
				t.Fatalf("Up = %v", err)
			}
			before := ddl(t, db)
			if n, err := db.Migrate(t.Context()); !errors.Is(err, sqlstore.ErrNewer) || n != 0 {
				t.Errorf("Migrate = %d, %v, want %v", n, err, sqlstore.ErrNewer)
			}
			if diff := cmp.Diff(before, ddl(t, db)); diff != "" {
				t.Errorf("the schema changed (-before +after):\n%s", diff)
			}
			if v := version(t, newer); v != 999 {
				t.Errorf("the version is %d, want 999", v)
			}
		})
	}
}

func TestMigrateDownAndUpAgain(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			fill(t, db)
			before := ddl(t, db)
			if _, err := steps(t, db, nil).DownTo(t.Context(), 0); err != nil {
				t.Fatalf("DownTo = %v", err)
			}
			if left := ddl(t, db); len(left) > 0 {
				t.Errorf("left after the way down: %q", left)
			}
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatalf("Migrate = %v", err)
			}
			if diff := cmp.Diff(before, ddl(t, db)); diff != "" {
				t.Errorf("the schema differs after the round trip (-before +after):\n%s", diff)
			}
			fill(t, db)
		})
	}
}

func TestFailingStepLeavesTheVersionBefore(t *testing.T) { // F-09: old or new, not half
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			createAccount(t, db, 1)
			before, known := ddl(t, db), version(t, steps(t, db, nil))
			broken := steps(t, db, fstest.MapFS{"00999_broken.sql": {Data: []byte("-- +goose Up\n" +
				"CREATE TABLE half (id INTEGER);\nDELETE FROM accounts;\nINSERT INTO missing VALUES (1);")}})
			if _, err := broken.Up(t.Context()); err == nil {
				t.Fatal("the broken step succeeded")
			}
			if diff := cmp.Diff(before, ddl(t, db)); diff != "" {
				t.Errorf("the schema is half changed (-before +after):\n%s", diff)
			}
			if v := version(t, broken); v != known {
				t.Errorf("the version is %d, want %d", v, known)
			}
			if _, err := db.Accounts().Profile(t.Context(), account(1).Key); err != nil {
				t.Errorf("Profile = %v", err)
			}
			if n, err := db.Migrate(t.Context()); err != nil || n != 0 {
				t.Errorf("Migrate afterwards = %d, %v, want no step", n, err)
			}
		})
	}
}

func TestColumnsAreFields(t *testing.T) {
	db := open(t, sqlstore.Options{})
	var known []string
	for _, record := range tables() {
		s, err := schema.Parse(record, &sync.Map{}, schema.NamingStrategy{})
		if err != nil {
			t.Fatalf("Parse(%T) = %v", record, err)
		}
		known = append(known, s.Table)
		fields := slices.Sorted(slices.Values(s.DBNames))
		columns := column(t, writer(t, db), "SELECT name FROM pragma_table_info('"+s.Table+"') ORDER BY name")
		if diff := cmp.Diff(columns, fields); diff != "" {
			t.Errorf("%s: columns and fields differ (-table +record):\n%s", s.Table, diff)
		}
	}
	have := column(t, writer(t, db), "SELECT name FROM sqlite_schema WHERE type = 'table' "+
		"AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' ORDER BY name")
	if diff := cmp.Diff(have, slices.Sorted(slices.Values(known))); diff != "" {
		t.Errorf("tables and records differ (-tables +records):\n%s", diff)
	}
}
