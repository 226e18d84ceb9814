package granttest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/grant"
	"latchkey/service/racetest"
)

// Harness is a fresh store and what it needs from others.
type Harness struct {
	Store      grant.Store
	NewAccount func(t *testing.T) model.Account
	SetApp     func(t *testing.T, clientID string, inUse bool)
	NewLogin   func(t *testing.T, l model.Login) // of an account that is there
	Login      func(t *testing.T, id string) (model.Login, error)
	EndLogin   func(t *testing.T, id string, at model.Time)
	EndAccount func(t *testing.T, key string, at model.Time) // as a change of password does
	Delete     func(t *testing.T, key string)                // the account
}

const app = "0a11"

// at is an instant of the suite, so long after its start.
func at(after time.Duration) model.Time {
	return model.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(after))
}

// Conformance checks that a store keeps the promises of grant.Store. open makes
// a fresh one for each part.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Harness){
		"a code comes back as it was stored":                  keepsCode,
		"the oldest unused codes go":                          boundsCodes,
		"a code opens a login once":                           redeemsOnce,
		"of 16 exchanges at once one opens, and is ended":     parallelRedeem,
		"an expired code opens nothing":                       redeemsInTime,
		"a burnt code ends nothing":                           burns,
		"an account that changed opens nothing":               checksEpoch,
		"an app that is off opens nothing":                    checksApp,
		"a token comes with its family and login":             findsToken,
		"a pair needs a live login":                           addsPair,
		"a refresh token is used once":                        rotatesOnce,
		"of 16 rotations at once one counts":                  parallelRotate,
		"nothing dead is rotated":                             rotatesLive,
		"the tokens of a family are bounded":                  boundsFamily,
		"a family ends with its successors":                   endsFamily,
		"an access token ends alone if it can be renewed":     endsToken,
		"consents grow and are listed":                        addsConsents,
		"what an account gave is withdrawn, and no more":      withdraws,
		"all that an app has ends":                            endsClient,
		"device codes are found by both codes and bounded":    addsDevices,
		"of polls at once one counts":                         polls,
		"a device is decided once":                            decides,
		"an approved device opens a login once":               redeemsDevice,
		"successors are dropped when their grace is over":     dropsSuccessors,
		"what is dead is forgotten, and nothing else":         cleans,
		"a used code is kept while there is something to end": keepsUsed,
		"all goes with the account":                           goesWithAccount,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func (h Harness) code(t *testing.T, a model.Account, n int) model.GrantCode {
	t.Helper()
	h.SetApp(t, app, true)
	c := model.GrantCode{
		Hash: fmt.Sprintf("%064d", n), ClientID: app, AccountKey: a.Key, DeviceKey: "device of " + a.Key, Epoch: a.Epoch,
		RedirectURI: "https://app.example/back?x=ü", Scopes: "email openid", Challenge: "challenge", Nonce: "nonce",
		Resource: "https://api.example", AuthTime: at(-time.Minute), AMR: "pwd otp",
		CreatedAt: at(time.Duration(n) * time.Millisecond), ExpiresAt: at(time.Minute),
	}
	if err := h.Store.AddCode(t.Context(), c, 100); err != nil {
		t.Fatalf("AddCode = %v", err)
	}
	return c
}

// opening is the login of the app, with n in all its names.
func opening(a model.Account, n int, when model.Time) model.GrantOpening {
	login := fmt.Sprintf("%032d", n)
	token := func(kind model.GrantTokenKind, lives time.Duration) model.GrantToken {
		return model.GrantToken{
			Hash: fmt.Sprintf("%s of %d", kind, n), Kind: kind, LoginID: login, AccountKey: a.Key, Scopes: "openid",
			CreatedAt: when, ExpiresAt: model.At(when.Add(lives)),
		}
	}
	device := "device of " + a.Key
	return model.GrantOpening{
		Opening: model.LoginOpening{
			Login: model.Login{
				ID: login, AccountKey: a.Key, DeviceKey: device, Kind: model.LoginApp,
				CreatedAt: when, SeenAt: when, ExpiresAt: model.At(when.Add(365 * 24 * time.Hour)),
			},
			Device: model.Device{Key: device, AccountKey: a.Key, Kind: model.DeviceOAuth, UserAgent: "App", CreatedAt: when, SeenAt: when},
			Live:   model.Live{At: when}, Epoch: a.Epoch, DeviceCap: 100, LoginCap: 20, KeepEnded: 1000, KeepIdle: 100,
		},
		Grant: model.Grant{
			LoginID: login, AccountKey: a.Key, ClientID: app, Scopes: "email openid", Resource: "https://api.example",
			AuthTime: at(-time.Minute), AMR: "pwd otp", RefreshSeconds: 7_776_000, CreatedAt: when,
		},
		Tokens: []model.GrantToken{token(model.AccessToken, time.Hour), token(model.RefreshToken, 90*24*time.Hour)},
	}
}

