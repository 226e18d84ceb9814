package totp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/revocation"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

// fixture is a service on the working fake with a clock that tests set.
type fixture struct {
	*totp.Service

	store  *totptest.Store
	sealer keyringtest.Sealer
	hub    *revocation.Hub
	at     time.Time

	mu     sync.Mutex
	events []string // audited and published, in order
	last   audit.Event
}

var errBroken = errors.New("broken disk")

// start is the middle of a step.
func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 15, 0, time.UTC) }

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{store: totptest.New(), sealer: totptest.NewSealer(), hub: &revocation.Hub{}, at: start()}
	f.hub.Subscribe(func(_ context.Context, n revocation.Notice) { f.note("ended " + n.AccountKey) })
	f.Service = f.on(f.store)
	return f
}

// on is the fixture's service with another store.
func (f *fixture) on(store totp.Store) *totp.Service {
	record := func(_ context.Context, e audit.Event) error {
		f.note(string(e.Kind))
		f.mu.Lock()
		defer f.mu.Unlock()
		f.last = e
		return nil
	}
	return totp.New(store, f.sealer, f.hub, func() time.Time { return f.at }, record)
}

func (f *fixture) note(event string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, event)
}

// caller is a new account with a live login.
func (f *fixture) caller() access.Caller {
	key := f.store.NewAccount()
	return access.Caller{
		Kind:    access.SessionToken,
		Account: &access.Account{Key: key, Username: "alice", RoleIDs: []int64{3}},
		LoginID: f.store.NewLogin(key),
	}
}

func (f *fixture) generate(t *testing.T, by access.Caller) string {
	t.Helper()
	made, err := f.Generate(t.Context(), by, "Files")
	if err != nil {
		t.Fatalf("Generate: %v", err)
	}
	return made.Secret
}

// enrolSecret gives a new account this secret, with no code spent.
func (f *fixture) enrolSecret(t *testing.T, secret string) string {
	t.Helper()
	key := f.store.NewAccount()
	sealed, err := f.sealer.Seal("totp|secret|"+key, []byte(secret))
	if err != nil {
		t.Fatalf("Seal: %v", err)
	}
	if err := f.store.SavePendingTOTP(t.Context(), key, "x", model.At(f.at)); err != nil {
		t.Fatalf("SavePendingTOTP: %v", err)
	}
	row := model.TOTP{AccountKey: key, Secret: sealed, Pending: "x", PendingAt: model.At(f.at), EnrolledAt: model.At(f.at)}
	if err := f.store.EnrolTOTP(t.Context(), row, ""); err != nil {
		t.Fatalf("EnrolTOTP: %v", err)
	}
	return key
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// hooked is a store that runs something before a method, or fails in it.
type hooked struct {
	totp.Store

	beforeEnrol func()
	fail        error
}

func (h hooked) TOTP(ctx context.Context, accountKey string) (model.TOTP, error) {
	if h.fail != nil {
		return model.TOTP{}, h.fail
	}
	return h.Store.TOTP(ctx, accountKey)
}

func (h hooked) EnrolTOTP(ctx context.Context, row model.TOTP, keepLogin string) error {
	if h.beforeEnrol != nil {
		h.beforeEnrol()
	}
	return h.Store.EnrolTOTP(ctx, row, keepLogin)
}
