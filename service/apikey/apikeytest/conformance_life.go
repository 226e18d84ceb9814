package apikeytest

import (
	"errors"
	"testing"

	"latchkey/model"
	"latchkey/service/racetest"
)

func edits(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	key, other := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	edited := key
	edited.Name, edited.Scopes, edited.ExpiresAt = "new", "all", at(1)
	edited.AllowQuery, edited.AllowedIPs, edited.WarnedDays = true, "192.0.2.0/24", 1
	wanted := edited
	edited.Hash, edited.Prefix, edited.CreatedAt, edited.RevokedAt, edited.OldHash = "x", "y", at(2), at(2), "z" // not an edit's to change
	if err := h.Store.EditAPIKey(t.Context(), key, edited); err != nil {
		t.Fatalf("EditAPIKey = %v", err)
	}
	if err := h.Store.EditAPIKey(t.Context(), key, key); !errors.Is(err, model.ErrStale) {
		t.Errorf("EditAPIKey of what is not so any more = %v, want ErrStale", err)
	}
	if got := h.one(t, key); got != wanted {
		t.Errorf("after the edit: %+v, want %+v", got, wanted)
	}
	clash := other
	clash.Name = "new"
	if err := h.Store.EditAPIKey(t.Context(), other, clash); !errors.Is(err, model.ErrConflict) {
		t.Errorf("EditAPIKey to a name that is taken = %v, want ErrConflict", err)
	}
	if got := h.one(t, other); got != other {
		t.Errorf("the other key became %+v", got)
	}
}

func touchesOwnOnly(t *testing.T, h Harness) {
	t.Helper()
	key, two := h.add(t, sample(h.NewAccount(t), 1)), h.NewAccount(t)
	for name, wrong := range map[string]model.APIKey{
		"foreign": {ID: key.ID, AccountKey: two, Name: "x"}, "unknown": {ID: key.ID + 1, AccountKey: key.AccountKey, Name: "x"},
		"negative": {ID: -1, AccountKey: key.AccountKey},
	} {
		_, getErr := h.Store.APIKey(t.Context(), wrong.AccountKey, wrong.ID)
		_, rotateErr := h.Store.RotateAPIKey(t.Context(), wrong.AccountKey, wrong.ID, model.APIKeyRotation{Hash: "h"})
		_, deleteErr := h.Store.DeleteAPIKey(t.Context(), wrong.AccountKey, wrong.ID)
		for act, err := range map[string]error{
			"read": getErr, "rotate": rotateErr, "delete": deleteErr, "edit": h.Store.EditAPIKey(t.Context(), wrong, wrong),
		} {
			if !errors.Is(err, model.ErrNotFound) {
				t.Errorf("%s of a %s key = %v, want ErrNotFound", act, name, err)
			}
		}
	}
	if got := h.one(t, key); got != key {
		t.Errorf("the key became %+v", got)
	}
}

func rotates(t *testing.T, h Harness) {
	t.Helper()
	key := h.add(t, sample(h.NewAccount(t), 1))
	steps := []struct {
		r    model.APIKeyRotation
		live map[string]bool
	}{
		{model.APIKeyRotation{Hash: "two", Prefix: "lka_2222", OldUntil: at(5)}, map[string]bool{key.Hash: true, "two": true}},
		{model.APIKeyRotation{Hash: "three", Prefix: "lka_3333", OldUntil: at(6)}, map[string]bool{key.Hash: false, "two": true, "three": true}},
		{model.APIKeyRotation{Hash: "four", Prefix: "lka_4444"}, map[string]bool{key.Hash: false, "two": false, "three": false, "four": true}},
	}
	want := key
	for _, step := range steps {
		got, err := h.Store.RotateAPIKey(t.Context(), key.AccountKey, key.ID, step.r)
		if want.OldHash, want.OldUntil = want.Hash, step.r.OldUntil; step.r.OldUntil.IsZero() {
			want.OldHash = ""
		}
		want.Hash, want.Prefix = step.r.Hash, step.r.Prefix
		if err != nil || got != want || h.one(t, key) != want {
			t.Errorf("RotateAPIKey = %+v, %v, want %+v", got, err, want)
		}
		for hash, live := range step.live {
			if _, err := h.Store.APIKeyByHash(t.Context(), hash); (err == nil) != live {
				t.Errorf("after %s, APIKeyByHash(%s) = %v, want it there: %v", step.r.Hash, hash, err, live)
			}
		}
	}
}

func revokesText(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	plain, rotated := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	if _, err := h.Store.RotateAPIKey(t.Context(), account, rotated.ID, model.APIKeyRotation{Hash: "new", OldUntil: at(5)}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store.RevokeAPIKeyText(t.Context(), rotated.Hash, at(5)); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("an old text past its time = %v, want ErrNotFound", err)
	}
	got, err := h.Store.RevokeAPIKeyText(t.Context(), rotated.Hash, at(4))
	if err != nil || !got.RevokedAt.IsZero() || got.OldHash != "" || got != h.one(t, rotated) {
		t.Errorf("an old text = %+v, %v, want it gone and the key alive", got, err)
	}
	got, err = h.Store.RevokeAPIKeyText(t.Context(), plain.Hash, at(4))
	plain.RevokedAt, plain.RevokedWhy = at(4), model.RevokedLeaked
	if err != nil || got != plain || h.one(t, plain) != plain {
		t.Errorf("a key = %+v, %v, want %+v", got, err, plain)
	}
	for _, hash := range []string{plain.Hash, rotated.Hash, "unknown"} {
		if _, err := h.Store.RevokeAPIKeyText(t.Context(), hash, at(4)); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("again = %v, want ErrNotFound", err)
		}
	}
}

