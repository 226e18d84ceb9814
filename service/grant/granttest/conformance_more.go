package granttest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/racetest"
)

func (h Harness) consent(t *testing.T, accountKey, clientID, scopes string) {
	t.Helper()
	err := h.Store.AddConsent(t.Context(), model.GrantConsent{
		AccountKey: accountKey, ClientID: clientID, Scopes: scopes, GivenAt: at(0),
	})
	if err != nil {
		t.Fatalf("AddConsent = %v", err)
	}
}

func addsConsents(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	h.consent(t, a.Key, "b", "openid me.read")
	h.consent(t, a.Key, "b", "email openid")
	h.consent(t, a.Key, "a", "email")
	got, err := h.Store.Consents(t.Context(), a.Key)
	want := []model.GrantConsent{
		{AccountKey: a.Key, ClientID: "a", Scopes: "email", GivenAt: at(0)},
		{AccountKey: a.Key, ClientID: "b", Scopes: "email me.read openid", GivenAt: at(0)},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Consents = %v, (-want +got):\n%s", err, diff)
	}
	if got, err := h.Store.Consent(t.Context(), a.Key, "b"); err != nil || got != want[1] {
		t.Errorf("Consent = %+v, %v", got, err)
	}
	if _, err := h.Store.Consent(t.Context(), h.NewAccount(t).Key, "b"); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Consent of another = %v, want %v", err, model.ErrNotFound)
	}
	err = h.Store.AddConsent(t.Context(), model.GrantConsent{AccountKey: "nobody", ClientID: "a", GivenAt: at(0)})
	if !errors.Is(err, model.ErrStale) {
		t.Errorf("AddConsent of nobody = %v, want %v", err, model.ErrStale)
	}
}

func withdraws(t *testing.T, h Harness) {
	t.Helper()
	a, b := h.NewAccount(t), h.NewAccount(t)
	mine, also, theirs := h.open(t, a, 1), h.open(t, a, 2), h.open(t, b, 3)
	unused := h.code(t, a, 4)
	h.consent(t, a.Key, app, "openid")
	h.consent(t, b.Key, app, "openid")
	d := h.device(t, app, 1)
	h.decide(t, d, a, model.DeviceApproved)
	withdraw := func() (int64, error) { return h.Store.Withdraw(t.Context(), a.Key, app, at(time.Minute)) }
	if _, err := h.Store.Withdraw(t.Context(), a.Key, "other", at(time.Minute)); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Withdraw of nothing = %v, want %v", err, model.ErrNotFound)
	}
	if n, err := withdraw(); n != 2 || err != nil {
		t.Errorf("Withdraw = %d, %v, want 2", n, err)
	}
	h.over(t, mine.Grant.LoginID, model.EndRevoked)
	h.over(t, also.Grant.LoginID, model.EndRevoked)
	h.over(t, theirs.Grant.LoginID, "")
	if _, err := h.Store.Code(t.Context(), unused.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Code = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.DeviceCode(t.Context(), d.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("DeviceCode = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.Consent(t.Context(), b.Key, app); err != nil {
		t.Errorf("Consent of another = %v", err)
	}
	if _, err := withdraw(); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Withdraw again = %v, want %v", err, model.ErrNotFound)
	}
}

