package apikeytest

import (
	"errors"
	"testing"

	"latchkey/model"
)

// needsMaker checks that nobody makes a key, or gets another text of one, who
// was thrown out since they were let in.
func needsMaker(t *testing.T, h Harness) {
	t.Helper()
	account, other := h.NewAccount(t), h.NewAccount(t)
	key, login, n := h.add(t, sample(account, 1)), h.NewLogin(t, account), 1
	by := model.APIKeyMaker{LoginID: login, At: at(0)}
	check := func(what string, by model.APIKeyMaker, want error) {
		t.Helper()
		n++
		before := h.one(t, key)
		if _, err := h.Store.AddAPIKey(t.Context(), sample(account, n), by, limit); !errors.Is(err, want) {
			t.Errorf("%s: AddAPIKey = %v, want %v", what, err, want)
		}
		turned := model.APIKeyRotation{Hash: sample(account, 100+n).Hash, Prefix: "lka_2222", By: by}
		if _, err := h.Store.RotateAPIKey(t.Context(), account, key.ID, turned); !errors.Is(err, want) {
			t.Errorf("%s: RotateAPIKey = %v, want %v", what, err, want)
		}
		if want != nil && h.one(t, key) != before {
			t.Errorf("%s: the key became %+v", what, h.one(t, key))
		}
	}
	check("a live login", by, nil)
	check("no login", model.APIKeyMaker{At: at(0)}, nil)
	check("another's login", model.APIKeyMaker{LoginID: h.NewLogin(t, other), At: at(0)}, model.ErrStale)
	check("an unknown login", model.APIKeyMaker{LoginID: "nobody", At: at(0)}, model.ErrStale)
	h.EndLogin(t, account, login)
	check("a login that ended", by, model.ErrStale)
	h.Change(t, account)
	check("another epoch", model.APIKeyMaker{At: at(0)}, model.ErrStale)
}
