package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/audit"
	"latchkey/service/revocation"
)

// statements is what a database was asked.
type statements struct {
	mu   sync.Mutex
	list []string
}

func (s *statements) hear(statement string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, statement)
}

func (s *statements) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.list
	s.list = nil
	return list
}

// keysOn is the API keys on a real database, without anybody to tell.
func keysOn(db *sqlstore.DB) *apikey.Service {
	return apikey.New(apikey.Config{CacheSize: 100}, apikey.Deps{
		Store: db.APIKeys(), Hub: &revocation.Hub{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Record:    func(context.Context, audit.Event) error { return nil },
		UnusedFor: func() time.Duration { return 0 }, SwitchOff: func() bool { return false },
		Expiring: func(context.Context, model.APIKey) {}, Leaked: func(context.Context, model.APIKey) {},
	})
}

// A key costs one query when it is first seen, none and no write after that, and
// one batch of writes a second for all keys that were used.
func TestAPIKeyStatements(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			var heard statements
			opts.Trace = heard.hear
			db := open(t, opts)
			owner := createAccount(t, db, 1)
			s := keysOn(db)
			by := access.Caller{Kind: access.SessionToken, Account: &access.Account{Key: owner.Key}, FreshAt: time.Now()}
			text, key, err := s.Create(t.Context(), by, apikey.Wanted{Name: "k", Scopes: []string{"all"}})
			if err != nil {
				t.Fatal(err)
			}
			resolve := func(text string, want error) {
				t.Helper()
				if _, err := s.Resolve(t.Context(), apikey.Presented{Text: text}); !errors.Is(err, want) {
					t.Fatalf("Resolve = %v, want %v", err, want)
				}
			}
			heard.take()
			resolve(text, nil)
			if list := heard.take(); len(list) != 1 || !strings.HasPrefix(list[0], "SELECT") {
				t.Errorf("the first request: %q, want one query", list)
			}
			for range 1000 {
				resolve(text, nil)
				resolve(text[:52]+"!", apikey.ErrInvalid)
				s.Learn(key.ID, access.MeRead, true)
			}
			if list := heard.take(); len(list) != 0 {
				t.Errorf("1000 more: %q, want nothing", list)
			}
			for range 2 {
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if list := heard.take(); len(list) != 1 || !strings.HasPrefix(list[0], "UPDATE `api_keys` SET `last_used_at`") {
				t.Errorf("written: %q, want one use", list)
			}
			for _, stored := range append(heard.take(), column(t, writer(t, db), "SELECT hash || prefix || scopes || name FROM api_keys")...) {
				if strings.Contains(stored, text[8:]) {
					t.Errorf("the text stands in %q", stored)
				}
			}
		})
	}
}

// Looking for a key reads no other: both hashes are indexed.
func TestAPIKeyIsFoundByIndex(t *testing.T) {
	db := open(t, sqlstore.Options{})
	for _, query := range []string{
		"SELECT * FROM api_keys WHERE (hash = 'x' OR old_hash = 'x') LIMIT 1",
		"SELECT * FROM api_keys WHERE account_key = 'x' ORDER BY id",
		"SELECT * FROM api_keys WHERE expires_at > 1 AND expires_at <= 2 AND revoked_at IS NULL",
	} {
		for _, step := range plan(t, writer(t, db), query) {
			if strings.HasPrefix(step, "SCAN") {
				t.Errorf("%s: %s", query, step)
			}
		}
	}
}

// plan is how SQLite goes about a query.
func plan(t *testing.T, pool *sql.DB, query string) []string {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
