package sshkeytest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"latchkey/model"
)

// later is an instant after sample's.
func later(hours int) model.Time {
	return model.At(sample("", 0).AddedAt.Add(time.Duration(hours) * time.Hour))
}

func (h Harness) one(t *testing.T, key model.SSHKey) model.SSHKey {
	t.Helper()
	got, err := h.Store.SSHKey(t.Context(), key.AccountKey, key.ID)
	if err != nil {
		t.Fatalf("SSHKey(%d) = %v", key.ID, err)
	}
	return got
}

func editsLimits(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	key, other := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	edited := key
	edited.Title, edited.ExpiresAt, edited.AllowedIPs, edited.ReadOnly, edited.Path = "new", later(1), "192.0.2.0/24", true, "/in"
	wanted := edited
	edited.Fingerprint, edited.PublicKey, edited.AddedAt = "SHA256:x", "y", later(2) // not an edit's to change
	edited.LastUsedAt, edited.VerifiedAt, edited.SuspendedAt = later(3), later(3), later(3)
	if err := h.Store.EditSSHKey(t.Context(), key, edited, later(1)); err != nil {
		t.Fatalf("EditSSHKey = %v", err)
	}
	if err := h.Store.EditSSHKey(t.Context(), key, key, later(1)); !errors.Is(err, model.ErrStale) {
		t.Errorf("EditSSHKey of what is not so any more = %v, want %v", err, model.ErrStale)
	}
	if got := h.one(t, key); got != wanted {
		t.Errorf("after the edit: %+v, want %+v", got, wanted)
	}
	if got := h.one(t, other); got != other {
		t.Errorf("the other key became %+v", got)
	}
}

func editsOwnOnly(t *testing.T, h Harness) {
	t.Helper()
	one, two := h.NewAccount(t), h.NewAccount(t)
	key := h.add(t, sample(one, 1))
	for name, wrong := range map[string]model.SSHKey{
		"foreign": {ID: key.ID, AccountKey: two, Title: "x"}, "unknown": {ID: key.ID + 1, AccountKey: one, Title: "x"},
	} {
		if err := h.Store.EditSSHKey(t.Context(), wrong, wrong, later(1)); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("EditSSHKey of a %s key = %v, want %v", name, err, model.ErrNotFound)
		}
		if err := h.Store.LiftSSHKey(t.Context(), wrong.AccountKey, wrong.ID); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("LiftSSHKey of a %s key = %v, want %v", name, err, model.ErrNotFound)
		}
		if _, err := h.Store.SSHKey(t.Context(), wrong.AccountKey, wrong.ID); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("SSHKey of a %s key = %v, want %v", name, err, model.ErrNotFound)
		}
	}
	if got := h.one(t, key); got != key {
		t.Errorf("the key became %+v", got)
	}
}

func keepsTitlesApart(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first, second := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	clash := second
	clash.Title = first.Title
	if err := h.Store.EditSSHKey(t.Context(), second, clash, later(1)); !errors.Is(err, model.ErrConflict) {
		t.Errorf("EditSSHKey to a title that is taken = %v, want %v", err, model.ErrConflict)
	}
	if got := h.one(t, second); got != second {
		t.Errorf("the key became %+v", got)
	}
}

func lifts(t *testing.T, h Harness) {
	t.Helper()
	key := h.add(t, sample(h.NewAccount(t), 1))
	h.Suspend(t, key.ID)
	if h.one(t, key).SuspendedAt.IsZero() {
		t.Fatal("the harness did not suspend the key")
	}
	for range 2 {
		if err := h.Store.LiftSSHKey(t.Context(), key.AccountKey, key.ID); err != nil {
			t.Errorf("LiftSSHKey = %v", err)
		}
	}
	if got := h.one(t, key); got != key {
		t.Errorf("after it was lifted: %+v, want %+v", got, key)
	}
}

func listsRevoked(t *testing.T, h Harness) {
	t.Helper()
	one, two := h.NewAccount(t), h.NewAccount(t)
	var keys []model.SSHKey
	for n := range 5 {
		keys = append(keys, h.add(t, sample(one, n)))
	}
	expires := keys[1]
	expires.ExpiresAt = later(2)
	if err := h.Store.EditSSHKey(t.Context(), keys[1], expires, later(0)); err != nil {
		t.Fatal(err)
	}
	h.Suspend(t, keys[2].ID)
	for _, gone := range []model.SSHKey{keys[3], keys[4]} {
		if err := h.Store.DeleteSSHKey(t.Context(), one, gone.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.add(t, sample(two, 4)) // somebody else still has that one
	for hours, want := range map[int][]string{
		1: {keys[2].Fingerprint, keys[3].Fingerprint},
		2: {keys[1].Fingerprint, keys[2].Fingerprint, keys[3].Fingerprint},
	} {
		got, err := h.Store.RevokedSSHKeys(t.Context(), later(hours))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("RevokedSSHKeys after %d h = %v, %v, want %v", hours, got, err, want)
		}
	}
	h.add(t, sample(one, 3)) // and this one came back
	if got, err := h.Store.RevokedSSHKeys(t.Context(), later(1)); err != nil || !slices.Equal(got, []string{keys[2].Fingerprint}) {
		t.Errorf("RevokedSSHKeys after a key came back = %v, %v", got, err)
	}
}
