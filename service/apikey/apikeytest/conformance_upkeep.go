package apikeytest

import (
	"errors"
	"testing"

	"latchkey/model"
	"latchkey/service/racetest"
)

const week = 7 * 24 // hours

func warns(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	key, far, never := sample(account, 1), sample(account, 2), sample(account, 3)
	key.ExpiresAt, far.ExpiresAt = at(week), at(2*week)
	key = h.add(t, key)
	h.add(t, far)
	h.add(t, never)
	due := func(now model.Time, days int64, want bool) {
		t.Helper()
		list, err := h.Store.ExpiringAPIKeys(t.Context(), now, days, 10)
		if err != nil || want != (len(list) == 1) || want && list[0].ID != key.ID {
			t.Errorf("ExpiringAPIKeys(%v, %d) = %+v, %v, want the key: %v", now, days, list, err, want)
		}
	}
	due(model.At(at(0).Add(-1e6)), 7, false)
	due(at(0), 7, true)
	due(at(0), 1, false)
	racetest.Once(t, 12, model.ErrStale, func(int) error { return h.Store.WarnAPIKey(t.Context(), key, 7) })
	due(at(0), 7, false)
	due(at(week-24), 1, true)
	due(at(week), 1, false) // it has expired
	if err := h.Store.WarnAPIKey(t.Context(), key, 1); err != nil {
		t.Errorf("the last warning = %v", err)
	}
	due(at(week-24), 1, false)
	due(at(1), 7, false)
	moved := h.one(t, key)
	moved.ExpiresAt, moved.WarnedDays = at(week+1), 0
	if err := h.Store.EditAPIKey(t.Context(), h.one(t, key), moved); err != nil {
		t.Fatal(err)
	}
	due(at(1), 7, true)
	if err := h.Store.WarnAPIKey(t.Context(), key, 7); !errors.Is(err, model.ErrStale) {
		t.Errorf("a warning of another expiry = %v, want ErrStale", err)
	}
}

func reportsUnused(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	never, used, late := h.add(t, sample(account, 1)), h.add(t, sample(account, 2)), h.add(t, sample(account, 3))
	h.use(t, used, 2)
	h.use(t, late, 9)
	list := func(q model.APIKeyIdle, want ...int64) {
		t.Helper()
		q.Limit = 10
		got, err := h.Store.UnusedAPIKeys(t.Context(), q)
		ok := err == nil && len(got) == len(want)
		for i := range want {
			ok = ok && got[i].ID == want[i]
		}
		if !ok {
			t.Errorf("UnusedAPIKeys(%+v) = %+v, %v, want %v", q, got, err, want)
		}
	}
	list(model.APIKeyIdle{Since: at(1)}, never.ID)
	list(model.APIKeyIdle{Since: at(2)}, never.ID, used.ID)
	list(model.APIKeyIdle{Since: at(2), AfterID: never.ID}, used.ID)
	racetest.Once(t, 12, model.ErrStale, func(int) error { return h.Store.ReportAPIKey(t.Context(), used.ID, at(2), at(5)) })
	list(model.APIKeyIdle{Since: at(2)}, never.ID, used.ID)
	list(model.APIKeyIdle{Since: at(2), Untold: true}, never.ID)
	h.use(t, used, 6)
	if err := h.Store.ReportAPIKey(t.Context(), used.ID, at(5), at(7)); !errors.Is(err, model.ErrStale) {
		t.Errorf("a report of a key that is used = %v, want ErrStale", err)
	}
	list(model.APIKeyIdle{Since: at(6), Untold: true}, never.ID, used.ID)
	if err := h.Store.ReportAPIKey(t.Context(), used.ID, at(6), at(7)); err != nil {
		t.Errorf("a second report after a use = %v", err)
	}
}

func (h Harness) use(t *testing.T, key model.APIKey, hours int) {
	t.Helper()
	if err := h.Store.NoteAPIKeys(t.Context(), []model.APIKeyNote{{ID: key.ID, At: at(hours)}}); err != nil {
		t.Fatal(err)
	}
}

func revokesUnused(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	key, used := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	h.use(t, used, 2)
	if err := h.Store.RevokeUnusedAPIKey(t.Context(), used.ID, at(1), at(5)); !errors.Is(err, model.ErrStale) {
		t.Errorf("RevokeUnusedAPIKey of a key that is used = %v, want ErrStale", err)
	}
	if err := h.Store.ReportAPIKey(t.Context(), key.ID, at(1), at(4)); err != nil {
		t.Fatal(err)
	}
	racetest.Once(t, 12, model.ErrStale, func(int) error { return h.Store.RevokeUnusedAPIKey(t.Context(), key.ID, at(1), at(5)) })
	if got := h.one(t, key); got.RevokedAt != at(5) || got.RevokedWhy != model.RevokedUnused {
		t.Errorf("revoked as %+v", got)
	}
	if got := h.one(t, used); !got.RevokedAt.IsZero() {
		t.Errorf("a key that is used is revoked: %+v", got)
	}
}