func endsClient(t *testing.T, h Harness) {
	t.Helper()
	a, b := h.NewAccount(t), h.NewAccount(t)
	mine, also, theirs := h.open(t, a, 1), h.open(t, a, 2), h.open(t, b, 3)
	unused := h.code(t, b, 4)
	h.consent(t, a.Key, app, "openid")
	h.consent(t, a.Key, "other", "openid")
	pending, foreign := h.device(t, app, 1), h.device(t, "other", 2)
	want := []string{a.Key, b.Key}
	slices.Sort(want)
	got, err := h.Store.EndClient(t.Context(), app, at(time.Minute))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("EndClient = %v, %v, want %v", got, err, want)
	}
	for _, o := range []model.GrantOpening{mine, also, theirs} {
		h.over(t, o.Grant.LoginID, model.EndRevoked)
	}
	if _, err := h.Store.Code(t.Context(), unused.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Code = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.DeviceCode(t.Context(), pending.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("DeviceCode = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.DeviceCode(t.Context(), foreign.Hash); err != nil {
		t.Errorf("DeviceCode of another app = %v", err)
	}
	if list, err := h.Store.Consents(t.Context(), a.Key); err != nil || len(list) != 1 || list[0].ClientID != "other" {
		t.Errorf("Consents = %+v, %v", list, err)
	}
	if again, err := h.Store.EndClient(t.Context(), app, at(time.Hour)); err != nil || len(again) != 0 {
		t.Errorf("EndClient again = %v, %v", again, err)
	}
}

func (h Harness) newDevice(clientID string, n int) model.DeviceCode {
	return model.DeviceCode{
		Hash: fmt.Sprintf("device %d", n), UserHash: fmt.Sprintf("user %d", n), ClientID: clientID, Scopes: "openid",
		Resource: "https://api.example", Address: "1.*.*.4", CreatedAt: at(0), ExpiresAt: at(10 * time.Minute),
		Interval: 5, State: model.DevicePending,
	}
}

func (h Harness) device(t *testing.T, clientID string, n int) model.DeviceCode {
	t.Helper()
	c := h.newDevice(clientID, n)
	if err := h.Store.AddDeviceCode(t.Context(), c, model.DeviceCodeCap{Client: 100, All: 100}); err != nil {
		t.Fatalf("AddDeviceCode = %v", err)
	}
	return c
}

// decided is a device authorization as its owner decides it.
func decided(c model.DeviceCode, a model.Account, state model.DeviceState) model.DeviceCode {
	c.State, c.AccountKey, c.DeviceKey, c.Epoch = state, a.Key, "device of "+a.Key, a.Epoch
	c.AuthTime, c.AMR = at(-time.Hour), "pwd"
	return c
}

func (h Harness) decide(t *testing.T, c model.DeviceCode, a model.Account, state model.DeviceState) {
	t.Helper()
	if err := h.Store.DecideDeviceCode(t.Context(), decided(c, a, state), at(time.Minute)); err != nil {
		t.Fatalf("DecideDeviceCode = %v", err)
	}
}

func addsDevices(t *testing.T, h Harness) {
	t.Helper()
	c := h.device(t, app, 1)
	for name, find := range map[string]func() (model.DeviceCode, error){
		"device code": func() (model.DeviceCode, error) { return h.Store.DeviceCode(t.Context(), c.Hash) },
		"user code":   func() (model.DeviceCode, error) { return h.Store.DeviceCodeFor(t.Context(), c.UserHash) },
	} {
		got, err := find()
		if diff := cmp.Diff(c, got); diff != "" || err != nil {
			t.Errorf("by %s: %v, (-want +got):\n%s", name, err, diff)
		}
	}
	if _, err := h.Store.DeviceCodeFor(t.Context(), c.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("DeviceCodeFor a device code = %v, want %v", err, model.ErrNotFound)
	}
	same := h.newDevice(app, 2)
	same.UserHash = c.UserHash
	roomy := model.DeviceCodeCap{Client: 100, All: 100}
	if err := h.Store.AddDeviceCode(t.Context(), same, roomy); !errors.Is(err, model.ErrConflict) {
		t.Errorf("AddDeviceCode of a taken user code = %v, want %v", err, model.ErrConflict)
	}
	for name, limit := range map[string]model.DeviceCodeCap{"of the app": {Client: 1, All: 100}, "in all": {Client: 100, All: 1}} {
		if err := h.Store.AddDeviceCode(t.Context(), h.newDevice(app, 3), limit); !errors.Is(err, model.ErrLimit) {
			t.Errorf("one too many %s = %v, want %v", name, err, model.ErrLimit)
		}
	}
	later := h.newDevice(app, 4)
	later.CreatedAt, later.ExpiresAt = c.ExpiresAt, model.At(c.ExpiresAt.Add(time.Minute))
	if err := h.Store.AddDeviceCode(t.Context(), later, model.DeviceCodeCap{Client: 1, All: 1}); err != nil {
		t.Errorf("AddDeviceCode beside an expired one = %v", err)
	}
}

func polls(t *testing.T, h Harness) {
	t.Helper()
	c := h.device(t, app, 1)
	first := c
	first.PolledAt, first.Interval = at(time.Second), 10
	racetest.Once(t, 8, model.ErrStale, func(int) error { return h.Store.PollDeviceCode(t.Context(), c, first) })
	second := first
	second.PolledAt = at(2 * time.Second)
	if err := h.Store.PollDeviceCode(t.Context(), first, second); err != nil {
		t.Errorf("PollDeviceCode = %v", err)
	}
	if got, err := h.Store.DeviceCode(t.Context(), c.Hash); err != nil || got != second {
		t.Errorf("DeviceCode = %+v, %v, want %+v", got, err, second)
	}
}

func decides(t *testing.T, h Harness) {
	t.Helper()
	a, changed := h.NewAccount(t), h.NewAccount(t)
	c := h.device(t, app, 1)
	h.EndAccount(t, changed.Key, at(1))
	yes := decided(c, a, model.DeviceApproved)
	if err := h.Store.DecideDeviceCode(t.Context(), decided(c, changed, model.DeviceApproved), at(1)); !errors.Is(err, model.ErrStale) {
		t.Errorf("DecideDeviceCode of an account that changed = %v, want %v", err, model.ErrStale)
	}
	if err := h.Store.DecideDeviceCode(t.Context(), yes, c.ExpiresAt); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("DecideDeviceCode at its expiry = %v, want %v", err, model.ErrNotFound)
	}
	racetest.Once(t, 8, model.ErrNotFound, func(int) error { return h.Store.DecideDeviceCode(t.Context(), yes, at(time.Minute)) })
	if got, err := h.Store.DeviceCode(t.Context(), c.Hash); err != nil || got != yes {
		t.Errorf("DeviceCode = %+v, %v, want %+v", got, err, yes)
	}
}

