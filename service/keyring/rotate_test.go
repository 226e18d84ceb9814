package keyring_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/racetest"
)

func TestRotateSignsWithTheNewKey(t *testing.T) {
	ring := open(t, keyringtest.New(), keyringtest.Master()) // with a clock that stands still
	want := []string{ring.Signing().ID}
	device := slices.Clone(ring.Device())
	for range 20 {
		old := ring.Signing()
		id := rotate(t, ring)
		want = append(want, id)
		if ring.Signing().ID != id {
			t.Fatalf("%s signs, want the new key %s", ring.Signing().ID, id)
		}
		verifies, ok := ring.Token(old.ID)
		if diff := cmp.Diff(old, verifies); !ok || diff != "" {
			t.Errorf("the old key does not verify any more: %s", diff)
		}
	}
	if diff := cmp.Diff(want, ids(ring.Tokens())); diff != "" {
		t.Errorf("the keys are not in order (-want +got):\n%s", diff)
	}
	if !slices.Equal(device, ring.Device()) {
		t.Error("rotation changed the device key")
	}
}

func TestRotateSignsWithTheNewKeyWhateverTheClock(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	clock := start
	now := func() time.Time { return clock }
	ring, err := keyring.Open(t.Context(), store, master, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []time.Duration{-time.Hour, 0, 48 * time.Hour, -24 * time.Hour, time.Nanosecond} {
		clock = clock.Add(step)
		id := rotate(t, ring)
		if ring.Signing().ID != id || open(t, store, master).Signing().ID != id {
			t.Errorf("after a step of %v the new key does not sign", step)
		}
	}
}

func TestRemoveEndsAKey(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	ring := open(t, store, master)
	old, signs := ring.Signing().ID, rotate(t, ring)
	for _, row := range rows(t, store) {
		if row.Purpose == model.KeyToken {
			continue
		}
		if err := ring.Remove(t.Context(), row.ID); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("Remove of the %s key = %v, want %v", row.Purpose, err, model.ErrNotFound)
		}
	}
	for id, want := range map[string]error{signs: keyring.ErrInUse, "": model.ErrNotFound, "ffffffff": model.ErrNotFound} {
		if err := ring.Remove(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("Remove(%q) = %v, want %v", id, err, want)
		}
	}
	if n := len(rows(t, store)); n != 5 {
		t.Fatalf("%d keys are stored, want 5", n)
	}
	if err := ring.Remove(t.Context(), old); err != nil {
		t.Errorf("Remove = %v", err)
	}
	if _, ok := ring.Token(old); ok || len(ring.Tokens()) != 1 {
		t.Errorf("the removed key still verifies: %v", ids(ring.Tokens()))
	}
	if err := ring.Remove(t.Context(), old); !errors.Is(err, model.ErrNotFound) {
		t.Errorf("second Remove = %v, want %v", err, model.ErrNotFound)
	}
}

func TestRefreshSeesOtherProcesses(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	server, command := open(t, store, master), open(t, store, master)
	old, id := server.Signing().ID, rotate(t, command)
	if server.Signing().ID != old {
		t.Error("the server changed its key by itself")
	}
	if err := server.Refresh(t.Context()); err != nil || server.Signing().ID != id {
		t.Errorf("after Refresh %s signs, %v, want %s", server.Signing().ID, err, id)
	}
	if err := command.Remove(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := server.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := server.Token(old); ok {
		t.Error("the removed key still verifies in the server")
	}
}

func TestActingOnAStaleRing(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	ahead, err := keyring.Open(t.Context(), store, master, func() time.Time { return start.Add(time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	stale := open(t, store, master)
	first, second := stale.Signing().ID, rotate(t, ahead)
	if id := rotate(t, stale); stale.Signing().ID != id {
		t.Errorf("%s signs, want the newest key %s, though another process has a faster clock", stale.Signing().ID, id)
	}
	if err := ahead.Remove(t.Context(), second); err != nil {
		t.Errorf("Remove of a key that signed until another process rotated = %v", err)
	}
	if err := stale.Remove(t.Context(), first); err != nil {
		t.Errorf("Remove = %v", err)
	}
	if n := len(stale.Tokens()); n != 1 {
		t.Errorf("%d keys verify, want 1", n)
	}
}

// slowStore holds back an answer of Keys at its gate.
type slowStore struct {
	*keyringtest.Store

	gate *racetest.Gate
}

func (s *slowStore) Keys(ctx context.Context) ([]model.Key, error) {
	rows, err := s.Store.Keys(ctx)
	s.gate.Pass()
	return rows, err
}

func TestRemovedKeyNeverComesBack(t *testing.T) { // K-12, with a Refresh that is under way
	slow := &slowStore{Store: keyringtest.New(), gate: racetest.NewGate()}
	ring := open(t, slow, keyringtest.Master())
	old := ring.Signing().ID
	rotate(t, ring)
	slow.gate.Overtake(func() {
		if err := ring.Refresh(t.Context()); err != nil { // has read the old key at the gate
			t.Errorf("Refresh = %v", err)
		}
	}, func() {
		if err := ring.Remove(t.Context(), old); err != nil {
			t.Errorf("Remove = %v", err)
		}
	})
	if _, ok := ring.Token(old); ok {
		t.Error("the removed key verifies again")
	}
}

func TestRingIsSafeForConcurrentUse(t *testing.T) {
	store := keyringtest.New()
	ring := open(t, store, keyringtest.Master())
	sealed, err := ring.Seal("aad", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan string, 8*10)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 10 {
				rotated, err := ring.Rotate(t.Context())
				if err != nil {
					t.Errorf("Rotate = %v", err)
				}
				id := rotated.Token
				made <- id
				if _, ok := ring.Token(id); !ok {
					t.Errorf("the new key %s does not verify", id)
				}
				if plain, err := ring.Open("aad", sealed); err != nil || string(plain) != "plain" {
					t.Errorf("Open = %q, %v", plain, err)
				}
				if signing := ring.Signing(); len(signing.Secret) != 32 {
					t.Errorf("Signing = %+v", signing)
				}
			}
		})
	}
	group.Wait()
	close(made)
	for id := range made {
		if _, ok := ring.Token(id); !ok {
			t.Errorf("the key %s got lost", id)
		}
	}
	signing := ring.Signing().ID
	for _, k := range ring.Tokens() {
		if k.ID == signing {
			continue
		}
		group.Go(func() {
			if err := ring.Remove(t.Context(), k.ID); err != nil {
				t.Errorf("Remove = %v", err)
			}
			if _, ok := ring.Token(k.ID); ok {
				t.Errorf("the removed key %s verifies", k.ID)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff([]string{signing}, ids(ring.Tokens())); diff != "" {
		t.Errorf("the keys left (-want +got):\n%s", diff)
	}
}
