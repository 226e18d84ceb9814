package apikeytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/apikey"
	"latchkey/service/racetest"
)

// Harness is a fresh store and the ways to make and delete an account in it.
type Harness struct {
	Store       apikey.Store
	NewAccount  func(t *testing.T) string                    // returns the new account's key
	NewLogin    func(t *testing.T, accountKey string) string // returns the ID of a new login that is live at at(0)
	EndLogin    func(t *testing.T, accountKey, id string)
	Change      func(t *testing.T, accountKey string) // of a password
	DropAccount func(t *testing.T, accountKey string)
}

// limit is the number of keys per account that the suite asks for.
const limit = 20

// Conformance checks that a store keeps the promises of apikey.Store. open
// makes a fresh one for each part.
func Conformance(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Harness){
		"a key comes back as it was added":                 keepsEveryField,
		"a list is in order, in pages and counted":         listsInPages,
		"a name is taken once among living keys":           refusesSameName,
		"the limit holds":                                  holdsLimit,
		"an account must exist":                            needsAccount,
		"whoever makes or rotates a key must be there yet": needsMaker,
		"a key goes with its account":                      goesWithAccount,
		"living keys are counted":                          countsLiving,
		"a key is edited if it is as it was":               edits,
		"only the owner's key is touched":                  touchesOwnOnly,
		"a rotation leaves at most one old text":           rotates,
		"an id is never used again":                        neverReusesID,
		"of parallel adds of a name one wins":              parallelNames,
		"parallel adds do not go beyond the limit":         parallelLimit,
		"of parallel deletions of a key one counts":        parallelDeletes,
		"of parallel edits of a key one counts":            parallelEdits,
		"a text that leaked ends":                          revokesText,
		"a device's keys end":                              revokesDevice,
		"nothing revives a key that is revoked":            revokesForGood,
		"a note writes its own columns and nothing else":   notesOwnColumns,
		"a note brings no deleted key back":                notesNoDeleted,
		"lessons add up while a key learns":                notesLessons,
		"each warning is claimed once":                     warns,
		"unused keys are found and reported once":          reportsUnused,
		"unused keys are revoked unless they are used":     revokesUnused,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func at(hours int) model.Time {
	return model.At(time.Date(2026, 11, 20, 10, 33, 1, 585e6, time.UTC).Add(time.Duration(hours) * time.Hour))
}

// sample is a key whose name and hash carry n.
func sample(accountKey string, n int) model.APIKey {
	return model.APIKey{
		AccountKey: accountKey,
		Name:       fmt.Sprintf("ключ %d", n),
		Hash:       fmt.Sprintf("%s%032d", accountKey, n),
		Prefix:     "lka_abcd",
		Scopes:     "me.read session.read",
		CreatedAt:  at(0),
	}
}

func (h Harness) add(t *testing.T, key model.APIKey) model.APIKey {
	t.Helper()
	row, err := h.Store.AddAPIKey(t.Context(), key, model.APIKeyMaker{}, limit)
	if err != nil {
		t.Fatalf("AddAPIKey(%q) = %v", key.Name, err)
	}
	return row
}

func (h Harness) one(t *testing.T, key model.APIKey) model.APIKey {
	t.Helper()
	got, err := h.Store.APIKey(t.Context(), key.AccountKey, key.ID)
	if err != nil {
		t.Fatalf("APIKey(%d) = %v", key.ID, err)
	}
	return got
}

func keepsEveryField(t *testing.T, h Harness) {
	t.Helper()
	key := sample(h.NewAccount(t), 1)
	key.ExpiresAt, key.AllowQuery, key.AllowedIPs, key.CreatedOnDevice = at(1), true, "192.0.2.0/24", "device"
	key.LearnUntil, key.WarnedDays = at(2), 7
	row := h.add(t, key)
	if row.ID < 1 {
		t.Errorf("ID = %d, want a positive number", row.ID)
	}
	key.ID = row.ID
	byHash, err := h.Store.APIKeyByHash(t.Context(), key.Hash)
	anybodys, anyErr := h.Store.APIKey(t.Context(), "", key.ID)
	if row != key || h.one(t, key) != key || byHash != key || err != nil || anybodys != key || anyErr != nil {
		t.Errorf("AddAPIKey = %+v, by hash %+v, %v, want %+v", row, byHash, err, key)
	}
	if _, err := h.Store.APIKeyByHash(t.Context(), "0"); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("APIKeyByHash of nothing = %v, want ErrNotFound", err)
	}
}

func listsInPages(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	var all []model.APIKey
	for n := range 5 {
		all = append(all, h.add(t, sample(account, 9-n)))
	}
	h.add(t, sample(h.NewAccount(t), 1))
	for _, tt := range []struct {
		offset, limit int
		want          []model.APIKey
	}{{0, 2, all[:2]}, {2, 2, all[2:4]}, {4, 2, all[4:]}, {5, 2, nil}, {100, 2, nil}, {0, 1000, all}} {
		got, total, err := h.Store.APIKeys(t.Context(), account, tt.offset, tt.limit)
		if err != nil || total != 5 || !slices.Equal(got, tt.want) {
			t.Errorf("APIKeys(%d, %d) = %+v, %d, %v, want %+v and 5 in all", tt.offset, tt.limit, got, total, err, tt.want)
		}
	}
}

