package sshkey_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/sshkey"
)

// clock is what newHouse's clock says.
func clock() time.Time { return time.Date(2026, 11, 20, 10, 33, 1, 585_072_309, time.UTC) }

func TestLimitsAreKeptInOneForm(t *testing.T) {
	for name, tt := range map[string]struct {
		in   sshkey.Limits
		want model.SSHKey
	}{
		"nothing": {sshkey.Limits{}, model.SSHKey{}},
		"everything": {
			sshkey.Limits{
				ExpiresAt: clock().Add(time.Hour), ReadOnly: true, Path: "/photos//2026/./",
				AllowedIPs: []string{"2001:db8::7", "192.0.2.99/24", "192.0.2.0/24", "::ffff:203.0.113.9"},
			},
			model.SSHKey{
				ExpiresAt: model.At(clock().Add(time.Hour)), ReadOnly: true, Path: "/photos/2026",
				AllowedIPs: "192.0.2.0/24,2001:db8::7/128,203.0.113.9/32",
			},
		},
		"a root of its own":  {sshkey.Limits{Path: "/"}, model.SSHKey{Path: "/"}},
		"a millisecond more": {sshkey.Limits{ExpiresAt: clock().Add(time.Millisecond)}, model.SSHKey{ExpiresAt: model.At(clock().Add(time.Millisecond))}},
	} {
		t.Run(name, func(t *testing.T) {
			row, err := newHouse().Add(t.Context(), caller(alice), "laptop", ed25519Line(t), tt.in)
			if err != nil {
				t.Fatalf("Add = %v", err)
			}
			got := model.SSHKey{ExpiresAt: row.ExpiresAt, AllowedIPs: row.AllowedIPs, ReadOnly: row.ReadOnly, Path: row.Path}
			if got != tt.want {
				t.Errorf("kept as %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		in   sshkey.Limits
		want error
	}{
		"expired a millisecond ago":     {sshkey.Limits{ExpiresAt: clock().Add(-time.Millisecond)}, sshkey.ErrExpiry},
		"expired long ago":              {sshkey.Limits{ExpiresAt: time.Unix(1, 0)}, sshkey.ErrExpiry},
		"expires in the far future":     {sshkey.Limits{ExpiresAt: clock().AddDate(101, 0, 0)}, sshkey.ErrExpiry},
		"not an address":                {sshkey.Limits{AllowedIPs: []string{"example.org"}}, sshkey.ErrAddresses},
		"an empty address":              {sshkey.Limits{AllowedIPs: []string{""}}, sshkey.ErrAddresses},
		"two in one":                    {sshkey.Limits{AllowedIPs: []string{"192.0.2.1,192.0.2.2"}}, sshkey.ErrAddresses},
		"a pattern":                     {sshkey.Limits{AllowedIPs: []string{"192.0.2.*"}}, sshkey.ErrAddresses},
		"a quote":                       {sshkey.Limits{AllowedIPs: []string{`192.0.2.1" command="x`}}, sshkey.ErrAddresses},
		"a zone":                        {sshkey.Limits{AllowedIPs: []string{"fe80::1%eth0"}}, sshkey.ErrAddresses},
		"a mapped network":              {sshkey.Limits{AllowedIPs: []string{"::ffff:192.0.2.0/120"}}, sshkey.ErrAddresses},
		"too many addresses":            {sshkey.Limits{AllowedIPs: slices.Repeat([]string{"192.0.2.1"}, 33)}, sshkey.ErrAddresses},
		"a relative path":               {sshkey.Limits{Path: "photos"}, sshkey.ErrPath},
		"a path that climbs":            {sshkey.Limits{Path: "/photos/../.."}, sshkey.ErrPath},
		"a path with NUL":               {sshkey.Limits{Path: "/a\x00b"}, sshkey.ErrPath},
		"a path with a line break":      {sshkey.Limits{Path: "/a\nb"}, sshkey.ErrPath},
		"a path with a backslash":       {sshkey.Limits{Path: `/a\..\b`}, sshkey.ErrPath},
		"a path that is no UTF-8":       {sshkey.Limits{Path: "/\xff"}, sshkey.ErrPath},
		"a path of more than 1024":      {sshkey.Limits{Path: "/" + strings.Repeat("x", 1024)}, sshkey.ErrPath},
		"a path with text turned round": {sshkey.Limits{Path: "/a\u202eb"}, sshkey.ErrPath},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse()
			if row, err := h.Add(t.Context(), caller(alice), "laptop", ed25519Line(t), tt.in); !errors.Is(err, tt.want) {
				t.Errorf("Add = %+v, %v, want %v", row, err, tt.want)
			}
			key := h.add(t, alice, "laptop", ed25519Line(t))
			edit := sshkey.Edit{Limits: func(sshkey.Limits) sshkey.Limits { return tt.in }}
			if err := h.Update(t.Context(), caller(alice), key.ID, edit); !errors.Is(err, tt.want) {
				t.Errorf("Update = %v, want %v", err, tt.want)
			}
			if list, _, _ := h.List(t.Context(), alice, 1, 0); len(list) != 1 || list[0] != key {
				t.Errorf("left: %+v, want %+v", list, key)
			}
		})
	}
}

func TestAnExpiredKeyCanStillBeRenamed(t *testing.T) {
	h := newHouse()
	key, err := h.Add(t.Context(), caller(alice), "old", ed25519Line(t), sshkey.Limits{ExpiresAt: clock().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	h.at = h.at.Add(2 * time.Hour)
	title := "older"
	same := sshkey.Edit{Title: &title, Limits: func(l sshkey.Limits) sshkey.Limits { return l }}
	if err := h.Update(t.Context(), caller(alice), key.ID, same); err != nil {
		t.Errorf("Update = %v", err)
	}
	if ended := h.store.Ended(); len(ended) != 0 {
		t.Errorf("renaming ended the logins of %v", ended)
	}
}

func TestUpdateAndLiftTouchOwnKeysOnly(t *testing.T) {
	h := newHouse()
	key := h.add(t, alice, "laptop", ed25519Line(t))
	h.store.Suspend(key.ID, model.At(clock()))
	title := "taken over"
	for who, id := range map[string]int64{bob: key.ID, admin: key.ID, alice: key.ID + 1} {
		if err := h.Update(t.Context(), caller(who), id, sshkey.Edit{Title: &title}); !errors.Is(err, sshkey.ErrNoKey) {
			t.Errorf("Update by %s = %v, want %v", who, err, sshkey.ErrNoKey)
		}
		if err := h.Lift(t.Context(), caller(who), id); !errors.Is(err, sshkey.ErrNoKey) {
			t.Errorf("Lift by %s = %v, want %v", who, err, sshkey.ErrNoKey)
		}
	}
	h.told = nil
	readOnly := sshkey.Edit{Limits: func(l sshkey.Limits) sshkey.Limits {
		l.ReadOnly = true
		return l
	}}
	err := errors.Join(h.Update(t.Context(), caller(alice), key.ID, readOnly), h.Lift(t.Context(), caller(alice), key.ID))
	list, _, _ := h.List(t.Context(), alice, 1, 0)
	if err != nil || !list[0].ReadOnly || !list[0].SuspendedAt.IsZero() || list[0].Title != "laptop" {
		t.Errorf("after both: %+v, %v", list[0], err)
	}
	want := []string{
		"notice a11ce with 1 left", "ssh_key_changed a11ce [ssh_key_id=1]",
		"notice a11ce with 1 left", "ssh_key_lifted a11ce [ssh_key_id=1]",
	}
	if !slices.Equal(h.told, want) {
		t.Errorf("told %q, want %q", h.told, want)
	}
	if ended := h.store.Ended(); !slices.Equal(ended, []int64{key.ID}) {
		t.Errorf("ended the logins of %v, want those of %d", ended, key.ID)
	}
}
