package accounttest

import (
	"errors"
	"testing"
	"time"

	"latchkey/model"
)

// addressEndsOthers: an owner's new address ends every login but the one that
// asks; an admin's ends none.
func addressEndsOthers(t *testing.T, h Harness) {
	a := h.create(t, sample(1))
	asks := h.Attach(t, a.Key)
	a = h.profile(t, a.Key).Account
	same(t, "an account has no address", h.profile(t, a.Key).Email, "")
	if err := h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{Email: new("a@example.org"), EmailVerified: new(true), At: at(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	p := h.profile(t, a.Key)
	if p.Email != "a@example.org" || !p.EmailVerified || p.Epoch != a.Epoch || h.EndReason(t, asks) != "" {
		t.Errorf("set by an admin: %+v, login %q", p, h.EndReason(t, asks))
	}
	err := h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{Email: new("b@example.org"), EmailVerified: new(false), ByLogin: asks, At: at(time.Hour)})
	want(t, "a new address", err, nil)
	p = h.profile(t, a.Key)
	if p.Email != "b@example.org" || p.EmailVerified || p.Epoch != a.Epoch+1 || h.EndReason(t, asks) != "" {
		t.Errorf("set by its owner: %+v, login %q", p, h.EndReason(t, asks))
	}
	b := h.create(t, sample(2))
	other := h.Attach(t, b.Key)
	want(t, "by somebody else's login", h.Store.EditAccount(t.Context(), a.Key, model.AccountEdit{Email: new("c@example.org"), ByLogin: other, At: at(time.Hour)}), model.ErrStale)
	same(t, "the address", h.profile(t, a.Key).Email, "b@example.org")
}

// foundByEmail: an address finds its only confirmed owner.
func foundByEmail(t *testing.T, h Harness) {
	finds := func(want string, addresses ...string) {
		t.Helper()
		a, err := h.Store.AccountByEmail(t.Context(), addresses)
		if want == "" && !errors.Is(err, model.ErrNotFound) || want != "" && (err != nil || a.Key != want) {
			t.Errorf("AccountByEmail(%q) = %q, %v, want %q", addresses, a.Key, err, want)
		}
	}
	set := func(key, address string, verified bool) {
		t.Helper()
		if err := h.Store.EditAccount(t.Context(), key, model.AccountEdit{Email: &address, EmailVerified: &verified, At: at(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	one, two := h.create(t, sample(1)), h.create(t, sample(2))
	finds("", "", "a@example.org")
	set(one.Key, "a@example.org", false)
	finds("", "a@example.org")
	set(one.Key, "a@example.org", true)
	finds(one.Key, "a@example.org")
	finds(one.Key, "A@example.org", "a@example.org")
	for _, other := range []string{"A@example.org", "%", "a@example.or_", "", "a@example.org "} {
		finds("", other)
	}
	set(two.Key, "a@example.org", false)
	finds(one.Key, "a@example.org")
	set(two.Key, "a@example.org", true)
	finds("", "a@example.org")
	if got := h.profile(t, one.Key).ProfileAt; !got.Equal(at(time.Hour).Time) {
		t.Errorf("ProfileAt = %v, want when the address changed", got)
	}
}
