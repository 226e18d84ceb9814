package granttest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/racetest"
)

// rotation uses the family's first refresh token for the n-th time.
func rotation(o model.GrantOpening, n int, when model.Time) model.GrantRotation {
	next := func(kind model.GrantTokenKind, lives time.Duration) model.GrantToken {
		return model.GrantToken{
			Hash: fmt.Sprintf("%s %d of %s", kind, n, o.Grant.LoginID), Kind: kind, LoginID: o.Grant.LoginID,
			AccountKey: o.Grant.AccountKey, Scopes: "openid", CreatedAt: when, ExpiresAt: model.At(when.Add(lives)),
		}
	}
	return model.GrantRotation{
		Hash: o.Tokens[1].Hash, LoginID: o.Grant.LoginID, ClientID: o.Grant.ClientID, At: when, Successor: fmt.Sprintf("sealed %d", n),
		Tokens: []model.GrantToken{next(model.AccessToken, time.Hour), next(model.RefreshToken, 24*time.Hour)},
		Keep:   model.GrantKeep{Access: 100, Refresh: 1000},
	}
}

func findsToken(t *testing.T, h Harness) {
	t.Helper()
	o := h.open(t, h.NewAccount(t), 1)
	for _, token := range o.Tokens {
		want := model.GrantView{
			GrantToken: token, Grant: o.Grant, DeviceKey: o.Opening.Login.DeviceKey, LoginEnds: o.Opening.Login.ExpiresAt,
		}
		got, err := h.Store.Token(t.Context(), token.Hash)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Token = %v, (-want +got):\n%s", err, diff)
		}
	}
	h.EndLogin(t, o.Grant.LoginID, at(time.Minute))
	if got, err := h.Store.Token(t.Context(), o.Tokens[0].Hash); err != nil || got.EndReason != model.EndEvicted {
		t.Errorf("Token of a login that ended = %q, %v", got.EndReason, err)
	}
	if _, err := h.Store.Token(t.Context(), "unknown"); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Token of nothing = %v, want %v", err, model.ErrNotFound)
	}
}

func addsPair(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	o := opening(a, 1, at(0))
	o.Grant.ClientID = ""
	add := func(when model.Time) error { return h.Store.AddGrant(t.Context(), o.Grant, o.Tokens, when) }
	if err := add(at(1)); !errors.Is(err, model.ErrStale) {
		t.Errorf("AddGrant to no login = %v, want %v", err, model.ErrStale)
	}
	l := o.Opening.Login
	l.Kind = model.LoginPair
	h.NewLogin(t, l)
	if err := add(l.ExpiresAt); !errors.Is(err, model.ErrStale) {
		t.Errorf("AddGrant to an expired login = %v, want %v", err, model.ErrStale)
	}
	foreign := o.Grant
	foreign.AccountKey = h.NewAccount(t).Key
	if err := h.Store.AddGrant(t.Context(), foreign, o.Tokens, at(1)); !errors.Is(err, model.ErrStale) {
		t.Errorf("AddGrant to somebody else's login = %v, want %v", err, model.ErrStale)
	}
	if err := add(at(1)); err != nil {
		t.Errorf("AddGrant = %v", err)
	}
	if _, err := h.Store.Rotate(t.Context(), rotation(o, 1, at(time.Second))); err != nil {
		t.Errorf("Rotate of a pair = %v", err)
	}
}

func rotatesOnce(t *testing.T, h Harness) {
	t.Helper()
	o := h.open(t, h.NewAccount(t), 1)
	r := rotation(o, 1, at(time.Minute))
	if forgot, err := h.Store.Rotate(t.Context(), r); forgot || err != nil {
		t.Fatalf("Rotate = %v, %v", forgot, err)
	}
	used, err := h.Store.Token(t.Context(), r.Hash)
	if err != nil || used.RotatedAt != r.At || used.Successor != r.Successor {
		t.Errorf("used token = %+v, %v", used.GrantToken, err)
	}
	for _, token := range r.Tokens {
		if got, err := h.Store.Token(t.Context(), token.Hash); err != nil || got.GrantToken != token {
			t.Errorf("Token = %+v, %v, want %+v", got.GrantToken, err, token)
		}
	}
	if _, err := h.Store.Rotate(t.Context(), rotation(o, 2, at(time.Minute))); !errors.Is(err, model.ErrStale) {
		t.Errorf("second Rotate = %v, want %v", err, model.ErrStale)
	}
	h.over(t, o.Grant.LoginID, "")
}

// O-07.
func parallelRotate(t *testing.T, h Harness) {
	t.Helper()
	o := h.open(t, h.NewAccount(t), 1)
	racetest.Once(t, 16, model.ErrStale, func(i int) error {
		_, err := h.Store.Rotate(t.Context(), rotation(o, i, at(time.Minute)))
		return err
	})
	unused := 0
	for i := range 16 {
		got, err := h.Store.Token(t.Context(), rotation(o, i, at(time.Minute)).Tokens[1].Hash)
		if err == nil && got.RotatedAt.IsZero() {
			unused++
		}
	}
	if unused != 1 {
		t.Errorf("%d unused refresh tokens, want 1", unused)
	}
}

