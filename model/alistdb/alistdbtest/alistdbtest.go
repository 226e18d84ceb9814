// Package alistdbtest makes AList databases for tests: AList's own schema in
// SQLite, MySQL and PostgreSQL, and rows in it. It is imported by tests only,
// and shares no code with what reads them.
package alistdbtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Row is one row: values by column.
type Row map[string]any

// DB is an AList database that a test fills.
type DB struct {
	SQL    *sql.DB
	Prefix string
	Path   string // of a SQLite file

	quote    string
	numbered bool // placeholders are $1, $2, …
	types    func(kind string) string
}

// SQLite makes an empty file as AList does, in WAL mode, with nobody using it
// after Done.
func SQLite(t testing.TB) *DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.db")
	return &DB{
		SQL: open(t, "sqlite", "file:"+path+"?_pragma=journal_mode(WAL)"), Prefix: "x_", Path: path, quote: `"`,
		types: func(kind string) string {
			return map[string]string{"serial": "integer PRIMARY KEY AUTOINCREMENT", "primary": "text PRIMARY KEY", "varchar": "text", "bool": "numeric", "instant": "datetime"}[kind]
		},
	}
}

// MySQL makes tables with the prefix in a database that is there; they go with
// the test.
func MySQL(t testing.TB, dsn, prefix string) *DB {
	t.Helper()
	d := &DB{
		SQL: open(t, "mysql", dsn), Prefix: prefix, quote: "`",
		types: func(kind string) string {
			return map[string]string{"serial": "bigint unsigned AUTO_INCREMENT PRIMARY KEY", "primary": "varchar(191) PRIMARY KEY", "varchar": "varchar(191)", "text": "longtext", "integer": "bigint", "bool": "boolean", "instant": "datetime(3)"}[kind]
		},
	}
	d.dropAfter(t)
	return d
}

// Postgres is like MySQL.
func Postgres(t testing.TB, dsn, prefix string) *DB {
	t.Helper()
	d := &DB{
		SQL: open(t, "pgx", dsn), Prefix: prefix, quote: `"`, numbered: true,
		types: func(kind string) string {
			return map[string]string{"serial": "bigserial PRIMARY KEY", "primary": "text PRIMARY KEY", "varchar": "text", "integer": "bigint", "bool": "boolean", "instant": "timestamptz"}[kind]
		},
	}
	d.dropAfter(t)
	return d
}

func open(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	return pool
}

// tables are AList's, v3.63 (contract 8.1).
func tables() map[string][]string {
	return map[string][]string{
		"users": {
			"id serial", "username varchar UNIQUE", "pwd_hash text", "pwd_ts integer", "salt text", "password text", "base_path text",
			"role text", "disabled bool", "permission integer", "otp_secret text", "sso_id text", "authn text",
		},
		"roles":           {"id serial", "name varchar UNIQUE", "description text", "default bool", "raw_permission text"},
		"sessions":        {"user_id integer", "device_key primary", "user_agent text", "ip text", "last_active integer", "status integer"},
		"ssh_public_keys": {"id serial", "user_id integer", "title text", "fingerprint text", "key_str text", "added_time instant", "last_used_time instant"},
		"setting_items":   {"key primary", "value text", "help text", "type text", "options text", "group integer", "flag integer", "index integer"},
	}
}

// Schema makes AList's tables, without those and the columns ("users.salt")
// that the version at hand does not have.
func (d *DB) Schema(t testing.TB, without ...string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(tables())) {
		if slices.Contains(without, name) {
			continue
		}
		var columns []string
		for _, column := range tables()[name] {
			words := strings.SplitN(column, " ", 3)
			if slices.Contains(without, name+"."+words[0]) {
				continue
			}
			kind := d.types(words[1])
			if kind == "" {
				kind = words[1]
			}
			columns = append(columns, d.quote+words[0]+d.quote+" "+kind+" "+strings.Join(words[2:], ""))
		}
		d.Exec(t, "CREATE TABLE "+d.table(name)+" ("+strings.Join(columns, ", ")+")")
	}
}