// open makes the n-th family of the account.
func (h Harness) open(t *testing.T, a model.Account, n int) model.GrantOpening {
	t.Helper()
	c, o := h.code(t, a, n), opening(a, n, at(time.Second))
	if _, err := h.Store.Redeem(t.Context(), c.Hash, o); err != nil {
		t.Fatalf("Redeem = %v", err)
	}
	return o
}

// over checks why a login ended; empty: it has not.
func (h Harness) over(t *testing.T, id string, want model.EndReason) {
	t.Helper()
	if l, err := h.Login(t, id); err != nil || l.EndReason != want || l.EndedAt.IsZero() != (want == "") {
		t.Errorf("login %s ended for %q, %v, want %q", id, l.EndReason, err, want)
	}
}

func keepsCode(t *testing.T, h Harness) {
	t.Helper()
	c := h.code(t, h.NewAccount(t), 1)
	got, err := h.Store.Code(t.Context(), c.Hash)
	if diff := cmp.Diff(c, got); diff != "" || err != nil {
		t.Errorf("Code = %v, (-want +got):\n%s", err, diff)
	}
	if _, err := h.Store.Code(t.Context(), "unknown"); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Code of nothing = %v, want %v", err, model.ErrNotFound)
	}
	c.Hash, c.AccountKey = "other", strings.Repeat("f", 32)
	if err := h.Store.AddCode(t.Context(), c, 100); !errors.Is(err, model.ErrStale) {
		t.Errorf("AddCode of nobody = %v, want %v", err, model.ErrStale)
	}
}

func boundsCodes(t *testing.T, h Harness) {
	t.Helper()
	a, other := h.NewAccount(t), h.NewAccount(t)
	kept := h.code(t, other, 99)
	used := h.code(t, a, 0)
	if err := h.Store.BurnCode(t.Context(), used.Hash, at(1)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 5; n++ {
		c := h.code(t, a, n)
		c.Hash, c.CreatedAt = c.Hash[1:]+"x", model.At(c.CreatedAt.Add(time.Microsecond*500))
		if err := h.Store.AddCode(t.Context(), c, 3); err != nil {
			t.Fatalf("AddCode = %v", err)
		}
	}
	for hash, want := range map[string]bool{
		used.Hash: true, kept.Hash: true, fmt.Sprintf("%064d", 1): false, fmt.Sprintf("%064d", 5): true,
	} {
		if _, err := h.Store.Code(t.Context(), hash); (err == nil) != want {
			t.Errorf("Code(%s) = %v, want it there: %v", hash, err, want)
		}
	}
}

func redeemsOnce(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	c, o := h.code(t, a, 1), opening(a, 1, at(time.Second))
	if _, err := h.Store.EndRedeemed(t.Context(), c.Hash, at(1)); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("EndRedeemed of an unused code = %v, want %v", err, model.ErrNotFound)
	}
	if n, err := h.Store.Redeem(t.Context(), c.Hash, o); n != 0 || err != nil {
		t.Fatalf("Redeem = %d, %v", n, err)
	}
	l, err := h.Login(t, o.Grant.LoginID)
	if diff := cmp.Diff(o.Opening.Login, l); diff != "" || err != nil {
		t.Errorf("login: %v, (-want +got):\n%s", err, diff)
	}
	if got, err := h.Store.Code(t.Context(), c.Hash); err != nil || got.UsedAt != at(time.Second) || got.LoginID != l.ID {
		t.Errorf("used code = %+v, %v", got, err)
	}
	second := opening(a, 2, at(2*time.Second))
	if n, err := h.Store.Redeem(t.Context(), c.Hash, second); n != 1 || !errors.Is(err, model.ErrConflict) {
		t.Errorf("second Redeem = %d, %v, want 1 ended and %v", n, err, model.ErrConflict)
	}
	h.over(t, o.Grant.LoginID, model.EndReused)
	if _, err := h.Login(t, second.Grant.LoginID); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("the second login: %v, want %v", err, model.ErrNotFound)
	}
	if n, err := h.Store.EndRedeemed(t.Context(), c.Hash, at(3*time.Second)); n != 0 || err != nil {
		t.Errorf("EndRedeemed again = %d, %v, want 0", n, err)
	}
}