func rotatesLive(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	for name, spoil := range map[string]func(o model.GrantOpening, r *model.GrantRotation){
		"an unknown token":           func(_ model.GrantOpening, r *model.GrantRotation) { r.Hash = "unknown" },
		"an access token":            func(o model.GrantOpening, r *model.GrantRotation) { r.Hash = o.Tokens[0].Hash },
		"another family's token":     func(_ model.GrantOpening, r *model.GrantRotation) { r.LoginID = "other" },
		"a token at its expiry":      func(o model.GrantOpening, r *model.GrantRotation) { r.At = o.Tokens[1].ExpiresAt },
		"a token of an ended login":  func(o model.GrantOpening, _ *model.GrantRotation) { h.EndLogin(t, o.Grant.LoginID, at(2)) },
		"a token of an ended family": func(o model.GrantOpening, _ *model.GrantRotation) { h.endFamily(t, o) },
	} {
		n := len(name) * 1000
		o := h.open(t, a, n)
		r := rotation(o, n, at(time.Minute))
		spoil(o, &r)
		if _, err := h.Store.Rotate(t.Context(), r); !errors.Is(err, model.ErrStale) {
			t.Errorf("Rotate of %s = %v, want %v", name, err, model.ErrStale)
		}
		if _, err := h.Store.Token(t.Context(), r.Tokens[0].Hash); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("%s has successors: %v", name, err)
		}
	}
}

func (h Harness) endFamily(t *testing.T, o model.GrantOpening) {
	t.Helper()
	if n, err := h.Store.EndFamily(t.Context(), o.Grant.LoginID, model.EndReused, at(time.Hour)); n != 1 || err != nil {
		t.Errorf("EndFamily = %d, %v, want 1", n, err)
	}
}

func boundsFamily(t *testing.T, h Harness) {
	t.Helper()
	o := h.open(t, h.NewAccount(t), 1)
	hash := o.Tokens[1].Hash
	for n := range 6 {
		r := rotation(o, n, at(time.Duration(n+1)*time.Minute))
		r.Hash, r.Keep = hash, model.GrantKeep{Access: 3, Refresh: 2}
		hash = r.Tokens[1].Hash
		forgot, err := h.Store.Rotate(t.Context(), r)
		if want := n >= 2; err != nil || forgot != want {
			t.Errorf("rotation %d = %v, %v, want it to forget one: %v", n, forgot, err, want)
		}
	}
	for n := range 6 {
		old := rotation(o, n, at(0)).Tokens
		_, err := h.Store.Token(t.Context(), old[0].Hash)
		if want := n >= 3; (err == nil) != want {
			t.Errorf("access token %d: %v, want it there: %v", n, err, want)
		}
		_, err = h.Store.Token(t.Context(), old[1].Hash)
		if want := n >= 3; (err == nil) != want {
			t.Errorf("refresh token %d: %v, want it there: %v", n, err, want)
		}
	}
}

func endsFamily(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	o, other := h.open(t, a, 1), h.open(t, a, 2)
	if _, err := h.Store.Rotate(t.Context(), rotation(o, 1, at(time.Minute))); err != nil {
		t.Fatal(err)
	}
	h.endFamily(t, o)
	if n, err := h.Store.EndFamily(t.Context(), o.Grant.LoginID, model.EndRevoked, at(2*time.Hour)); n != 0 || err != nil {
		t.Errorf("EndFamily again = %d, %v, want 0", n, err)
	}
	h.over(t, o.Grant.LoginID, model.EndReused)
	h.over(t, other.Grant.LoginID, "")
	if got, err := h.Store.Token(t.Context(), o.Tokens[1].Hash); err != nil || got.Successor != "" {
		t.Errorf("successor = %q, %v, want none", got.Successor, err)
	}
}

func endsToken(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	o := h.open(t, a, 1)
	for _, hash := range []string{"unknown", o.Tokens[1].Hash, o.Tokens[0].Hash, o.Tokens[0].Hash} {
		if err := h.Store.EndToken(t.Context(), hash, at(time.Minute)); err != nil {
			t.Errorf("EndToken(%s) = %v", hash, err)
		}
	}
	if _, err := h.Store.Token(t.Context(), o.Tokens[0].Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("Token = %v, want %v", err, model.ErrNotFound)
	}
	h.over(t, o.Grant.LoginID, "")
	c, alone := h.code(t, a, 2), opening(a, 2, at(time.Second))
	alone.Tokens = alone.Tokens[:1]
	if _, err := h.Store.Redeem(t.Context(), c.Hash, alone); err != nil {
		t.Fatal(err)
	}
	if err := h.Store.EndToken(t.Context(), alone.Tokens[0].Hash, at(time.Minute)); err != nil {
		t.Errorf("EndToken = %v", err)
	}
	h.over(t, alone.Grant.LoginID, model.EndRevoked)
}

func dropsSuccessors(t *testing.T, h Harness) {
	t.Helper()
	a := h.NewAccount(t)
	var hashes []string
	for n := 1; n <= 3; n++ {
		o := h.open(t, a, n)
		r := rotation(o, 1, at(time.Duration(n)*time.Minute))
		if _, err := h.Store.Rotate(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, r.Hash)
	}
	drop := func(before model.Time, wantLeft bool, want ...string) {
		t.Helper()
		left, err := h.Store.DropSuccessors(t.Context(), before, 100)
		if err != nil || left != wantLeft {
			t.Errorf("DropSuccessors = %v, %v, want %v", left, err, wantLeft)
		}
		for i, hash := range hashes {
			got, err := h.Store.Token(t.Context(), hash)
			if err != nil || got.Successor != want[i] || got.RotatedAt.IsZero() {
				t.Errorf("token %d = %+v, %v, want successor %q", i, got.GrantToken, err, want[i])
			}
		}
	}
	const sealed = "sealed 1"
	drop(at(time.Minute), true, sealed, sealed, sealed)
	drop(at(time.Minute+time.Millisecond), true, "", sealed, sealed)
	drop(at(time.Hour), false, "", "", "")
	drop(at(time.Hour), false, "", "", "")
}