func (d *DB) table(name string) string { return d.quote + d.Prefix + name + d.quote }

func (d *DB) dropAfter(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		for name := range tables() {
			_, _ = d.SQL.ExecContext(context.Background(), "DROP TABLE IF EXISTS "+d.table(name))
		}
	})
}

// Exec runs one statement.
func (d *DB) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := d.SQL.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Insert adds rows in one transaction.
func (d *DB) Insert(t testing.TB, table string, rows ...Row) {
	t.Helper()
	tx, err := d.SQL.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var columns, marks []string
		var values []any
		for _, column := range slices.Sorted(maps.Keys(row)) {
			columns, values = append(columns, d.quote+column+d.quote), append(values, row[column])
			mark := "?"
			if d.numbered {
				mark = fmt.Sprintf("$%d", len(values))
			}
			marks = append(marks, mark)
		}
		query := "INSERT INTO " + d.table(table) + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
		if _, err := tx.ExecContext(t.Context(), query, values...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// Done closes a SQLite file as AList does when it stops: no -wal stays.
func (d *DB) Done(t testing.TB) {
	t.Helper()
	if err := d.SQL.Close(); err != nil {
		t.Fatal(err)
	}
}

// User is a user's row as AList v3.63 writes it, with the given role column.
func User(id int64, name, plain string, role any) Row {
	salt := fmt.Sprintf("salt%012d", id)
	return Row{
		"id": id, "username": name, "pwd_hash": Hash(plain, salt), "pwd_ts": 0, "salt": salt, "password": "",
		"base_path": "/", "role": role, "disabled": false, "permission": 0, "otp_secret": "", "sso_id": "", "authn": "[]",
	}
}

// With is the row with other values.
func (r Row) With(column string, value any) Row {
	other := maps.Clone(r)
	other[column] = value
	return other
}

// Without is the row without a column.
func (r Row) Without(columns ...string) Row {
	other := maps.Clone(r)
	for _, column := range columns {
		delete(other, column)
	}
	return other
}

// Hash is AList's hash of a password (contract 8.2).
func Hash(plain, salt string) string {
	return sum(sum(plain+"-https://github.com/alist-org/alist") + "-" + salt)
}

func sum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Key is an SSH key's row with a key made from the seed.
func Key(id, user int64, title string, seed uint64) Row {
	return Row{
		"id": id, "user_id": user, "title": title, "fingerprint": "SHA256:…", "key_str": KeyText(seed),
		"added_time": "2025-09-01 10:11:12.5+02:00", "last_used_time": "2025-09-02 10:11:12+00:00",
	}
}

// KeyText is an Ed25519 key made from the seed, in one line.
func KeyText(seed uint64) string {
	var raw [ed25519.SeedSize]byte
	binary.BigEndian.PutUint64(raw[:], seed)
	pub, _ := ed25519.NewKeyFromSeed(raw[:]).Public().(ed25519.PublicKey)
	blob := binary.BigEndian.AppendUint32(nil, 11)
	blob = append(blob, "ssh-ed25519"...)
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(pub)))
	blob = append(blob, pub...)
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " made@test"
}

// Roles are the two roles of a fresh AList.
func Roles() []Row {
	return []Row{
		{"id": 1, "name": "guest", "description": "Guest", "default": false, "raw_permission": `[{"path":"/","permission":0}]`},
		{"id": 2, "name": "admin", "description": "Administrator", "default": false, "raw_permission": `[{"path":"/","permission":65535}]`},
	}
}

// People are the guest and the admin of a fresh AList.
func People(adminPassword string) []Row {
	return []Row{
		User(1, "guest", "guest", []byte("[1]")).With("disabled", true),
		User(2, "admin", adminPassword, []byte("[2]")).With("permission", 65535),
	}
}

// Setting is a setting's row.
func Setting(key, value string) Row {
	return Row{"key": key, "value": value, "help": "", "type": "string", "options": "", "group": 1, "flag": 0, "index": 0}
}