func redeemsDevice(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	h.SetApp(t, app, true)
	redeem := func(c model.DeviceCode, n int, when model.Time) error {
		_, err := h.Store.RedeemDeviceCode(t.Context(), c.Hash, opening(a, n, when))
		return err
	}
	c, denied := h.device(t, app, 1), h.device(t, app, 2)
	if err := redeem(c, 1, at(1)); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("RedeemDeviceCode while it is pending = %v, want %v", err, model.ErrNotFound)
	}
	h.decide(t, denied, a, model.DeviceDenied)
	if err := redeem(denied, 1, at(time.Minute)); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("RedeemDeviceCode of a denied one = %v, want %v", err, model.ErrNotFound)
	}
	h.decide(t, c, a, model.DeviceApproved)
	if err := redeem(c, 1, c.ExpiresAt); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("RedeemDeviceCode at its expiry = %v, want %v", err, model.ErrNotFound)
	}
	racetest.Once(t, 16, model.ErrNotFound, func(i int) error { return redeem(c, 1, at(time.Minute)) })
	h.over(t, opening(a, 1, at(0)).Grant.LoginID, "")
	late := h.device(t, app, 3)
	h.decide(t, late, a, model.DeviceApproved)
	h.EndAccount(t, a.Key, at(2*time.Minute))
	if err := redeem(late, 3, at(3*time.Minute)); !errors.Is(err, model.ErrStale) {
		t.Errorf("RedeemDeviceCode of an account that changed = %v, want %v", err, model.ErrStale)
	}
}

func (h Harness) clean(t *testing.T, now, expired model.Time, atMost int) int64 {
	t.Helper()
	n, err := h.Store.Clean(t.Context(), model.GrantCleaning{Now: now, ExpiredAt: expired, AtMost: atMost})
	if err != nil {
		t.Fatalf("Clean = %v", err)
	}
	return n
}

func cleans(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	live, ended := h.open(t, a, 1), h.open(t, a, 2)
	h.EndLogin(t, ended.Grant.LoginID, at(time.Minute))
	unused, device := h.code(t, a, 3), h.device(t, app, 1)
	if n := h.clean(t, at(time.Minute), at(time.Minute), 100); n != 0 {
		t.Errorf("Clean = %d while nothing is due", n)
	}
	// Two codes (unused, and used for what ended), a family, a device code.
	if n := h.clean(t, at(20*time.Minute), at(20*time.Minute), 100); n != 4 {
		t.Errorf("Clean = %d, want 4", n)
	}
	if _, err := h.Store.Code(t.Context(), unused.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Code = %v, want %v", err, model.ErrNotFound)
	}
	if _, err := h.Store.DeviceCode(t.Context(), device.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("DeviceCode = %v, want %v", err, model.ErrNotFound)
	}
	for _, token := range ended.Tokens {
		if _, err := h.Store.Token(t.Context(), token.Hash); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("Token of a login that ended = %v, want %v", err, model.ErrNotFound)
		}
	}
	for _, token := range live.Tokens {
		if _, err := h.Store.Token(t.Context(), token.Hash); err != nil {
			t.Errorf("Token of a live login = %v", err)
		}
	}
	if n := h.clean(t, at(2*time.Hour), at(2*time.Hour), 100); n != 1 {
		t.Errorf("Clean = %d, want 1: the access token", n)
	}
	for n := 10; n < 15; n++ {
		h.code(t, a, n)
	}
	if n := h.clean(t, at(2*time.Hour), at(2*time.Hour), 2); n != 2 {
		t.Errorf("Clean of at most two = %d", n)
	}
}

func keepsUsed(t *testing.T, h Harness) {
	t.Helper()
	o := h.open(t, h.NewAccount(t), 1)
	hash := fmt.Sprintf("%064d", 1)
	month := at(30 * 24 * time.Hour)
	h.clean(t, month, month, 100)
	if n, err := h.Store.EndRedeemed(t.Context(), hash, month); n != 1 || err != nil {
		t.Errorf("EndRedeemed after a month = %d, %v, want 1", n, err)
	}
	h.over(t, o.Grant.LoginID, model.EndReused)
	h.clean(t, month, month, 100)
	if _, err := h.Store.Code(t.Context(), hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Code = %v, want %v", err, model.ErrNotFound)
	}
}
