package keyringtest

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/racetest"
)

// Sealing is a store without keys and values, and the way to give it values.
type Sealing struct {
	Store keyring.Store
	// Put stores each text as a sealed value, each at a place of its own, and
	// returns them. It is called once.
	Put func(t *testing.T, texts ...string) []model.Sealed
}

// SealedConformance is what every keyring.Store must do with sealed values.
// open makes a fresh one for each part.
func SealedConformance(t *testing.T, open func(t *testing.T) Sealing) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, Sealing){
		"every value is listed once, in pages":          listsValues,
		"values under the key are left out":             listsOtherKeys,
		"texts that are not sealed are left out":        listsSealed,
		"a value is replaced while it is what was read": replacesValues,
		"of parallel replacements of a value one wins":  replacesOnce,
		"a sealing key goes when no value names it":     removesUnusedSeal,
		"a key of another purpose stays":                removesSealsOnly,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func sealedTexts(n int, kid string) []string {
	var texts []string
	for i := range n {
		texts = append(texts, "v1:"+kid+":"+strconv.Itoa(i))
	}
	return texts
}

// stored is every value that is not under the key, read in pages of size.
func stored(t *testing.T, s keyring.Store, notUnder string, size int) []model.Sealed {
	t.Helper()
	var (
		all   []model.Sealed
		after model.Sealed
	)
	for {
		page, err := s.Sealed(t.Context(), notUnder, after, size)
		if err != nil || len(page) > size {
			t.Fatalf("Sealed = %d values, %v, want at most %d", len(page), err, size)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		after = page[len(page)-1]
	}
}

func inOrder(values []model.Sealed) []model.Sealed {
	values = slices.Clone(values)
	slices.SortFunc(values, func(a, b model.Sealed) int { return strings.Compare(a.AAD(), b.AAD()) })
	return values
}

func wantValues(t *testing.T, want, got []model.Sealed) {
	t.Helper()
	if diff := cmp.Diff(inOrder(want), inOrder(got)); diff != "" {
		t.Errorf("the values differ (-want +got):\n%s", diff)
	}
}

func listsValues(t *testing.T, s Sealing) {
	put := s.Put(t, sealedTexts(23, "aaaaaaaa")...)
	for _, size := range []int{1, 2, 7, 23, 100} {
		wantValues(t, put, stored(t, s.Store, "bbbbbbbb", size))
	}
	wantValues(t, put, stored(t, s.Store, "", 5))
}

func listsOtherKeys(t *testing.T, s Sealing) {
	put := s.Put(t, append(sealedTexts(9, "aaaaaaaa"), sealedTexts(9, "bbbbbbbb")...)...)
	wantValues(t, put[:9], stored(t, s.Store, "bbbbbbbb", 4))
	wantValues(t, put[9:], stored(t, s.Store, "aaaaaaaa", 4))
	wantValues(t, put, stored(t, s.Store, "aaaa", 4))
}

func listsSealed(t *testing.T, s Sealing) {
	s.Put(t, "", "plain", "v2:aaaaaaaa:x", "V1:aaaaaaaa:x", " v1:aaaaaaaa:x", "v1", "$v1:aaaaaaaa:x")
	wantValues(t, nil, stored(t, s.Store, "bbbbbbbb", 10))
}

func replacesValues(t *testing.T, s Sealing) {
	put := s.Put(t, sealedTexts(12, "aaaaaaaa")...)
	var batch []model.Reseal
	for i, v := range put {
		r := model.Reseal{Sealed: v, Becomes: "v1:bbbbbbbb:" + strconv.Itoa(i)}
		if i%3 == 0 {
			r.Value += "x" // it changed since it was read
		} else {
			put[i].Value = r.Becomes
		}
		batch = append(batch, r)
	}
	if n, err := s.Store.Reseal(t.Context(), batch); n != 8 || err != nil {
		t.Errorf("Reseal = %d, %v, want 8", n, err)
	}
	wantValues(t, put, stored(t, s.Store, "", 5))
	if n, err := s.Store.Reseal(t.Context(), nil); n != 0 || err != nil {
		t.Errorf("Reseal of nothing = %d, %v", n, err)
	}
}

func replacesOnce(t *testing.T, s Sealing) {
	value := s.Put(t, "v1:aaaaaaaa:0")[0]
	var (
		group sync.WaitGroup
		mu    sync.Mutex
		wins  int
	)
	for i := range 12 {
		group.Go(func() {
			n, err := s.Store.Reseal(t.Context(), []model.Reseal{{Sealed: value, Becomes: "v1:bbbbbbbb:" + strconv.Itoa(i)}})
			if err != nil {
				t.Errorf("Reseal = %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			wins += n
		})
	}
	group.Wait()
	if wins != 1 {
		t.Errorf("%d replacements won, want 1", wins)
	}
}

func removesUnusedSeal(t *testing.T, s Sealing) {
	add(t, s.Store, key("aaaaaaaa", model.KeySeal, 0), key("bbbbbbbb", model.KeySeal, time.Second))
	put := s.Put(t, sealedTexts(12, "aaaaaaaa")...) // some in every column
	for _, v := range put {
		if err := s.Store.RemoveSealKey(t.Context(), "aaaaaaaa"); !errors.Is(err, model.ErrConflict) {
			t.Fatalf("RemoveSealKey while %s names it = %v, want %v", v.AAD(), err, model.ErrConflict)
		}
		n, err := s.Store.Reseal(t.Context(), []model.Reseal{{Sealed: v, Becomes: "v1:bbbbbbbb:x"}})
		if n != 1 || err != nil {
			t.Fatalf("Reseal = %d, %v", n, err)
		}
	}
	racetest.Once(t, 6, model.ErrNotFound, func(int) error { return s.Store.RemoveSealKey(t.Context(), "aaaaaaaa") })
	has(t, s.Store, key("bbbbbbbb", model.KeySeal, time.Second))
}

func removesSealsOnly(t *testing.T, s Sealing) {
	there := []model.Key{key("aaaaaaaa", model.KeyToken, 0), key("bbbbbbbb", model.KeyDevice, time.Second)}
	add(t, s.Store, there...)
	for _, id := range []string{"aaaaaaaa", "bbbbbbbb", "", "cccccccc"} {
		if err := s.Store.RemoveSealKey(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
			t.Errorf("RemoveSealKey(%q) = %v, want %v", id, err, model.ErrNotFound)
		}
	}
	has(t, s.Store, there...)
}

func resealsKeys(t *testing.T, s keyring.Store) {
	keys := []model.Key{key("a", model.KeyToken, 0), key("b", model.KeyDevice, time.Second), key("c", model.KeySeal, time.Minute)}
	add(t, s, keys...)
	for i := range keys {
		keys[i].Sealed = "v1:master:new" + keys[i].ID
	}
	if err := s.ResealKeys(t.Context(), keys); err != nil {
		t.Errorf("ResealKeys = %v", err)
	}
	has(t, s, keys...)
}

func resealsKeysWhole(t *testing.T, s keyring.Store) {
	there := []model.Key{key("a", model.KeyToken, 0), key("b", model.KeyDevice, time.Second)}
	add(t, s, there...)
	one, other, purpose := there[0], key("c", model.KeySeal, 0), there[1]
	one.Sealed = "v1:master:new"
	purpose.Purpose = model.KeySeal
	for name, keys := range map[string][]model.Key{
		"none": nil, "one of two": {one}, "one too many": {one, there[1], other}, "an unknown one": {one, other},
		"another purpose": {one, purpose},
	} {
		if err := s.ResealKeys(t.Context(), keys); !errors.Is(err, model.ErrStale) {
			t.Errorf("ResealKeys of %s = %v, want %v", name, err, model.ErrStale)
		}
	}
	has(t, s, there...)
}
