package sshkeytest

import (
	"errors"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/racetest"
)

func findsOwnKey(t *testing.T, h Harness) {
	t.Helper()
	one, two := h.NewAccount(t), h.NewAccount(t)
	mine, yours := h.add(t, sample(one, 1)), h.add(t, sample(two, 1))
	for account, want := range map[string]model.SSHKey{one: mine, two: yours} {
		if got, err := h.Store.SSHKeyFor(t.Context(), account, want.Fingerprint); err != nil || got != want {
			t.Errorf("SSHKeyFor = %+v, %v, want %+v", got, err, want)
		}
	}
	for account, fingerprint := range map[string]string{one: "SHA256:other", h.NewAccount(t): mine.Fingerprint, "": mine.Fingerprint} {
		if _, err := h.Store.SSHKeyFor(t.Context(), account, fingerprint); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("SSHKeyFor(%q, %q) = %v, want %v", account, fingerprint, err, model.ErrNotFound)
		}
	}
}

func touchesOnlyTimes(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	key, other := h.add(t, sample(account, 1)), h.add(t, sample(account, 2))
	first := model.At(time.Date(2026, 11, 20, 11, 0, 0, 5e6, time.UTC))
	later, earlier := model.At(first.Add(time.Hour)), model.At(first.Add(-time.Hour))
	for _, at := range []model.Time{first, later, earlier} {
		if err := h.Store.TouchSSHKey(t.Context(), key.ID, at); err != nil {
			t.Fatalf("TouchSSHKey = %v", err)
		}
	}
	want := key
	want.LastUsedAt, want.VerifiedAt = later, first
	if got := h.list(t, account); got[0] != want || got[1] != other {
		t.Errorf("after touching: %+v, want %+v and the other as it was", got, want)
	}
}

func touchesNoDeleted(t *testing.T, h Harness) {
	t.Helper()
	account := h.NewAccount(t)
	at := sample(account, 0).AddedAt
	for n := range 8 {
		key := h.add(t, sample(account, n))
		racetest.AtOnce(4, func(i int) {
			if i == 0 {
				if err := h.Store.DeleteSSHKey(t.Context(), account, key.ID); err != nil {
					t.Errorf("DeleteSSHKey = %v", err)
				}
				return
			}
			if err := h.Store.TouchSSHKey(t.Context(), key.ID, at); err != nil && !errors.Is(err, model.ErrNotFound) {
				t.Errorf("TouchSSHKey = %v", err)
			}
		})
		if err := h.Store.TouchSSHKey(t.Context(), key.ID, at); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("TouchSSHKey of a deleted key = %v, want %v", err, model.ErrNotFound)
		}
	}
	if got := h.list(t, account); len(got) != 0 {
		t.Errorf("came back: %+v", got)
	}
}
