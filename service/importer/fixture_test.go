package importer_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/model/alistdb/alistdbtest"
	"latchkey/model/sqlstore"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/importer"
	"latchkey/service/keyring"
	"latchkey/service/password"
	"latchkey/service/revocation"
	"latchkey/service/setting"
)

// start is when the tests import.
var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// house is a database of ours and what works on it.
type house struct {
	db       *sqlstore.DB
	path     string
	ring     *keyring.Ring
	hub      *revocation.Hub
	hasher   *password.Hasher
	checker  *password.Checker
	accounts *account.Service
	settings *setting.Service
	deps     importer.Deps
	svc      *importer.Service
	notices  int // about everything
}

const (
	ourAdminPassword = "the admin of the first start"
	ourToken         = "alist-ours-0123456789"
)

// newHouse is a founded database that nobody has used.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{path: filepath.Join(t.TempDir(), "latchkey.db"), hub: &revocation.Hub{}}
	now := func() time.Time { return start }
	var err error
	if h.db, err = sqlstore.Open(h.path, sqlstore.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := h.db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	master := make([]byte, 32)
	for i := range master {
		master[i] = byte(7 * i)
	}
	if h.ring, err = keyring.Open(t.Context(), h.db.Keys(), master, now); err != nil {
		t.Fatal(err)
	}
	cost := password.Defaults()
	cost.MemoryKiB, cost.Time = 64, 1
	if h.hasher, err = password.New(cost); err != nil {
		t.Fatal(err)
	}
	h.checker = password.NewChecker(h.hasher, h.ring)
	rec := audit.New(slog.New(slog.DiscardHandler))
	h.accounts = account.New(h.db.Accounts(), h.hub, rec, now, 1000)
	h.hub.Subscribe(func(_ context.Context, n revocation.Notice) {
		if n == (revocation.Notice{}) {
			h.notices++
		}
	})
	if h.settings, err = setting.New(t.Context(), h.db.Settings(), setting.Sealer{Seal: h.ring.Seal, Open: h.ring.Open}); err != nil {
		t.Fatal(err)
	}
	hash, err := h.hasher.Hash(t.Context(), password.Static(ourAdminPassword))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.accounts.Found(t.Context(), hash); err != nil {
		t.Fatal(err)
	}
	if err := h.settings.Save(t.Context(), map[string]string{setting.KeyToken: ourToken}); err != nil {
		t.Fatal(err)
	}
	h.deps = importer.Deps{
		Store: h.db.Imports(), Passwords: h.checker, Sealer: h.ring, Hub: h.hub, Audit: rec, Now: now,
	}
	h.svc = importer.New(h.deps)
	return h
}

// everything is what an import can take.
func everything() importer.Options { return importer.Options{Settings: true, Sessions: true} }

// run imports and returns the report.
func (h *house) run(t *testing.T, source *alistdbtest.DB, o importer.Options) importer.Report {
	t.Helper()
	report, err := h.try(t, source, o)
	if err != nil {
		t.Fatalf("Run = %v", err)
	}
	return report
}

func (h *house) try(t *testing.T, source *alistdbtest.DB, o importer.Options) (importer.Report, error) {
	t.Helper()
	return runWith(t.Context(), t, h, source, o)
}

// runWith is run with a context of its own.
func runWith(ctx context.Context, t *testing.T, h *house, source *alistdbtest.DB, o importer.Options) (importer.Report, error) {
	t.Helper()
	db, err := alistdb.Open(ctx, source.Path, source.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return h.svc.Run(ctx, db, o)
}

// account finds an account by its exact name.
func (h *house) account(t *testing.T, name string) model.Profile {
	t.Helper()
	a, err := h.db.Accounts().AccountByName(t.Context(), name, "\x00")
	if err != nil {
		t.Fatalf("account %q: %v", name, err)
	}
	p, err := h.db.Accounts().Profile(t.Context(), a.Key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// opens reports whether the password opens the account.
func (h *house) opens(t *testing.T, name, plain string) bool {
	t.Helper()
	a := h.account(t, name)
	if a.PasswordHash == "" {
		return false
	}
	ok, err := h.checker.Verify(t.Context(), a.Key, a.PasswordHash, password.Static(plain))
	if err != nil {
		t.Fatalf("verify the password of %q: %v", name, err)
	}
	return ok
}

// dump is every row of our tables, as text.
func (h *house) dump(t *testing.T) []string {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+h.path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var all []string
	for _, table := range []string{"accounts", "devices", "keys", "logins", "recovery_codes", "roles", "settings", "ssh_keys", "totp"} {
		all = append(all, rows(t, pool, table)...)
	}
	return all
}

func rows(t *testing.T, pool *sql.DB, table string) []string {
	t.Helper()
	result, err := pool.QueryContext(t.Context(), "SELECT * FROM "+table+" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	columns, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for result.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range into {
			into[i] = &values[i]
		}
		if err := result.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %v", table, values))
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// text is the report as it is printed.
func text(t *testing.T, r importer.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// remarks are the report's lines about one row.
func remarks(r importer.Report, table string, id int64) []string {
	var list []string
	for _, l := range r.Lines {
		if l.Table == table && l.ID == id {
			list = append(list, l.Found+"; "+l.Done)
		}
	}
	return list
}

// has reports whether a remark or note has the words.
func has(list []string, words string) bool {
	for _, l := range list {
		if strings.Contains(l, words) {
			return true
		}
	}
	return false
}

// fresh is AList after its first start, with rows besides.
func fresh(t *testing.T, users ...alistdbtest.Row) *alistdbtest.DB {
	t.Helper()
	db := alistdbtest.SQLite(t)
	db.Schema(t)
	db.Insert(t, "roles", alistdbtest.Roles()...)
	db.Insert(t, "users", alistdbtest.People("AList's admin")...)
	db.Insert(t, "users", users...)
	return db
}
