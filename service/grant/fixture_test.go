package grant_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/grant"
	"latchkey/service/grant/granttest"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

const (
	app, other = "0a11", "0b0b"
	back       = "https://app.example/back"
	verifier   = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	day        = 24 * time.Hour
)

var (
	start   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errOver = fault.New(fault.Unauthenticated, "session_inactive", "session inactive")
	errGone = fault.New(fault.NotFound, "client_unknown", "no such app")
)

// counted is the fake, counting what is asked.
type counted struct {
	*granttest.Store

	reads atomic.Int64 // of tokens
	calls atomic.Int64 // of the upkeep
}

func (c *counted) Token(ctx context.Context, hash string) (model.GrantView, error) {
	c.reads.Add(1)
	return c.Store.Token(ctx, hash)
}

func (c *counted) DropSuccessors(ctx context.Context, before model.Time, atMost int) (bool, error) {
	c.calls.Add(1)
	return c.Store.DropSuccessors(ctx, before, atMost)
}

// house is the service on its working store, and what it told others.
type house struct {
	*grant.Service

	t     testing.TB
	store *counted
	clock atomic.Int64
	alice access.Caller

	mu     sync.Mutex
	apps   map[string]grant.App
	told   []string // events and endings, in order
	uses   int
	logins int
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, store: &counted{Store: granttest.New()}, apps: map[string]grant.App{}}
	h.set(start)
	h.addApp(app, "email", "me.read", "offline_access", "openid", "session.read")
	h.addApp(other, "openid", "offline_access")
	h.store.AddAccount("a11ce")
	h.alice = access.Caller{Kind: access.SessionToken, Account: &access.Account{Key: "a11ce"}}
	ring, err := keyring.Open(t.Context(), keyringtest.New(), keyringtest.Master(), h.now)
	if err != nil {
		t.Fatal(err)
	}
	hub := &revocation.Hub{}
	hub.Subscribe(func(_ context.Context, n revocation.Notice) { h.tell("ended " + n.AccountKey) })
	h.Service = grant.New(grant.Defaults(), grant.Deps{
		Store: h.store, Hub: hub, Now: h.now, Seal: ring.Seal, Open: ring.Open, Log: slog.New(slog.DiscardHandler),
		Record:  func(_ context.Context, e audit.Event) error { h.tell(string(e.Kind)); return nil },
		Note:    func(_ context.Context, e audit.Event) { h.tell(string(e.Kind)) },
		Device:  func(accountKey, clientID string) string { return accountKey + clientID },
		Reused:  func(context.Context, grant.Reuse) { h.tell("told") },
		App:     h.app,
		Opening: h.opening,
		Use:     h.use,
	})
	return h
}

func (h *house) now() time.Time          { return time.UnixMilli(h.clock.Load()).UTC() }
func (h *house) set(at time.Time)        { h.clock.Store(at.UnixMilli()) }
func (h *house) advance(d time.Duration) { h.set(h.now().Add(d)) }

func (h *house) tell(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, what)
}

// heard is what was told since the last time.
func (h *house) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.told
	h.told = nil
	return list
}

func (h *house) addApp(id string, scopes ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.apps[id] = grant.App{ID: id, Name: "App " + id, Scopes: scopes}
	h.store.SetApp(id, true)
}

func (h *house) app(_ context.Context, id string) (grant.App, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.apps[id]
	if !ok {
		return a, errGone
	}
	return a, nil
}

func (h *house) opening(o grant.Opening) model.LoginOpening {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logins++
	at := model.At(o.At)
	return model.LoginOpening{Epoch: o.Epoch, Login: model.Login{
		ID: fmt.Sprint("login ", h.logins), AccountKey: o.AccountKey, Kind: model.LoginApp,
		CreatedAt: at, SeenAt: at, ExpiresAt: model.At(at.Add(o.For)),
	}}
}

func (h *house) use(ctx context.Context, u grant.Use) error {
	h.mu.Lock()
	h.uses++
	h.mu.Unlock()
	l, err := h.store.Login(ctx, u.LoginID)
	if err != nil || l.EndReason != "" || !l.ExpiresAt.After(h.now()) {
		return errOver
	}
	return nil
}

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// code is a code for the app with these scopes.
func (h *house) code(scopes ...string) string {
	h.t.Helper()
	code, err := h.Code(h.t.Context(), grant.Approval{
		ClientID: app, AccountKey: "a11ce", Scopes: scopes, RedirectURI: back, Challenge: challenge(verifier), Nonce: "n",
		Resource: "https://api.example", AuthTime: start.Add(-time.Minute), AMR: []string{"pwd", "otp"},
	})
	if err != nil {
		h.t.Fatalf("Code = %v", err)
	}
	return code
}

func exchange(code string) grant.Redemption {
	return grant.Redemption{Code: code, ClientID: app, RedirectURI: back, Verifier: verifier, Address: "192.0.2.7"}
}

// tokens are those of a new family.
func (h *house) tokens(scopes ...string) grant.Tokens {
	h.t.Helper()
	t, err := h.Redeem(h.t.Context(), exchange(h.code(scopes...)))
	if err != nil {
		h.t.Fatalf("Redeem = %v", err)
	}
	return t
}

func (h *house) refresh(token string) (grant.Tokens, error) {
	return h.Refresh(h.t.Context(), grant.Refreshing{Token: token, ClientID: app})
}

func (h *house) refreshed(token string) grant.Tokens {
	h.t.Helper()
	t, err := h.refresh(token)
	if err != nil {
		h.t.Fatalf("Refresh = %v", err)
	}
	return t
}

// over checks that a login has ended, and why; empty: that it has not.
func (h *house) over(id string, want model.EndReason) {
	h.t.Helper()
	if l, err := h.store.Login(h.t.Context(), id); err != nil || l.EndReason != want {
		h.t.Errorf("login %s ended for %q, %v, want %q", id, l.EndReason, err, want)
	}
}

func (h *house) wants(err, want error, what string) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Errorf("%s = %v, want %v", what, err, want)
	}
}

func same(a, b grant.Tokens) bool {
	return a.Access == b.Access && a.Refresh == b.Refresh && a.AccessExpires.Equal(b.AccessExpires) &&
		a.RefreshExpires.Equal(b.RefreshExpires) && slices.Equal(a.Scopes, b.Scopes) && a.LoginID == b.LoginID
}

// bearer is a secret of the kind that nobody was given.
func bearer(p secret.Prefix) string { return secret.NewBearer(p) }

// hashOf is a text as rows keep it.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