func revokesDevice(t *testing.T, h Harness) {
	t.Helper()
	one, two := h.NewAccount(t), h.NewAccount(t)
	var keys []model.APIKey
	for n, device := range []string{"here", "here", "there", ""} {
		key := sample(one, n)
		key.CreatedOnDevice = device
		keys = append(keys, h.add(t, key))
	}
	if _, err := h.Store.RevokeAPIKeyText(t.Context(), keys[1].Hash, at(1)); err != nil {
		t.Fatal(err)
	}
	if got, err := h.Store.RevokeDeviceAPIKeys(t.Context(), two, "here", at(2)); err != nil || len(got) != 0 {
		t.Errorf("by somebody else = %+v, %v", got, err)
	}
	keys[0].RevokedAt, keys[0].RevokedWhy = at(2), model.RevokedDevice
	got, err := h.Store.RevokeDeviceAPIKeys(t.Context(), one, "here", at(2))
	if err != nil || len(got) != 1 || got[0] != keys[0] || h.one(t, keys[0]) != keys[0] {
		t.Errorf("RevokeDeviceAPIKeys = %+v, %v, want %+v", got, err, keys[0])
	}
	if why := h.one(t, keys[1]).RevokedWhy; why != model.RevokedLeaked {
		t.Errorf("a key that leaked is revoked as %q", why)
	}
	if got, err := h.Store.RevokeDeviceAPIKeys(t.Context(), "", "there", at(2)); err != nil || len(got) != 1 || got[0].ID != keys[2].ID {
		t.Errorf("anybody's device = %+v, %v", got, err)
	}
	if got := h.one(t, keys[3]); got != keys[3] {
		t.Errorf("a key of no device became %+v", got)
	}
}

func revokesForGood(t *testing.T, h Harness) {
	t.Helper()
	key := h.add(t, sample(h.NewAccount(t), 1))
	revoked, err := h.Store.RevokeAPIKeyText(t.Context(), key.Hash, at(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store.RotateAPIKey(t.Context(), key.AccountKey, key.ID, model.APIKeyRotation{Hash: "new"}); !errors.Is(err, model.ErrConflict) {
		t.Errorf("rotate of a revoked key = %v, want ErrConflict", err)
	}
	for act, err := range map[string]error{
		"edit": h.Store.EditAPIKey(t.Context(), revoked, key),
		"warn": h.Store.WarnAPIKey(t.Context(), key, 7), "report": h.Store.ReportAPIKey(t.Context(), key.ID, at(9), at(9)),
		"retire": h.Store.RevokeUnusedAPIKey(t.Context(), key.ID, at(9), at(9)),
	} {
		if !errors.Is(err, model.ErrStale) {
			t.Errorf("%s of a revoked key = %v, want ErrStale", act, err)
		}
	}
	if got := h.one(t, key); got != revoked {
		t.Errorf("the key became %+v", got)
	}
}

func notesOwnColumns(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	key, other := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	want := key
	want.LastUsedAt, want.LastUsedIP, want.LastUsedUA = at(3), "192.*.*.1", "curl"
	for _, n := range []model.APIKeyNote{
		{ID: key.ID, At: at(2), IP: "1", UA: "1"},
		{ID: key.ID, At: at(3), IP: "192.*.*.1", UA: "curl"},
		{ID: key.ID, At: at(1), IP: "2", UA: "2"},
		{ID: key.ID, Needed: []string{"me.read"}}, // it does not learn
	} {
		if err := h.Store.NoteAPIKeys(t.Context(), []model.APIKeyNote{n}); err != nil {
			t.Fatalf("NoteAPIKeys = %v", err)
		}
	}
	if got := h.one(t, key); got != want || h.one(t, other) != other {
		t.Errorf("after notes: %+v, want %+v and the other as it was", got, want)
	}
}

func notesNoDeleted(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	for n := range 8 {
		key := h.add(t, sample(account, n))
		racetest.AtOnce(4, func(i int) {
			var err error
			if i == 0 {
				_, err = h.Store.DeleteAPIKey(t.Context(), account, key.ID)
			} else {
				err = h.Store.NoteAPIKeys(t.Context(), []model.APIKeyNote{{ID: key.ID, At: at(1), Needed: []string{"all"}}})
			}
			if err != nil {
				t.Errorf("call %d = %v", i, err)
			}
		})
	}
	if got, _, err := h.Store.APIKeys(t.Context(), account, 0, 100); len(got) != 0 || err != nil {
		t.Errorf("came back: %+v, %v", got, err)
	}
}

func notesLessons(t *testing.T, h Harness) {
	t.Helper()
	key := sample(h.NewAccount(t), 1)
	key.LearnUntil = at(5)
	key = h.add(t, key)
	err := h.Store.NoteAPIKeys(t.Context(), []model.APIKeyNote{
		{ID: key.ID, Needed: []string{"session.read"}},
		{ID: key.ID, Needed: []string{"me.read", "session.evict"}, Refused: []string{"session.evict"}},
		{ID: key.ID, Needed: []string{"me.read"}},
	})
	key.LearntNeeded, key.LearntRefused = "me.read session.evict session.read", "session.evict"
	if got := h.one(t, key); err != nil || got != key {
		t.Errorf("after lessons: %+v, %v, want %+v", got, err, key)
	}
}
