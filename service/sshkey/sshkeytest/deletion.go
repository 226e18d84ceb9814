package sshkeytest

import (
	"errors"
	"testing"

	"latchkey/model"
	"latchkey/service/racetest"
)

func deletesOwnOnly(t *testing.T, h Harness) {
	t.Helper()
	one, two := h.NewAccount(t), h.NewAccount(t)
	first := h.add(t, sample(one, 1))
	for name, try := range map[string]struct {
		account string
		id      int64
	}{
		"foreign": {two, first.ID}, "unknown": {one, first.ID + 1}, "zero": {one, 0}, "negative": {one, -1}, "nobody's": {"", first.ID},
	} {
		if err := h.Store.DeleteSSHKey(t.Context(), try.account, try.id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("DeleteSSHKey of a %s key = %v, want %v", name, err, model.ErrNotFound)
		}
	}
	if got := h.list(t, one); len(got) != 1 {
		t.Fatalf("%d keys are left, want 1", len(got))
	}
	if err := h.Store.DeleteSSHKey(t.Context(), one, first.ID); err != nil {
		t.Errorf("DeleteSSHKey = %v", err)
	}
	if got := h.list(t, one); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
	if err := h.Store.DeleteSSHKey(t.Context(), one, first.ID); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("second DeleteSSHKey = %v, want %v", err, model.ErrNotFound)
	}
}

func deletesAny(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first, second := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	owner, err := h.Store.DeleteAnySSHKey(t.Context(), first.ID)
	if err != nil || owner != account {
		t.Errorf("DeleteAnySSHKey = %q, %v, want %q", owner, err, account)
	}
	for _, id := range []int64{first.ID, second.ID + 1, 0, -1} {
		if _, err := h.Store.DeleteAnySSHKey(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("DeleteAnySSHKey(%d) = %v, want %v", id, err, model.ErrNotFound)
		}
	}
	if got := h.list(t, account); len(got) != 1 || got[0] != second {
		t.Errorf("left: %+v, want only %+v", got, second)
	}
}

func neverReusesID(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	first := h.add(t, sample(account, 1))
	if err := h.Store.DeleteSSHKey(t.Context(), account, first.ID); err != nil {
		t.Fatal(err)
	}
	wished := sample(account, 2)
	wished.ID = first.ID
	if second := h.add(t, wished); second.ID <= first.ID {
		t.Errorf("ID %d follows %d", second.ID, first.ID)
	}
}

func parallelTitles(t *testing.T, h Harness) {
	t.Helper()
	h.addsAtOnce(t, func(key *model.SSHKey) { key.Title = "same" })
}

func parallelKeys(t *testing.T, h Harness) {
	t.Helper()
	h.addsAtOnce(t, func(key *model.SSHKey) { key.Fingerprint = "SHA256:same" })
}

// addsAtOnce adds 12 keys that are alike in what makes them conflict.
func (h Harness) addsAtOnce(t *testing.T, alike func(*model.SSHKey)) {
	t.Helper()
	account := h.NewAccount(t)
	racetest.Once(t, 12, model.ErrConflict, func(i int) error {
		key := sample(account, i)
		alike(&key)
		_, err := h.Store.AddSSHKey(t.Context(), key, limit)
		return err
	})
	if left := len(h.list(t, account)); left != 1 {
		t.Errorf("%d rows stand, want 1", left)
	}
}

func parallelLimit(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	fine := racetest.Together(t, 12, model.ErrLimit, func(i int) error {
		_, err := h.Store.AddSSHKey(t.Context(), sample(account, i), 5)
		return err
	})
	if left := len(h.list(t, account)); fine != 5 || left != 5 {
		t.Errorf("%d of 12 succeeded and %d rows stand, want 5", fine, left)
	}
}

func parallelDeletes(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	row := h.add(t, sample(account, 1))
	racetest.Once(t, 12, model.ErrNotFound, func(int) error {
		return h.Store.DeleteSSHKey(t.Context(), account, row.ID)
	})
}
