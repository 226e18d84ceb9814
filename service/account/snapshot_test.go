package account_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/revocation"
)

func TestFirstAccounts(t *testing.T) { // contract §7.2
	f := newFixture(t)
	guest, err := f.First(t.Context(), model.RoleGuest)
	if !errors.Is(err, account.ErrUnknown) {
		t.Errorf("First(guest) = %v, %v, want %v: the guest starts disabled", guest, err, account.ErrUnknown)
	}
	admin, err := f.First(t.Context(), model.RoleAdmin)
	if err != nil {
		t.Fatalf("First(admin) = %v", err)
	}
	want := access.Account{
		Key: admin.Key, ID: 2, Username: "admin", BasePath: "/", RoleIDs: []int64{2}, RoleNames: []string{"admin"},
		Permission: 0xFFFF, Permissions: []model.PathScope{{Path: "/", Permission: 0xFFFF}},
		CreatedAt: start, ChangedAt: start,
	}
	if diff := cmp.Diff(&want, admin); diff != "" {
		t.Errorf("the admin differs (-want +got):\n%s", diff)
	}
	if g := f.snapshot(t, f.key(t, "guest")); g.ID != 1 || !g.Disabled || !g.IsGuest() || g.IsAdmin() {
		t.Errorf("the guest is %+v", g)
	}
	if p, err := f.Profile(t.Context(), admin.Key); err != nil || p.PasswordHash != "admin hash" {
		t.Errorf("the admin's hash is %q, %v", p.PasswordHash, err)
	}
	if p, err := f.Profile(t.Context(), f.key(t, "guest")); err != nil || p.PasswordHash != "" {
		t.Errorf("the guest's hash is %q, %v, want none", p.PasswordHash, err)
	}
	if founded, err := f.Found(t.Context(), "another hash"); err != nil || founded {
		t.Errorf("second Found = %v, %v, want false", founded, err)
	}
	if empty, err := f.Empty(t.Context()); err != nil || empty {
		t.Errorf("Empty = %v, %v, want false", empty, err)
	}
	if a := f.create(t, "third"); a.ID != 3 || a.MaxDevices != nil {
		t.Errorf("the third account has id %d and max_devices %v, want 3 and none", a.ID, a.MaxDevices)
	}
	third := f.snapshot(t, f.key(t, "third"))
	if diff := cmp.Diff([]string{"general"}, third.RoleNames); diff != "" {
		t.Errorf("the third account's roles (-want +got):\n%s", diff)
	}
}

