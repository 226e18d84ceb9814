package accounttest

import (
	"testing"
	"time"

	"latchkey/model"
)

// keptOutlivesPassword has two logins; only one may live on.
func keptOutlivesPassword(t *testing.T, h Harness) {
	a, other := h.create(t, sample(1)), h.create(t, sample(2))
	login, foreign := h.Attach(t, a.Key), h.Attach(t, other.Key)
	before, epoch := h.Login(t, login), h.profile(t, a.Key).Epoch
	hash := "new hash"
	change := func(what string, e model.AccountEdit) {
		t.Helper()
		e.PasswordHash, e.At = &hash, at(time.Hour)
		want(t, "EditAccount that keeps "+what, h.Store.EditAccount(t.Context(), a.Key, e), nil)
		epoch++
		if got := h.profile(t, a.Key).Epoch; got != epoch {
			t.Errorf("after keeping %s, the epoch is %d, want %d", what, got, epoch)
		}
	}
	change("a login", model.AccountEdit{ByLogin: login, KeepLogin: login})
	same(t, "the kept login", h.Login(t, login), before)
	change("a login that was proven", model.AccountEdit{ByLogin: login, KeepLogin: login, KeptFreshAt: at(time.Hour)})
	before.FreshAt = at(time.Hour)
	same(t, "the kept login", h.Login(t, login), before)
	stranger := h.Login(t, foreign)
	change("somebody else's", model.AccountEdit{KeepLogin: foreign, KeptFreshAt: at(time.Hour)})
	h.ended(t, login, model.EndPassword)
	same(t, "the foreign login", h.Login(t, foreign), stranger)
	ended := h.Login(t, login)
	change("one that is over", model.AccountEdit{KeepLogin: login, KeptFreshAt: at(2 * time.Hour)})
	same(t, "the ended login", h.Login(t, login), ended)
}

// changesOneEpoch is what lets two changes at once not both count.
func changesOneEpoch(t *testing.T, h Harness) {
	a := h.create(t, sample(1))
	login := h.Attach(t, a.Key)
	epoch := h.profile(t, a.Key).Epoch
	before := h.profile(t, a.Key)
	hash := "new hash"
	for _, other := range []int64{epoch - 1, epoch + 1} {
		e := model.AccountEdit{PasswordHash: &hash, SSOID: &hash, Epoch: &other, At: at(time.Hour)}
		want(t, "EditAccount of another epoch", h.Store.EditAccount(t.Context(), a.Key, e), model.ErrStale)
	}
	same(t, "the profile", h.profile(t, a.Key), before)
	h.ended(t, login, "")
	once(t, model.ErrStale, func(int) error {
		e := model.AccountEdit{PasswordHash: &hash, ByLogin: login, KeepLogin: login, Epoch: &epoch, At: at(time.Hour)}
		return h.Store.EditAccount(t.Context(), a.Key, e)
	})
	h.ended(t, login, "")
}
