package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

// put seals n values in rows of their own.
func put(t *testing.T, ring *keyring.Ring, store *keyringtest.Store, n int) {
	t.Helper()
	for i := range n {
		write(t, ring, store, strconv.Itoa(i), "plain "+strconv.Itoa(i))
	}
}

// write seals one value into its row.
func write(t *testing.T, ring *keyring.Ring, store *keyringtest.Store, row, plain string) {
	t.Helper()
	v := model.Sealed{Table: "totp", Column: "secret", Row: row}
	sealed, err := ring.Seal(v.AAD(), []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	v.Value = sealed
	store.Put(v)
}

// wantOpen checks what n rows hold, and which sealing key they name.
func wantOpen(t *testing.T, ring *keyring.Ring, store *keyringtest.Store, under string) {
	t.Helper()
	for _, v := range store.Values() {
		plain, err := ring.Open(v.AAD(), v.Value)
		if err != nil || string(plain) != "plain "+v.Row {
			t.Errorf("row %s holds %q, %v", v.Row, plain, err)
		}
		if !strings.HasPrefix(v.Value, "v1:"+under+":") {
			t.Errorf("row %s is %s, want it under %s", v.Row, v.Value, under)
		}
	}
}

func sealIDs(ring *keyring.Ring) []string {
	var list []string
	for _, k := range ring.List() {
		if k.Purpose == model.KeySeal {
			list = append(list, k.ID)
		}
	}
	return list
}

func rotateAll(t *testing.T, ring *keyring.Ring) keyring.Rotated {
	t.Helper()
	made, err := ring.Rotate(t.Context())
	if err != nil {
		t.Fatalf("Rotate = %v", err)
	}
	return made
}

func reseal(t *testing.T, ring *keyring.Ring) keyring.Resealed {
	t.Helper()
	done, err := ring.Reseal(t.Context())
	if err != nil {
		t.Fatalf("Reseal = %v", err)
	}
	return done
}

func drop(t *testing.T, ring *keyring.Ring, alone bool) []string {
	t.Helper()
	ids, err := ring.DropSeals(t.Context(), alone)
	if err != nil {
		t.Fatalf("DropSeals = %v", err)
	}
	return ids
}

func TestRotationSealsAllAnew(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	ring := open(t, store, master)
	first := sealIDs(ring)
	put(t, ring, store, 250)
	if done := reseal(t, ring); done.Values != 0 {
		t.Errorf("%d values re-sealed though no key is new", done.Values)
	}
	var made []string
	for i := range 3 {
		made = append(made, rotateAll(t, ring).Seal)
		if done := reseal(t, ring); done.Values != 250 || len(done.Closed) != 0 {
			t.Errorf("Reseal = %+v, want 250 values", done)
		}
		wantOpen(t, ring, store, made[i])
		want := [][]string{nil, first, made[:1]}[i] // the one before the newest stays
		if diff := cmp.Diff(want, drop(t, ring, true)); diff != "" {
			t.Errorf("rotation %d dropped (-want +got):\n%s", i, diff)
		}
	}
	if diff := cmp.Diff(made[1:], sealIDs(open(t, store, master))); diff != "" {
		t.Errorf("the sealing keys left (-want +got):\n%s", diff)
	}
}

// A request that sealed a value before two rotations may write it after them.
func TestSealingKeyStaysWhileRequestsAreUnderWay(t *testing.T) {
	store, now := keyringtest.New(), start
	ring, err := keyring.Open(t.Context(), store, keyringtest.Master(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	first := sealIDs(ring)[0]
	late, err := ring.Seal("totp|secret|late", []byte("plain late"))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rotateAll(t, ring)
		reseal(t, ring)
		if dropped := drop(t, ring, false); dropped != nil {
			t.Fatalf("dropped %v at once", dropped)
		}
	}
	store.Put(model.Sealed{Table: "totp", Column: "secret", Row: "late", Value: late})
	now = now.Add(11 * time.Minute)
	if dropped := drop(t, ring, false); len(dropped) != 18 || dropped[0] == first {
		t.Errorf("dropped %v, want the 18 that nothing is sealed under and not %s", dropped, first)
	}
	if plain, err := ring.Open("totp|secret|late", late); err != nil || string(plain) != "plain late" {
		t.Errorf("Open = %q, %v", plain, err)
	}
	reseal(t, ring)
	if diff := cmp.Diff([]string{first}, drop(t, ring, false)); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	wantOpen(t, ring, store, sealIDs(ring)[1])
}

func TestResealLeavesWhatDoesNotOpen(t *testing.T) {
	store := keyringtest.New()
	ring := open(t, store, keyringtest.Master())
	put(t, ring, store, 3)
	moved := store.Values()[0]
	moved.Row = "moved"
	odd := []model.Sealed{
		moved,
		{Table: "settings", Column: "value", Row: "lost", Value: "v1:ffffffff:AAAA"},
		{Table: "settings", Column: "value", Row: "notes", Value: "v1: the first version"},
	}
	for _, v := range odd {
		store.Put(v)
	}
	rotateAll(t, ring)
	done := reseal(t, ring)
	want := []string{"totp|secret|moved", "settings|value|lost"}
	var got []string
	for _, v := range done.Closed {
		got = append(got, v.AAD())
		if v.Value != "" {
			t.Errorf("the report shows the value of %s", v.AAD())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || done.Values != 3 {
		t.Errorf("%d values re-sealed, want 3; closed (-want +got):\n%s", done.Values, diff)
	}
	if diff := cmp.Diff(odd, store.Values()[3:]); diff != "" {
		t.Errorf("they changed (-before +after):\n%s", diff)
	}
	rotateAll(t, ring)
	reseal(t, ring)
	if dropped := drop(t, ring, true); dropped != nil {
		t.Errorf("dropped %v, which a value still names", dropped)
	}
}

// dyingStore ends the process, as it were, after so many more calls.
type dyingStore struct {
	*keyringtest.Store

	left atomic.Int64
}

var errKilled = errors.New("killed")

func (s *dyingStore) dies() bool { return s.left.Add(-1) < 0 }

func (s *dyingStore) AddKeys(ctx context.Context, keys []model.Key) error {
	if s.dies() {
		return errKilled
	}
	return s.Store.AddKeys(ctx, keys)
}

func (s *dyingStore) Reseal(ctx context.Context, values []model.Reseal) (int, error) {
	if s.dies() {
		return 0, errKilled
	}
	return s.Store.Reseal(ctx, values)
}

func (s *dyingStore) RemoveSealKey(ctx context.Context, id string) error {
	if s.dies() {
		return errKilled
	}
	return s.Store.RemoveSealKey(ctx, id)
}

func TestKilledRotationIsFinishedByTheNext(t *testing.T) {
	for steps := range 9 {
		t.Run(fmt.Sprintf("after %d writes", steps), func(t *testing.T) {
			store, master := &dyingStore{Store: keyringtest.New()}, keyringtest.Master()
			store.left.Store(1000)
			ring := open(t, store, master)
			put(t, ring, store.Store, 250)
			rotateAll(t, ring)
			reseal(t, ring)
			store.left.Store(int64(steps))
			_, rotateErr := ring.Rotate(t.Context())
			_, resealErr := ring.Reseal(t.Context())
			_, dropErr := ring.DropSeals(t.Context(), true)
			if err := errors.Join(rotateErr, resealErr, dropErr); (err != nil) != (steps < 5) {
				t.Errorf("it ended with %v", err)
			}
			store.left.Store(1000)
			again := open(t, store, master)
			for _, v := range store.Values() {
				if plain, err := again.Open(v.AAD(), v.Value); err != nil || string(plain) != "plain "+v.Row {
					t.Fatalf("row %s holds %q, %v", v.Row, plain, err)
				}
			}
			made := rotateAll(t, again)
			reseal(t, again)
			drop(t, again, true)
			wantOpen(t, again, store.Store, made.Seal)
			if ids := sealIDs(again); len(ids) != 2 {
				t.Errorf("%d sealing keys are left, want 2", len(ids))
			}
		})
	}
}

// Invariant: a value that somebody writes is never overwritten by a re-sealing.
func TestResealingLosesNoWrite(t *testing.T) {
	store := keyringtest.New()
	ring := open(t, store, keyringtest.Master())
	put(t, ring, store, 40)
	var group sync.WaitGroup
	stop := make(chan struct{})
	last := make([]string, 4)
	for w := range last {
		group.Go(func() {
			row := strconv.Itoa(w * 7)
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				last[w] = fmt.Sprintf("written %d", i)
				write(t, ring, store, row, last[w])
			}
		})
	}
	for range 30 {
		rotateAll(t, ring)
		reseal(t, ring)
		drop(t, ring, false)
	}
	close(stop)
	group.Wait()
	for w, want := range last {
		v := store.Values()[w*7]
		if plain, err := ring.Open(v.AAD(), v.Value); err != nil || string(plain) != want {
			t.Errorf("row %s holds %q, %v, want %q", v.Row, plain, err, want)
		}
	}
}

func TestListShowsEveryKey(t *testing.T) {
	ring := open(t, keyringtest.New(), keyringtest.Master())
	made := rotateAll(t, ring)
	newest := map[model.KeyPurpose]string{}
	for _, k := range ring.List() {
		if k.Newest {
			newest[k.Purpose] += k.ID
		}
	}
	want := map[model.KeyPurpose]string{model.KeyToken: made.Token, model.KeySeal: made.Seal, model.KeyDevice: "00000000"}
	if diff := cmp.Diff(want, newest); diff != "" || len(ring.List()) != 5 {
		t.Errorf("%d keys, the newest (-want +got):\n%s", len(ring.List()), diff)
	}
}

func TestChangeMaster(t *testing.T) {
	store, old, fresh := keyringtest.New(), keyringtest.Master(), keyringtest.Master()
	ring := open(t, store, old)
	rotateAll(t, ring)
	put(t, ring, store, 3)
	if err := ring.ChangeMaster(t.Context(), make([]byte, 32)); !errors.Is(err, keyring.ErrWeak) {
		t.Errorf("ChangeMaster to zeros = %v, want %v", err, keyring.ErrWeak)
	}
	open(t, store, old)
	if err := ring.ChangeMaster(t.Context(), fresh); err != nil {
		t.Fatalf("ChangeMaster = %v", err)
	}
	if _, err := keyring.Open(t.Context(), store, old, still); !errors.Is(err, keyring.ErrMaster) {
		t.Errorf("Open with the old master key = %v, want %v", err, keyring.ErrMaster)
	}
	again := open(t, store, fresh)
	if diff := cmp.Diff(ring.Tokens(), again.Tokens()); diff != "" {
		t.Errorf("token keys differ (-before +after):\n%s", diff)
	}
	wantOpen(t, again, store, sealIDs(again)[1])
	rotateAll(t, ring) // under the new one
	open(t, store, fresh)
	store.Fail(errKilled)
	if err := ring.ChangeMaster(t.Context(), old); !errors.Is(err, errKilled) {
		t.Errorf("ChangeMaster without a store = %v", err)
	}
	store.Fail(nil)
	open(t, store, fresh)
}
