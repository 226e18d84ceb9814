package session_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/revocation"
	"latchkey/service/session"
	"latchkey/service/session/sessiontest"
)

// start is not a whole second, as most sign-ins are not.
var start = time.Date(2026, 3, 1, 12, 0, 0, 789_000_000, time.UTC)

const (
	laptop  = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
	phone   = "550e8400-e29b-41d4-a716-446655440000"
	browser = "Mozilla/5.0 (X11; Linux x86_64)"
)

// clock is a time that tests set.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.set(start)
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) set(t time.Time)         { c.at.Store(t.UnixNano()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

func newRing(t testing.TB, now func() time.Time) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), keyringtest.New(), []byte("0123456789abcdefghijklmnopqrstuv"), now)
	if err != nil {
		t.Fatalf("keyring.Open = %v", err)
	}
	return ring
}

// watched is the fake, counting and open to mischief.
type watched struct {
	*sessiontest.Store

	calls atomic.Int64
	reads atomic.Int64 // of one login

	mu     sync.Mutex
	fail   error  // what every method answers
	read   func() // runs when a login was read and its reader does not know yet
	opened func() // runs before a login is opened
	writes func() // runs before touches are written
}

var errBroken = errors.New("broken disk")

func (w *watched) call() error {
	w.calls.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fail
}

func (w *watched) breakDown(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *watched) onRead(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.read = fn
}

func (w *watched) onOpen(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = fn
}

func (w *watched) onTouch(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = fn
}

func (w *watched) hook(which *func()) {
	w.mu.Lock()
	fn := *which
	w.mu.Unlock()
	if fn != nil {
		fn()
	}
}

func (w *watched) OpenLogin(ctx context.Context, o model.LoginOpening) (int64, error) {
	if err := w.call(); err != nil {
		return 0, err
	}
	w.hook(&w.opened)
	return w.Store.OpenLogin(ctx, o)
}

func (w *watched) Login(ctx context.Context, id string) (model.Login, error) {
	w.reads.Add(1)
	if err := w.call(); err != nil {
		return model.Login{}, err
	}
	row, err := w.Store.Login(ctx, id)
	w.hook(&w.read)
	return row, err
}

func (w *watched) EndLogin(ctx context.Context, accountKey, id string, why model.EndReason, at model.Time) (int64, error) {
	if err := w.call(); err != nil {
		return 0, err
	}
	return w.Store.EndLogin(ctx, accountKey, id, why, at)
}

func (w *watched) EndDevice(ctx context.Context, accountKey, deviceKey string, why model.EndReason, at model.Time) (model.Device, int64, error) {
	if err := w.call(); err != nil {
		return model.Device{}, 0, err
	}
	return w.Store.EndDevice(ctx, accountKey, deviceKey, why, at)
}

func (w *watched) EndOthers(ctx context.Context, accountKey, keepLogin string, why model.EndReason, l model.Live) (devices, logins int64, err error) {
	if err := w.call(); err != nil {
		return 0, 0, err
	}
	return w.Store.EndOthers(ctx, accountKey, keepLogin, why, l)
}

func (w *watched) FreshenLogin(ctx context.Context, p model.LoginProof) error {
	if err := w.call(); err != nil {
		return err
	}
	return w.Store.FreshenLogin(ctx, p)
}

func (w *watched) Devices(ctx context.Context, accountKey string, l model.Live) ([]model.DeviceView, error) {
	if err := w.call(); err != nil {
		return nil, err
	}
	return w.Store.Devices(ctx, accountKey, l)
}

func (w *watched) DeviceSeen(ctx context.Context, accountKey, deviceKey string, since model.Time) (bool, error) {
	if err := w.call(); err != nil {
		return false, err
	}
	return w.Store.DeviceSeen(ctx, accountKey, deviceKey, since)
}

func (w *watched) DropInactive(ctx context.Context, accountID int64, deviceKey string, l model.Live) (int64, error) {
	if err := w.call(); err != nil {
		return 0, err
	}
	return w.Store.DropInactive(ctx, accountID, deviceKey, l)
}

func (w *watched) Touch(ctx context.Context, touches []model.Touch) error {
	w.hook(&w.writes)
	if err := w.call(); err != nil {
		return err
	}
	return w.Store.Touch(ctx, touches)
}

func (w *watched) Clean(ctx context.Context, c model.Cleaning) (int64, []string, error) {
	if err := w.call(); err != nil {
		return 0, nil, err
	}
	return w.Store.Clean(ctx, c)
}

// fixture is the service on the working fake, with one account.
type fixture struct {
	*session.Service

	t     testing.TB
	cfg   session.Config
	store *watched
	ring  *keyring.Ring
	hub   *revocation.Hub
	clock *clock
	alice model.Account
}