func TestSnapshotUnitesScopes(t *testing.T) {
	f := newFixture(t)
	f.store.SetRole(model.Role{ID: 10, Name: "ten", Scopes: model.ScopeList{
		{Path: "/b", Permission: 1}, {Path: "/a/", Permission: 2}, {Path: "/b", Permission: 4},
	}})
	f.store.SetRole(model.Role{ID: 11, Name: "eleven", Scopes: model.ScopeList{
		{Path: "c/../a", Permission: 8}, {Path: "", Permission: 16}, {Path: "/b/x", Permission: 32}, {Path: "/../..", Permission: 64},
	}})
	f.store.SetRole(model.Role{ID: 12, Name: "twelve"})
	for name, tt := range map[string]struct {
		roles  model.IntList
		names  []string
		scopes []model.PathScope
	}{
		"no role":                   {nil, []string{}, []model.PathScope{}},
		"a role without a row":      {model.IntList{99}, []string{}, []model.PathScope{}},
		"a role without scopes":     {model.IntList{12}, []string{"twelve"}, []model.PathScope{}},
		"one role, in its order":    {model.IntList{10}, []string{"ten"}, []model.PathScope{{Path: "/b", Permission: 5}, {Path: "/a", Permission: 2}}},
		"two roles, in their order": {model.IntList{11, 99, 10}, []string{"eleven", "ten"}, []model.PathScope{{Path: "/a", Permission: 10}, {Path: "/", Permission: 80}, {Path: "/b/x", Permission: 32}, {Path: "/b", Permission: 5}}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := f.store.CreateAccount(t.Context(), model.Account{
				Key: name, Username: name, NameKey: name, BasePath: "x/../home//", Roles: tt.roles, SSOID: "sso", Epoch: 7, Permission: 3,
			})
			if err != nil {
				t.Fatal(err)
			}
			got := f.snapshot(t, a.Key)
			want := &access.Account{
				Key: name, ID: a.ID, Username: name, BasePath: "/home", RoleIDs: append([]int64{}, tt.roles...), RoleNames: tt.names,
				Permission: 3, Permissions: tt.scopes, SSOID: "sso", Epoch: 7,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the snapshot differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWarmSnapshotAsksNothing(t *testing.T) {
	f := newFixture(t)
	a, b := f.create(t, "a"), f.create(t, "b")
	if n := f.reads(func() { f.snapshot(t, a.Key) }); n != 1 {
		t.Errorf("a cold snapshot reads %d times, want 1", n)
	}
	f.snapshot(t, b.Key)
	if n := f.reads(func() { f.snapshot(t, a.Key); f.snapshot(t, b.Key) }); n != 0 {
		t.Errorf("a warm snapshot reads %d times, want 0", n)
	}
	f.hub.Publish(t.Context(), revocation.Notice{AccountKey: a.Key})
	if n := f.reads(func() { f.snapshot(t, a.Key) }); n != 1 {
		t.Errorf("after a notice a snapshot reads %d times, want 1", n)
	}
	if n := f.reads(func() { f.snapshot(t, b.Key) }); n != 0 {
		t.Errorf("after somebody else's notice a snapshot reads %d times, want 0", n)
	}
	f.hub.Publish(t.Context(), revocation.Notice{})
	if n := f.reads(func() { f.snapshot(t, a.Key); f.snapshot(t, b.Key) }); n != 2 {
		t.Errorf("after a notice to all two snapshots read %d times, want 2", n)
	}
}

func TestWarmFirstAsksNothing(t *testing.T) {
	f := newFixture(t)
	alice := f.create(t, "alice")
	first := func(role int64) func() {
		return func() {
			if _, err := f.First(t.Context(), role); err != nil && !errors.Is(err, account.ErrUnknown) {
				t.Errorf("First(%d) = %v", role, err)
			}
		}
	}
	if n := f.reads(first(model.RoleAdmin)); n != 2 {
		t.Errorf("a cold First reads %d times, want 2", n)
	}
	if n := f.reads(first(model.RoleAdmin)); n != 0 {
		t.Errorf("a warm First reads %d times, want 0", n)
	}
	f.reads(first(model.RoleGuest))
	if n := f.reads(first(model.RoleGuest)); n != 0 {
		t.Errorf("a warm First that finds nobody reads %d times, want 0", n)
	}
	f.reads(first(account.RoleGeneral))
	if err := f.SetDisabled(t.Context(), alice.Key, true); err != nil {
		t.Fatal(err)
	}
	if _, err := f.First(t.Context(), account.RoleGeneral); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("First(general) when the only one is disabled = %v, want %v", err, account.ErrUnknown)
	}
	if err := f.SetDisabled(t.Context(), f.key(t, "guest"), false); err != nil {
		t.Fatal(err)
	}
	if g, err := f.First(t.Context(), model.RoleGuest); err != nil || g.ID != 1 {
		t.Errorf("First(guest) once enabled = %v, %v", g, err)
	}
}

func TestSnapshotOfUnknownAccount(t *testing.T) {
	f := newFixture(t)
	for _, key := range []string{"", "nobody"} {
		if a, err := f.Snapshot(t.Context(), key); a != nil || !errors.Is(err, account.ErrUnknown) {
			t.Errorf("Snapshot(%q) = %v, %v, want %v", key, a, err, account.ErrUnknown)
		}
	}
}

func TestStoreFailureIsNotRemembered(t *testing.T) {
	f := newFixture(t)
	admin := f.key(t, "admin")
	f.store.fail = model.ErrUnavailable
	if a, err := f.Snapshot(t.Context(), admin); a != nil || !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("Snapshot = %v, %v, want %v", a, err, model.ErrUnavailable)
	}
	if a, err := f.First(t.Context(), model.RoleAdmin); a != nil || !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("First = %v, %v, want %v", a, err, model.ErrUnavailable)
	}
	f.store.fail = nil
	f.snapshot(t, admin)
	if _, err := f.First(t.Context(), model.RoleAdmin); err != nil {
		t.Errorf("First afterwards = %v", err)
	}
}

func TestSnapshotNeverShowsWhatWasBeforeAnAnswer(t *testing.T) {
	f := newFixture(t)
	a := f.create(t, "busy")
	var (
		readers   sync.WaitGroup
		ctx, stop = context.WithCancel(t.Context())
	)
	defer readers.Wait()
	defer stop()
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := f.Snapshot(context.WithoutCancel(ctx), a.Key); err != nil {
					t.Errorf("Snapshot = %v", err)
					return
				}
			}
		})
	}
	for i := range 200 {
		disabled := i%2 == 0
		if err := f.SetDisabled(t.Context(), a.Key, disabled); err != nil {
			t.Fatal(err)
		}
		if got := f.snapshot(t, a.Key); got.Disabled != disabled {
			t.Fatalf("after SetDisabled(%v) answered, the snapshot says %v", disabled, got.Disabled)
		}
	}
}
