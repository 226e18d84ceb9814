package apikey_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/secret"
)

// Becoming wider takes a fresh proof, becoming narrower does not.
func TestOnlyWideningTakesAFreshProof(t *testing.T) { // P-03
	for name, tt := range map[string]struct {
		edit  func(f *fixture) apikey.Edit
		fresh bool
	}{
		"another name":         {func(*fixture) apikey.Edit { return apikey.Edit{Name: new("other")} }, false},
		"nothing":              {func(*fixture) apikey.Edit { return apikey.Edit{} }, false},
		"fewer scopes":         {func(*fixture) apikey.Edit { return apikey.Edit{Scopes: &[]string{"me.read"}} }, false},
		"an earlier expiry":    {func(f *fixture) apikey.Edit { return apikey.Edit{ExpiresAt: new(f.now().Add(day))} }, false},
		"fewer addresses":      {func(*fixture) apikey.Edit { return apikey.Edit{AllowedIPs: &[]string{"192.0.2.7"}} }, false},
		"not in URLs":          {func(*fixture) apikey.Edit { return apikey.Edit{AllowQuery: new(false)} }, false},
		"one scope more":       {func(*fixture) apikey.Edit { return apikey.Edit{Scopes: &[]string{"me.read", "sshkey.read"}} }, true},
		"all scopes":           {func(*fixture) apikey.Edit { return apikey.Edit{Scopes: &[]string{"all"}} }, true},
		"a later expiry":       {func(f *fixture) apikey.Edit { return apikey.Edit{ExpiresAt: new(f.now().Add(11 * day))} }, true},
		"no expiry":            {func(*fixture) apikey.Edit { return apikey.Edit{ExpiresAt: &time.Time{}} }, true},
		"an address more":      {func(*fixture) apikey.Edit { return apikey.Edit{AllowedIPs: &[]string{"192.0.2.0/24", "::1"}} }, true},
		"all addresses":        {func(*fixture) apikey.Edit { return apikey.Edit{AllowedIPs: &[]string{}} }, true},
		"narrower and wider":   {func(*fixture) apikey.Edit { return apikey.Edit{AllowQuery: new(false), ExpiresAt: &time.Time{}} }, true},
		"the same, said again": {func(*fixture) apikey.Edit { return apikey.Edit{Scopes: &[]string{"session.read", "me.read"}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			_, key := f.make(func(w *apikey.Wanted) {
				w.Scopes, w.AllowQuery, w.AllowedIPs = []string{"me.read", "session.read"}, true, []string{"192.0.2.0/24"}
				w.ExpiresAt = f.now().Add(10 * day)
			})
			err := f.Update(t.Context(), f.stale(alice), key.ID, tt.edit(f))
			if tt.fresh && (!errors.Is(err, access.ErrNotFresh) || f.row(key) != key) || !tt.fresh && err != nil {
				t.Errorf("by who proved nothing lately: %v, want it to need a proof: %v", err, tt.fresh)
			}
			if err := f.Update(t.Context(), f.as(alice), key.ID, tt.edit(f)); err != nil {
				t.Errorf("by who just proved who they are: %v", err)
			}
			delegated := f.as(alice)
			delegated.Kind, delegated.Scopes = access.APIKey, access.Scopes{access.All}
			if err := f.Update(t.Context(), delegated, key.ID, tt.edit(f)); !errors.Is(err, access.ErrFirstParty) {
				t.Errorf("by a key: %v, want ErrFirstParty", err)
			}
		})
	}
	f := newFixture(t)
	_, key := f.make()
	if err := f.Update(t.Context(), f.stale(alice), key.ID, apikey.Edit{AllowQuery: new(true)}); !errors.Is(err, access.ErrNotFresh) {
		t.Errorf("into URLs: %v, want ErrNotFresh", err)
	}
}

func TestUpdateActsAtOnce(t *testing.T) {
	f := newFixture(t)
	text, key := f.make(func(w *apikey.Wanted) { w.Scopes = []string{"me.read", "session.read"} })
	f.wantIn(text, nil)
	f.heard()
	edit := func(e apikey.Edit) {
		t.Helper()
		if err := f.Update(t.Context(), f.as(alice), key.ID, e); err != nil {
			t.Fatalf("Update = %v", err)
		}
	}
	edit(apikey.Edit{Scopes: &[]string{"me.read"}})
	if got, err := f.resolve(text); err != nil || !slices.Equal(got.Scopes, access.Scopes{"me.read"}) {
		t.Errorf("after narrowing: %+v, %v", got, err)
	}
	want := []string{"notice a11c", fmt.Sprintf("api_key_changed a11c [api_key_id=%d prefix=%s]", key.ID, text[:8])}
	if told := f.heard(); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	edit(apikey.Edit{AllowedIPs: &[]string{"198.51.100.0/24"}})
	f.wantIn(text, apikey.ErrAddress)
	edit(apikey.Edit{AllowedIPs: &[]string{}})
	f.wantIn(text, nil)
	edit(apikey.Edit{ExpiresAt: new(f.now().Add(time.Minute))})
	f.advance(time.Minute)
	f.wantIn(text, apikey.ErrExpired)
	edit(apikey.Edit{Name: new("expired, and renamed")}) // its expiry is not looked at
	if err := f.Update(t.Context(), f.as(alice), key.ID, apikey.Edit{ExpiresAt: new(f.now().Add(-time.Hour))}); !errors.Is(err, apikey.ErrExpiry) {
		t.Errorf("an expiry in the past = %v", err)
	}
	edit(apikey.Edit{ExpiresAt: &time.Time{}})
	f.wantIn(text, nil)
}

func TestAnAdminNoMoreMayStillNarrow(t *testing.T) {
	f := newFixture(t)
	_, key, err := f.Create(t.Context(), f.as(root), apikey.Wanted{Name: "x", Scopes: []string{"admin.user.read", "admin.role.read"}})
	if err != nil {
		t.Fatal(err)
	}
	by := f.as(root)
	by.Account.RoleIDs = []int64{3}
	if err := f.Update(t.Context(), by, key.ID, apikey.Edit{Scopes: &[]string{"admin.user.read"}}); err != nil {
		t.Errorf("narrowing = %v", err)
	}
	if err := f.Update(t.Context(), by, key.ID, apikey.Edit{Scopes: &[]string{"admin.user.delete"}}); !errors.Is(err, apikey.ErrAdminScope) {
		t.Errorf("another scope of admins = %v, want ErrAdminScope", err)
	}
}

func TestRotateWithAndWithoutOverlap(t *testing.T) {
	f := newFixture(t)
	first, key := f.make()
	f.wantIn(first, nil)
	rotate := func(overlap time.Duration) string {
		t.Helper()
		text, err := f.Rotate(t.Context(), f.as(alice), key.ID, overlap)
		if err != nil || !secret.IsBearer(secret.APIKey, text) {
			t.Fatalf("Rotate = %q, %v", text, err)
		}
		return text
	}
	second := rotate(0)
	f.wantIn(first, apikey.ErrInvalid)
	f.wantIn(second, nil)
	f.heard()
	third := rotate(time.Hour)
	want := fmt.Sprintf("api_key_rotated a11c [api_key_id=%d prefix=%s overlap_seconds=3600]", key.ID, third[:8])
	if told := f.heard(); len(told) != 2 || told[1] != want {
		t.Errorf("told %q, want %q", told, want)
	}
	f.advance(time.Hour - time.Millisecond)
	f.wantIn(second, nil)
	f.wantIn(third, nil)
	f.advance(time.Millisecond)
	f.wantIn(second, apikey.ErrInvalid) // remembered, and judged anew
	f.wantIn(third, nil)
	fourth := rotate(day)
	fifth := rotate(day)
	f.wantIn(third, apikey.ErrInvalid) // one old text at most
	f.wantIn(fourth, nil)
	f.wantIn(fifth, nil)
	for _, overlap := range []time.Duration{-1, day + 1} {
		if _, err := f.Rotate(t.Context(), f.as(alice), key.ID, overlap); !errors.Is(err, apikey.ErrOverlap) {
			t.Errorf("an overlap of %v = %v, want ErrOverlap", overlap, err)
		}
	}
	if row := f.row(key); row.Name != key.Name || row.CreatedAt != key.CreatedAt || row.Prefix != fifth[:8] {
		t.Errorf("the key became %+v", row)
	}
}

func TestDeleteAndRevoke(t *testing.T) {
	f := newFixture(t)
	mine, key := f.make()
	f.wantIn(mine, nil)
	for name, err := range map[string]error{
		"somebody else's": f.Delete(t.Context(), f.as(bob), key.ID), "an admin's try": f.Delete(t.Context(), f.as(root), key.ID),
		"unknown": f.Delete(t.Context(), f.as(alice), key.ID+1), "any, by no admin": f.DeleteAny(t.Context(), f.as(alice), key.ID),
		"edit of somebody else's": f.Update(t.Context(), f.as(bob), key.ID, apikey.Edit{Name: new("x")}),
	} {
		if !errors.Is(err, apikey.ErrNoKey) {
			t.Errorf("%s = %v, want ErrNoKey", name, err)
		}
	}
	f.heard()
	if err := f.Delete(t.Context(), f.as(alice), key.ID); err != nil {
		t.Fatal(err)
	}
	f.wantIn(mine, apikey.ErrInvalid)
	want := []string{"notice a11c", fmt.Sprintf("api_key_deleted a11c [api_key_id=%d prefix=%s]", key.ID, mine[:8])}
	if told := f.heard(); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	other, key := f.make()
	if err := f.DeleteAny(t.Context(), f.as(root), key.ID); err != nil {
		t.Error(err)
	}
	f.wantIn(other, apikey.ErrInvalid)
}

func TestWhatLeakedEnds(t *testing.T) {
	f := newFixture(t)
	text, key := f.make(func(w *apikey.Wanted) { w.Name = "found" })
	f.wantIn(text, nil)
	f.heard()
	for range 2 { // a second report is told no difference, and tells nobody
		if err := f.Leaked(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	f.wantIn(text, apikey.ErrInvalid)
	want := []string{
		"notice a11c", fmt.Sprintf("api_key_revoked a11c [api_key_id=%d prefix=%s why=leaked replaced_text=false]", key.ID, text[:8]), "mail: found leaked",
	}
	if told := f.heard(); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if row := f.row(key); row.RevokedWhy != model.RevokedLeaked || !row.RevokedAt.Equal(f.now().Truncate(time.Millisecond)) {
		t.Errorf("the row is %+v", row)
	}
	if _, err := f.Rotate(t.Context(), f.as(alice), key.ID, 0); !errors.Is(err, apikey.ErrRevoked) {
		t.Errorf("Rotate = %v, want ErrRevoked", err)
	}
	if err := f.Update(t.Context(), f.as(alice), key.ID, apikey.Edit{Name: new("x")}); !errors.Is(err, apikey.ErrRevoked) {
		t.Errorf("Update = %v, want ErrRevoked", err)
	}
	f.make(func(w *apikey.Wanted) { w.Name = "found" }) // its name is free
	if err := f.Delete(t.Context(), f.as(alice), key.ID); err != nil {
		t.Errorf("Delete = %v", err)
	}

	old, key := f.make()
	next, err := f.Rotate(t.Context(), f.as(alice), key.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f.wantIn(old, nil)
	f.heard()
	for _, text := range []string{old, old, "garbage", secret.NewBearer(secret.APIKey), ""} {
		if err := f.Leaked(t.Context(), text); err != nil {
			t.Errorf("Leaked = %v", err)
		}
	}
	f.wantIn(old, apikey.ErrInvalid)
	f.wantIn(next, nil)
	if told := f.heard(); len(told) != 3 {
		t.Errorf("told %q, want one event and what belongs to it", told)
	}
}

func TestKeysEndWithTheirDevice(t *testing.T) {
	f := newFixture(t)
	text, key := f.make()
	f.wantIn(text, nil)
	elsewhere := f.as(alice)
	elsewhere.DeviceKey = "other"
	kept, _, err := f.Create(t.Context(), elsewhere, wanted("kept"))
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func() (int, error){
		"by somebody else":     func() (int, error) { return f.EndOfDevice(t.Context(), f.as(bob), desk) },
		"anybody's, by alice":  func() (int, error) { return f.EndOfAnyDevice(t.Context(), f.as(alice), desk) },
		"of no device":         func() (int, error) { return f.EndOfDevice(t.Context(), f.as(alice), "") },
		"of an unknown device": func() (int, error) { return f.EndOfAnyDevice(t.Context(), f.as(root), "x") },
	} {
		if n, err := end(); n != 0 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	f.wantIn(text, nil)
	f.heard()
	if n, err := f.EndOfDevice(t.Context(), f.as(alice), desk); n != 1 || err != nil {
		t.Errorf("EndOfDevice = %d, %v, want 1", n, err)
	}
	f.wantIn(text, apikey.ErrInvalid)
	f.wantIn(kept, nil)
	want := []string{"notice a11c", fmt.Sprintf("api_key_revoked a11c [api_key_id=%d prefix=%s why=device]", key.ID, text[:8])}
	if told := f.heard(); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if n, err := f.EndOfAnyDevice(t.Context(), f.as(root), "other"); n != 1 || err != nil {
		t.Errorf("EndOfAnyDevice = %d, %v, want 1", n, err)
	}
	f.wantIn(kept, apikey.ErrInvalid)
}