func newFixture(t testing.TB, change ...func(*session.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &watched{Store: sessiontest.New()}, clock: newClock(), cfg: session.Defaults()}
	for _, fn := range change {
		fn(&f.cfg)
	}
	if err := f.cfg.Validate(); err != nil {
		t.Fatalf("Validate = %v", err)
	}
	f.ring = newRing(t, f.clock.now)
	f.alice = f.store.AddAccount(model.Account{Username: "alice", Epoch: 7})
	f.restart()
	return f
}

// restart makes the service anew: it remembers nothing.
func (f *fixture) restart() { f.restartOn(f.store) }

func (f *fixture) restartOn(store session.Store) {
	f.hub = &revocation.Hub{}
	log := slog.New(slog.DiscardHandler)
	f.Service = session.New(f.cfg, session.Deps{
		Store: store, Ring: f.ring, Hub: f.hub, Audit: audit.New(log), Log: log, Now: f.clock.now,
		DeviceTTL: func() time.Duration { return 24 * time.Hour },
	})
}

// from is a successful sign-in of the account under the Client-Id.
func from(a model.Account, clientID string) session.Opening {
	return session.Opening{
		AccountKey: a.Key, Epoch: a.Epoch, Username: a.Username, ClientID: clientID,
		UserAgent: browser, Address: "192.0.2.7",
	}
}

func (f *fixture) open(o session.Opening) session.Opened {
	f.t.Helper()
	opened, err := f.Open(f.t.Context(), o)
	if err != nil {
		f.t.Fatalf("Open = %v", err)
	}
	return opened
}

func (f *fixture) signIn(a model.Account, clientID string) session.Opened {
	f.t.Helper()
	return f.open(from(a, clientID))
}

func (f *fixture) resolve(token, clientID string) (session.Login, error) {
	return f.Resolve(f.t.Context(), session.Presented{
		Token: token, ClientID: clientID, UserAgent: browser, Address: "192.0.2.7",
	})
}

// wantIn checks what becomes of a token; nil means that it is let in.
func (f *fixture) wantIn(token, clientID string, want error) {
	f.t.Helper()
	if _, err := f.resolve(token, clientID); !errors.Is(err, want) {
		f.t.Errorf("Resolve under %q = %v, want %v", clientID, err, want)
	}
}

// caller is who the token's owner is to other services.
func (f *fixture) caller(o session.Opened) access.Caller {
	f.t.Helper()
	login, err := f.resolve(o.Token, "")
	if err != nil {
		f.t.Fatalf("Resolve = %v", err)
	}
	return access.Caller{
		Kind: access.SessionToken, Account: &access.Account{Key: login.AccountKey, RoleIDs: []int64{3}},
		DeviceKey: login.DeviceKey, LoginID: login.ID, FreshAt: login.FreshAt,
	}
}

func (f *fixture) evict(by access.Caller, deviceKey string) {
	f.t.Helper()
	if err := f.Evict(f.t.Context(), by, deviceKey); err != nil {
		f.t.Fatalf("Evict = %v", err)
	}
}

// devices is the caller's list by device key.
func (f *fixture) devices(by access.Caller) map[string]model.DeviceView {
	f.t.Helper()
	list, err := f.List(f.t.Context(), by)
	if err != nil {
		f.t.Fatalf("List = %v", err)
	}
	views := map[string]model.DeviceView{}
	for _, d := range list {
		views[d.Key] = d
	}
	return views
}

func (f *fixture) row(id string) model.Login {
	f.t.Helper()
	row, err := f.store.Store.Login(f.t.Context(), id)
	if err != nil {
		f.t.Fatalf("Login = %v", err)
	}
	return row
}

// endAccount is how another service ends the account's logins.
func (f *fixture) endAccount(key string, why model.EndReason) {
	f.store.EndAccount(key, why, model.At(f.clock.now()))
	f.hub.Publish(f.t.Context(), revocation.Notice{AccountKey: key})
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// signed is the two texts as a token, with the very key that signs real ones.
func (f *fixture) signed(head, payload string) string {
	return f.sealed(b64(head) + "." + b64(payload))
}

func (f *fixture) sealed(signed string) string {
	mac := hmac.New(sha256.New, f.ring.Signing().Secret)
	mac.Write([]byte(signed))
	return signed + "." + b64(string(mac.Sum(nil)))
}

// head is the header of every real token.
func (f *fixture) head() string {
	return fmt.Sprintf(`{"alg":"HS256","kid":"%s","typ":"JWT"}`, f.ring.Signing().ID)
}
