package sshkey_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/sshkey"
)

func TestForSignIn(t *testing.T) {
	now := time.Date(2026, 11, 20, 10, 33, 1, 585_072_309, time.UTC) // the house's
	h := newHouse()
	for i, tt := range []struct {
		what    string
		limits  model.SSHKey
		address string
		want    error
	}{
		{"no limits", model.SSHKey{}, "203.0.113.9", nil},
		{"before its end", model.SSHKey{ExpiresAt: model.At(now.Add(time.Second))}, "203.0.113.9", nil},
		{"at its end", model.SSHKey{ExpiresAt: model.At(now)}, "203.0.113.9", sshkey.ErrKeyExpired},
		{"suspended", model.SSHKey{SuspendedAt: model.At(now)}, "203.0.113.9", sshkey.ErrSuspended},
		{"from an allowed address", model.SSHKey{AllowedIPs: "192.0.2.7/32,203.0.113.0/24"}, "203.0.113.9", nil},
		{"from an allowed address inside IPv6", model.SSHKey{AllowedIPs: "203.0.113.0/24"}, "::ffff:203.0.113.9", nil},
		{"from an allowed IPv6 address with a zone", model.SSHKey{AllowedIPs: "fe80::/10"}, "fe80::1%eth0", nil},
		{"from elsewhere", model.SSHKey{AllowedIPs: "192.0.2.0/24,2001:db8::/32"}, "203.0.113.9", sshkey.ErrAddress},
		{"from nowhere", model.SSHKey{AllowedIPs: "0.0.0.0/0"}, "", sshkey.ErrAddress},
		{"with limits that cannot be read", model.SSHKey{AllowedIPs: "everywhere"}, "203.0.113.9", sshkey.ErrAddress},
	} {
		key := tt.limits
		key.AccountKey, key.Title, key.Fingerprint = alice, strconv.Itoa(i), "SHA256:"+strconv.Itoa(i)
		row, err := h.store.AddSSHKey(t.Context(), key, 100)
		if err != nil {
			t.Fatal(err)
		}
		got, err := h.ForSignIn(t.Context(), alice, key.Fingerprint, tt.address)
		if !errors.Is(err, tt.want) || got != row {
			t.Errorf("%s: ForSignIn = %+v, %v, want the key and %v", tt.what, got, err, tt.want)
		}
		if _, err := h.ForSignIn(t.Context(), bob, key.Fingerprint, tt.address); !errors.Is(err, sshkey.ErrNoKey) {
			t.Errorf("%s, as bob: %v, want %v", tt.what, err, sshkey.ErrNoKey)
		}
	}
}

func TestUsed(t *testing.T) {
	h := newHouse()
	key, err := h.store.AddSSHKey(t.Context(), model.SSHKey{AccountKey: alice, Title: "a", Fingerprint: "SHA256:a"}, 100)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 20, 11, 0, 0, 0, time.UTC)
	if err := h.Used(t.Context(), key, at); err != nil {
		t.Fatal(err)
	}
	got, err := h.ForSignIn(t.Context(), alice, key.Fingerprint, "")
	if err != nil || !got.LastUsedAt.Equal(at) || !got.VerifiedAt.Equal(at) {
		t.Errorf("the key is %+v, %v, want it used at %v", got, err, at)
	}
	if err := h.Delete(t.Context(), caller(alice), key.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Used(t.Context(), key, at); !errors.Is(err, sshkey.ErrNoKey) {
		t.Errorf("Used after the deletion = %v, want %v", err, sshkey.ErrNoKey)
	}
}
