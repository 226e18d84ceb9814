package keyringtest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/racetest"
)

// Conformance is what every keyring.Store must do. open makes a fresh one for
// each part.
func Conformance(t *testing.T, open func(t *testing.T) keyring.Store) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, keyring.Store){
		"a new store is empty":                     startsEmpty,
		"keys come back as they were added":        keepsEveryField,
		"keys are listed oldest first, then by id": listsInOrder,
		"a taken id is refused and nothing added":  addsWhole,
		"only the key that was named is removed":   removesOne,
		"an unknown key is not removed":            removesKnown,
		"of parallel adds of an id one wins":       addsOnce,
		"of parallel removals of a key one counts": removesOnce,
		"every key gets its other sealed form":     resealsKeys,
		"of some keys none is changed":             resealsKeysWhole,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func key(id string, purpose model.KeyPurpose, after time.Duration) model.Key {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC).Add(after)
	return model.Key{ID: id, Purpose: purpose, Sealed: "v1:master:" + id, CreatedAt: model.At(at)}
}

func add(t *testing.T, s keyring.Store, keys ...model.Key) {
	t.Helper()
	if err := s.AddKeys(t.Context(), keys); err != nil {
		t.Fatalf("AddKeys = %v", err)
	}
}

func has(t *testing.T, s keyring.Store, want ...model.Key) {
	t.Helper()
	got, err := s.Keys(t.Context())
	if err != nil {
		t.Fatalf("Keys = %v", err)
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the keys differ (-want +got):\n%s", diff)
	}
}

func startsEmpty(t *testing.T, s keyring.Store) { has(t, s) }

func keepsEveryField(t *testing.T, s keyring.Store) {
	keys := []model.Key{key("a", model.KeyToken, 0), key("b", model.KeyDevice, 1*time.Millisecond), key("c", model.KeySeal, 2*time.Millisecond)}
	add(t, s, keys...)
	has(t, s, keys...)
}

func listsInOrder(t *testing.T, s keyring.Store) {
	late, early := key("a", model.KeyToken, time.Hour), key("z", model.KeyToken, -time.Hour)
	second, first := key("c", model.KeySeal, 0), key("b", model.KeyToken, 0)
	add(t, s, late, second)
	add(t, s, first)
	add(t, s, early)
	has(t, s, early, first, second, late)
}

func addsWhole(t *testing.T, s keyring.Store) {
	there := key("b", model.KeyToken, 0)
	add(t, s, there)
	for what, keys := range map[string][]model.Key{
		"a stored one":   {key("a", model.KeyToken, 0), key("b", model.KeySeal, 1)},
		"one of its own": {key("c", model.KeyToken, 0), key("c", model.KeyToken, 1)},
	} {
		if err := s.AddKeys(t.Context(), keys); !errors.Is(err, model.ErrConflict) {
			t.Errorf("AddKeys with the id of %s = %v, want %v", what, err, model.ErrConflict)
		}
	}
	has(t, s, there)
}

func removesOne(t *testing.T, s keyring.Store) {
	one, two := key("a", model.KeyToken, 0), key("b", model.KeyToken, time.Second)
	add(t, s, one, two)
	if err := s.RemoveKey(t.Context(), "a"); err != nil {
		t.Errorf("RemoveKey = %v", err)
	}
	has(t, s, two)
}

func removesKnown(t *testing.T, s keyring.Store) {
	one := key("a", model.KeyToken, 0)
	add(t, s, one)
	for _, id := range []string{"", "b", "%", "A", "a' OR '1'='1"} {
		if err := s.RemoveKey(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("RemoveKey(%q) = %v, want %v", id, err, model.ErrNotFound)
		}
	}
	has(t, s, one)
}

func addsOnce(t *testing.T, s keyring.Store) {
	racetest.Once(t, 12, model.ErrConflict, func(i int) error {
		k := key("a", model.KeyToken, 0)
		k.Sealed = strconv.Itoa(i)
		return s.AddKeys(t.Context(), []model.Key{k})
	})
}

func removesOnce(t *testing.T, s keyring.Store) {
	add(t, s, key("a", model.KeyToken, 0))
	racetest.Once(t, 12, model.ErrNotFound, func(int) error { return s.RemoveKey(t.Context(), "a") })
}