// O-02.
func parallelRedeem(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	c := h.code(t, a, 1)
	racetest.Once(t, 16, model.ErrConflict, func(i int) error {
		_, err := h.Store.Redeem(t.Context(), c.Hash, opening(a, 100+i, at(time.Second)))
		return err
	})
	code, err := h.Store.Code(t.Context(), c.Hash)
	if err != nil {
		t.Fatal(err)
	}
	h.over(t, code.LoginID, model.EndReused)
}

func redeemsInTime(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	c := h.code(t, a, 1)
	if _, err := h.Store.Redeem(t.Context(), c.Hash, opening(a, 1, at(time.Minute))); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Redeem at its expiry = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.Redeem(t.Context(), "unknown", opening(a, 1, at(1))); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Redeem of nothing = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.Redeem(t.Context(), c.Hash, opening(a, 1, at(time.Minute-time.Millisecond))); err != nil {
		t.Errorf("Redeem just before its expiry = %v", err)
	}
}

func burns(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	live := h.open(t, a, 1)
	c := h.code(t, a, 2)
	if err := h.Store.BurnCode(t.Context(), c.Hash, at(time.Second)); err != nil {
		t.Fatalf("BurnCode = %v", err)
	}
	if n, err := h.Store.Redeem(t.Context(), c.Hash, opening(a, 2, at(time.Second))); n != 0 || !errors.Is(err, model.ErrConflict) {
		t.Errorf("Redeem of a burnt code = %d, %v, want %v", n, err, model.ErrConflict)
	}
	if err := h.Store.BurnCode(t.Context(), fmt.Sprintf("%064d", 1), at(time.Hour)); err != nil {
		t.Errorf("BurnCode of a used code = %v", err)
	}
	if got, err := h.Store.Code(t.Context(), fmt.Sprintf("%064d", 1)); err != nil || got.UsedAt != at(time.Second) {
		t.Errorf("a used code was burnt: %+v, %v", got, err)
	}
	h.over(t, live.Grant.LoginID, "")
}

func checksEpoch(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	c := h.code(t, a, 1)
	h.EndAccount(t, a.Key, at(1))
	o := opening(a, 1, at(time.Second))
	if _, err := h.Store.Redeem(t.Context(), c.Hash, o); !errors.Is(err, model.ErrStale) {
		t.Errorf("Redeem after a change of password = %v, want %v", err, model.ErrStale)
	}
	if _, err := h.Login(t, o.Grant.LoginID); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("its login: %v, want %v", err, model.ErrNotFound)
	}
}

func checksApp(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	o := h.open(t, a, 1)
	c := h.code(t, a, 2)
	h.SetApp(t, app, false)
	if _, err := h.Store.Redeem(t.Context(), c.Hash, opening(a, 2, at(time.Second))); !errors.Is(err, model.ErrStale) {
		t.Errorf("Redeem for an app that is off = %v, want %v", err, model.ErrStale)
	}
	if _, err := h.Store.Rotate(t.Context(), rotation(o, 1, at(time.Minute))); !errors.Is(err, model.ErrStale) {
		t.Errorf("Rotate for an app that is off = %v, want %v", err, model.ErrStale)
	}
	if got, err := h.Store.Token(t.Context(), o.Tokens[1].Hash); err != nil || !got.RotatedAt.IsZero() {
		t.Errorf("its refresh token was used: %+v, %v", got, err)
	}
}

func goesWithAccount(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	o := h.open(t, a, 1)
	h.consent(t, a.Key, app, "openid")
	unused := h.code(t, a, 2)
	h.Delete(t, a.Key)
	for _, tt := range o.Tokens {
		if _, err := h.Store.Token(t.Context(), tt.Hash); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("Token = %v, want %v", err, model.ErrNotFound)
		}
	}
	if _, err := h.Store.Consent(t.Context(), a.Key, app); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Consent = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.Redeem(t.Context(), unused.Hash, opening(a, 2, at(1))); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Redeem = %v, want %v", err, model.ErrNotFound)
	}
}
