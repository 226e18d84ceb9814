package account_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/account/accounttest"
	"latchkey/service/audit"
	"latchkey/service/revocation"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// counted is the fake with a count of what is read from it, and a way to fail.
type counted struct {
	*accounttest.Store

	reads atomic.Int64
	fail  error // set before the store is shared
}

func (s *counted) Profile(ctx context.Context, key string) (model.Profile, error) {
	s.reads.Add(1)
	if s.fail != nil {
		return model.Profile{}, s.fail
	}
	return s.Store.Profile(ctx, key)
}

func (s *counted) FirstWithRole(ctx context.Context, role int64) (string, error) {
	s.reads.Add(1)
	if s.fail != nil {
		return "", s.fail
	}
	return s.Store.FirstWithRole(ctx, role)
}

// fixture is a founded service and what it talks to.
type fixture struct {
	*account.Service

	store   *counted
	hub     *revocation.Hub
	log     *bytes.Buffer
	notices []revocation.Notice
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{store: &counted{Store: accounttest.New()}, hub: &revocation.Hub{}, log: &bytes.Buffer{}}
	rec := audit.New(slog.New(slog.NewTextHandler(f.log, nil)))
	f.Service = account.New(f.store, f.hub, rec, func() time.Time { return start }, 1000)
	f.hub.Subscribe(func(_ context.Context, n revocation.Notice) { f.notices = append(f.notices, n) })
	if founded, err := f.Found(t.Context(), "admin hash"); err != nil || !founded {
		t.Fatalf("Found = %v, %v, want true", founded, err)
	}
	f.log.Reset()
	return f
}

func (f *fixture) create(t *testing.T, name string) model.Account {
	t.Helper()
	a, err := f.Create(t.Context(), name, "hash of "+name)
	if err != nil {
		t.Fatalf("Create(%q) = %v", name, err)
	}
	return a
}

func (f *fixture) snapshot(t *testing.T, key string) *access.Account {
	t.Helper()
	a, err := f.Snapshot(t.Context(), key)
	if err != nil {
		t.Fatalf("Snapshot = %v", err)
	}
	return a
}

// key is the key of the account of that name.
func (f *fixture) key(t *testing.T, name string) string {
	t.Helper()
	a, err := f.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatalf("ForSignIn(%q) = %v", name, err)
	}
	return a.Key
}

// reads counts the reads of do.
func (f *fixture) reads(do func()) int64 {
	before := f.store.reads.Load()
	do()
	return f.store.reads.Load() - before
}
