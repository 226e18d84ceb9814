package apikey_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/apikey/apikeytest"
	"latchkey/service/audit"
	"latchkey/service/revocation"
)

var start = time.Date(2026, 11, 20, 10, 33, 1, 585_000_000, time.UTC)

const (
	alice = "a11ce000000000000000000000000000"
	bob   = "b0b00000000000000000000000000000"
	root  = "ad310000000000000000000000000000"
	desk  = "de5c0000000000000000000000000000" // alice's device
	here  = "192.0.2.7"
	curl  = "curl/8.1"
	day   = 24 * time.Hour
)

// watched is the fake, counting and open to mischief.
type watched struct {
	*apikeytest.Store

	reads, writes atomic.Int64
	mu            sync.Mutex
	fail          error
	read          func() // runs when a key was read and its reader does not know yet
}

func (w *watched) set(fail error, read func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail, w.read = fail, read
}

func (w *watched) APIKeyByHash(ctx context.Context, hash string) (model.APIKey, error) {
	w.reads.Add(1)
	row, err := w.Store.APIKeyByHash(ctx, hash)
	w.mu.Lock()
	fail, read := w.fail, w.read
	w.mu.Unlock()
	if read != nil {
		read()
	}
	return row, errors.Join(err, fail)
}

func (w *watched) NoteAPIKeys(ctx context.Context, notes []model.APIKeyNote) error {
	w.writes.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return w.fail
	}
	return w.Store.NoteAPIKeys(ctx, notes)
}

// fixture is the service on the working fake, with three accounts.
type fixture struct {
	*apikey.Service

	t      testing.TB
	store  *watched
	hub    *revocation.Hub
	clock  atomic.Int64
	unused time.Duration
	off    bool

	mu   sync.Mutex
	told []string // events and notices, in order
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &watched{Store: apikeytest.New()}, unused: 180 * day}
	f.clock.Store(start.UnixNano())
	for _, key := range []string{alice, bob, root} {
		f.store.AddAccount(key)
	}
	f.restart()
	return f
}

// restart makes the service anew: it remembers nothing.
func (f *fixture) restart() {
	f.hub = &revocation.Hub{}
	f.Service = f.another(f.hub)
	f.hub.Subscribe(func(_ context.Context, n revocation.Notice) { f.say("notice %.4s", n.AccountKey) })
}

// another is a service on the same store, such as another process has.
func (f *fixture) another(hub *revocation.Hub) *apikey.Service {
	return apikey.New(apikey.Config{CacheSize: 1000}, apikey.Deps{
		Store: f.store, Hub: hub, Log: slog.New(slog.DiscardHandler), Now: f.now,
		UnusedFor: func() time.Duration { return f.unused }, SwitchOff: func() bool { return f.off },
		Record: func(_ context.Context, e audit.Event) error {
			f.say("%s %.4s %v", e.Kind, e.AccountKey, e.Detail)
			return nil
		},
		Expiring: func(_ context.Context, k model.APIKey) { f.say("mail: %s expires", k.Name) },
		Leaked:   func(_ context.Context, k model.APIKey) { f.say("mail: %s leaked", k.Name) },
	})
}

func (f *fixture) now() time.Time          { return time.Unix(0, f.clock.Load()).UTC() }
func (f *fixture) advance(d time.Duration) { f.clock.Add(int64(d)) }

func (f *fixture) say(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

// heard is what was told since it was asked last.
func (f *fixture) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

// as is the account's owner, who just proved who they are.
func (f *fixture) as(accountKey string) access.Caller {
	roles := []int64{3}
	if accountKey == root {
		roles = []int64{model.RoleAdmin}
	}
	return access.Caller{
		Kind: access.SessionToken, Account: &access.Account{Key: accountKey, RoleIDs: roles}, DeviceKey: desk, FreshAt: f.now(),
	}
}

// stale is the account's owner, who proved who they are long ago.
func (f *fixture) stale(accountKey string) access.Caller {
	by := f.as(accountKey)
	by.FreshAt = f.now().Add(-time.Hour)
	return by
}

// make is a key of alice's, made of the simplest by change.
func (f *fixture) make(change ...func(*apikey.Wanted)) (string, model.APIKey) {
	f.t.Helper()
	w := wanted(fmt.Sprint("key ", f.clock.Add(int64(time.Millisecond))))
	for _, fn := range change {
		fn(&w)
	}
	text, key, err := f.Create(f.t.Context(), f.as(alice), w)
	if err != nil {
		f.t.Fatalf("Create = %v", err)
	}
	return text, key
}

func wanted(name string) apikey.Wanted {
	return apikey.Wanted{Name: name, Scopes: []string{"me.read"}}
}

func (f *fixture) resolve(text string) (apikey.Known, error) {
	return f.Resolve(f.t.Context(), apikey.Presented{Text: text, Address: here, UserAgent: curl})
}

// wantIn checks what becomes of a text; nil means that it is let in.
func (f *fixture) wantIn(text string, want error) {
	f.t.Helper()
	got, err := f.resolve(text)
	if !errors.Is(err, want) {
		f.t.Errorf("Resolve = %+v, %v, want %v", got, err, want)
	}
	if (got.AccountKey == "") != errors.Is(err, apikey.ErrInvalid) {
		f.t.Errorf("Resolve = %+v with %v", got, err)
	}
}

func (f *fixture) row(key model.APIKey) model.APIKey {
	f.t.Helper()
	row, err := f.store.APIKey(f.t.Context(), "", key.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return row
}

func (f *fixture) flush() {
	f.t.Helper()
	if err := f.Flush(f.t.Context()); err != nil {
		f.t.Fatalf("Flush = %v", err)
	}
}

// holds reports whether the text stands anywhere in what a value shows.
func holds(v any, text string) bool { return bytes.Contains(fmt.Append(nil, v), []byte(text)) }