func refusesSameName(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	again := sample(account, 2)
	again.Name = first.Name
	if _, err := h.Store.AddAPIKey(t.Context(), again, model.APIKeyMaker{}, limit); !errors.Is(err, model.ErrConflict) {
		t.Errorf("AddAPIKey of a name that is taken = %v, want ErrConflict", err)
	}
	other := again
	other.AccountKey = h.NewAccount(t)
	h.add(t, other)
	if _, err := h.Store.RevokeAPIKeyText(t.Context(), first.Hash, at(1)); err != nil {
		t.Fatal(err)
	}
	again.Hash += "x"
	h.add(t, again)
}

func holdsLimit(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	h.add(t, sample(account, 2))
	if _, err := h.Store.RevokeAPIKeyText(t.Context(), first.Hash, at(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store.AddAPIKey(t.Context(), sample(account, 3), model.APIKeyMaker{}, 2); !errors.Is(err, model.ErrLimit) {
		t.Errorf("third of two, one of them revoked = %v, want ErrLimit", err)
	}
	if _, err := h.Store.DeleteAPIKey(t.Context(), account, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Store.AddAPIKey(t.Context(), sample(account, 3), model.APIKeyMaker{}, 2); err != nil {
		t.Errorf("after a deletion = %v", err)
	}
}

const nobody = "00000000000000000000000000000000"

func needsAccount(t *testing.T, h Harness) {
	t.Helper()
	if _, err := h.Store.AddAPIKey(t.Context(), sample(nobody, 1), model.APIKeyMaker{}, limit); !errors.Is(err, model.ErrStale) {
		t.Errorf("AddAPIKey without an account = %v, want ErrStale", err)
	}
}

func goesWithAccount(t *testing.T, h Harness) {
	t.Helper()
	key := h.add(t, sample(h.NewAccount(t), 1))
	other := h.add(t, sample(h.NewAccount(t), 1))
	h.DropAccount(t, key.AccountKey)
	if _, err := h.Store.APIKeyByHash(t.Context(), key.Hash); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("a key without an account = %v, want ErrNotFound", err)
	}
	h.one(t, other)
}

func countsLiving(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	expires, revoked := sample(account, 1), h.add(t, sample(account, 2))
	expires.ExpiresAt = at(2)
	h.add(t, expires)
	h.add(t, sample(account, 3))
	if _, err := h.Store.RevokeAPIKeyText(t.Context(), revoked.Hash, at(1)); err != nil {
		t.Fatal(err)
	}
	for hours, want := range map[int]int64{1: 2, 2: 1} {
		if n, err := h.Store.CountAPIKeys(t.Context(), account, at(hours)); err != nil || n != want {
			t.Errorf("CountAPIKeys after %d h = %d, %v, want %d", hours, n, err, want)
		}
	}
}

func neverReusesID(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	if got, err := h.Store.DeleteAPIKey(t.Context(), account, first.ID); err != nil || got != first {
		t.Fatalf("DeleteAPIKey = %+v, %v, want the key", got, err)
	}
	wished := sample(account, 2)
	wished.ID = first.ID
	if second := h.add(t, wished); second.ID <= first.ID {
		t.Errorf("ID %d follows %d", second.ID, first.ID)
	}
}

func parallelNames(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	racetest.Once(t, 12, model.ErrConflict, func(i int) error {
		key := sample(account, i)
		key.Name = "same"
		_, err := h.Store.AddAPIKey(t.Context(), key, model.APIKeyMaker{}, limit)
		return err
	})
}

func parallelLimit(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	fine := racetest.Together(t, 12, model.ErrLimit, func(i int) error {
		_, err := h.Store.AddAPIKey(t.Context(), sample(account, i), model.APIKeyMaker{}, 5)
		return err
	})
	if _, total, err := h.Store.APIKeys(t.Context(), account, 0, 100); fine != 5 || total != 5 || err != nil {
		t.Errorf("%d of 12 succeeded and %d rows stand, %v, want 5", fine, total, err)
	}
}

func parallelDeletes(t *testing.T, h Harness) {
	t.Helper()
	row := h.add(t, sample(h.NewAccount(t), 1))
	racetest.Once(t, 12, model.ErrNotFound, func(int) error {
		_, err := h.Store.DeleteAPIKey(t.Context(), row.AccountKey, row.ID)
		return err
	})
}

func parallelEdits(t *testing.T, h Harness) {
	t.Helper()
	row := h.add(t, sample(h.NewAccount(t), 1))
	racetest.Once(t, 12, model.ErrStale, func(i int) error {
		key := row
		key.Name = fmt.Sprint("new ", i)
		return h.Store.EditAPIKey(t.Context(), row, key)
	})
}
