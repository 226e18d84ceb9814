package keyring_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func still() time.Time { return start }

func open(t *testing.T, store keyring.Store, master []byte) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Open(t.Context(), store, master, still)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	return ring
}

func rotate(t *testing.T, ring *keyring.Ring) string {
	t.Helper()
	made, err := ring.Rotate(t.Context())
	if err != nil {
		t.Fatalf("Rotate = %v", err)
	}
	return made.Token
}

func rows(t *testing.T, store keyring.Store) []model.Key {
	t.Helper()
	list, err := store.Keys(t.Context())
	if err != nil {
		t.Fatalf("Keys = %v", err)
	}
	return list
}

func ids(keys []keyring.Key) []string {
	var list []string
	for _, k := range keys {
		list = append(list, k.ID)
	}
	return list
}

func TestFirstStartMakesThreeKeys(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	ring := open(t, store, master)
	purposes := map[model.KeyPurpose]int{}
	for _, row := range rows(t, store) {
		purposes[row.Purpose]++
		if raw, err := hex.DecodeString(row.ID); err != nil || len(raw) != 4 {
			t.Errorf("id %q is not 8 hex digits", row.ID)
		}
		for _, bare := range [][]byte{ring.Device(), ring.Signing().Secret} {
			if strings.Contains(row.Sealed, string(bare)) || strings.Contains(row.Sealed, hex.EncodeToString(bare)) {
				t.Errorf("the row of %s holds a secret in the clear", row.ID)
			}
		}
	}
	want := map[model.KeyPurpose]int{model.KeyToken: 1, model.KeyDevice: 1, model.KeySeal: 1}
	if diff := cmp.Diff(want, purposes); diff != "" {
		t.Errorf("keys by purpose (-want +got):\n%s", diff)
	}
	if n, m := len(ring.Signing().Secret), len(ring.Device()); n != 32 || m != 32 {
		t.Errorf("the keys have %d and %d bytes, want 32", n, m)
	}
	if bytes.Equal(ring.Device(), ring.Signing().Secret) {
		t.Error("one secret serves two purposes")
	}
	if got := ring.Signing().CreatedAt; !got.Equal(start) {
		t.Errorf("CreatedAt = %v, want %v", got, start)
	}
}

func TestReopenGivesTheSameKeys(t *testing.T) { // K-12: tokens survive a restart
	store, master := keyringtest.New(), keyringtest.Master()
	first := open(t, store, master)
	sealed, err := first.Seal("aad", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	before := rows(t, store)
	second := open(t, store, master)
	if diff := cmp.Diff(first.Tokens(), second.Tokens()); diff != "" {
		t.Errorf("token keys differ (-first +second):\n%s", diff)
	}
	if !bytes.Equal(first.Device(), second.Device()) {
		t.Error("the device key differs")
	}
	if plain, err := second.Open("aad", sealed); err != nil || string(plain) != "plain" {
		t.Errorf("Open = %q, %v, want what was sealed before", plain, err)
	}
	if diff := cmp.Diff(before, rows(t, store)); diff != "" {
		t.Errorf("the rows changed (-before +after):\n%s", diff)
	}
}

// lateStore answers the first look at it as if it were still empty.
type lateStore struct {
	*keyringtest.Store

	looked bool
}

func (s *lateStore) Keys(ctx context.Context) ([]model.Key, error) {
	if !s.looked {
		s.looked = true
		return nil, nil
	}
	return s.Store.Keys(ctx)
}

func TestTwoFirstStartsShareTheKeys(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	first := open(t, store, master)
	second := open(t, &lateStore{Store: store}, master)
	if !bytes.Equal(first.Device(), second.Device()) {
		t.Error("the device keys differ")
	}
	if diff := cmp.Diff(first.Tokens(), second.Tokens()); diff != "" {
		t.Errorf("token keys differ (-first +second):\n%s", diff)
	}
	if n := len(rows(t, store)); n != 3 {
		t.Errorf("%d keys are stored, want 3", n)
	}
}

func TestOpenRefusesMaster(t *testing.T) {
	good := keyringtest.Master()
	other := bytes.Clone(good)
	other[31] ^= 1
	for name, tt := range map[string]struct {
		master []byte
		want   error
	}{
		"another key":              {keyringtest.Master(), keyring.ErrMaster},
		"a key with one other bit": {other, keyring.ErrMaster},
		"no key":                   {nil, keyring.ErrWeak},
		"a short key":              {good[:31], keyring.ErrWeak},
		"16 bytes":                 {good[:16], keyring.ErrWeak},
		"a long key":               {append(bytes.Clone(good), 7), keyring.ErrWeak},
		"zeros":                    {make([]byte, 32), keyring.ErrWeak},
		"one byte again and again": {bytes.Repeat([]byte{0xA5}, 32), keyring.ErrWeak},
		"8 bytes four times":       {bytes.Repeat([]byte("8 bytes!"), 4), keyring.ErrWeak},
		"16 bytes twice":           {bytes.Repeat([]byte("0123456789abcdef"), 2), keyring.ErrWeak},
		"a key in hex":             {[]byte(hex.EncodeToString(good[:16])), keyring.ErrWeak},
	} {
		t.Run(name, func(t *testing.T) {
			store := keyringtest.New()
			open(t, store, good)
			before := rows(t, store)
			if _, err := keyring.Open(t.Context(), store, tt.master, still); !errors.Is(err, tt.want) {
				t.Errorf("Open = %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff(before, rows(t, store)); diff != "" {
				t.Errorf("the rows changed (-before +after):\n%s", diff)
			}
			if _, err := keyring.Open(t.Context(), keyringtest.New(), tt.master, still); (err != nil) != errors.Is(tt.want, keyring.ErrWeak) {
				t.Errorf("Open of an empty store = %v", err)
			}
		})
	}
}

func TestOpenRefusesChangedRows(t *testing.T) {
	at := func(rows []model.Key, p model.KeyPurpose) int {
		for i, row := range rows {
			if row.Purpose == p {
				return i
			}
		}
		return -1
	}
	for name, change := range map[string]func([]model.Key) []model.Key{
		"one character of a secret": func(rows []model.Key) []model.Key {
			text := []byte(rows[0].Sealed)
			if text[len(text)/2] == 'A' {
				text[len(text)/2] = 'B'
			} else {
				text[len(text)/2] = 'A'
			}
			rows[0].Sealed = string(text)
			return rows
		},
		"a secret cut short": func(rows []model.Key) []model.Key {
			rows[0].Sealed = rows[0].Sealed[:len(rows[0].Sealed)-4]
			return rows
		},
		"a secret moved to another row": func(rows []model.Key) []model.Key {
			rows[0].Sealed = rows[1].Sealed
			return rows
		},
		"another id": func(rows []model.Key) []model.Key {
			rows[0].ID = "ffffffff"
			return rows
		},
		"the device key used for tokens": func(rows []model.Key) []model.Key {
			rows[at(rows, model.KeyDevice)].Purpose = model.KeyToken
			return rows
		},
		"another version": func(rows []model.Key) []model.Key { rows[0].Sealed = "v2" + rows[0].Sealed[2:]; return rows },
		"an empty secret": func(rows []model.Key) []model.Key { rows[0].Sealed = ""; return rows },
		"a fourth part":   func(rows []model.Key) []model.Key { rows[0].Sealed += ":x"; return rows },
		"a line break":    func(rows []model.Key) []model.Key { rows[0].Sealed += "\n"; return rows },
		"a secret in the clear": func(rows []model.Key) []model.Key {
			rows[0].Sealed = "v1:master:" + strings.Repeat("A", 43)
			return rows
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, master := keyringtest.New(), keyringtest.Master()
			ring := open(t, store, master)
			tokens := ring.Tokens()
			store.Change(change)
			if _, err := keyring.Open(t.Context(), store, master, still); !errors.Is(err, keyring.ErrMaster) {
				t.Errorf("Open = %v, want %v", err, keyring.ErrMaster)
			}
			if err := ring.Refresh(t.Context()); !errors.Is(err, keyring.ErrMaster) {
				t.Errorf("Refresh = %v, want %v", err, keyring.ErrMaster)
			}
			if diff := cmp.Diff(tokens, ring.Tokens()); diff != "" {
				t.Errorf("a refused Refresh changed the ring (-before +after):\n%s", diff)
			}
		})
	}
}

func TestOpenRefusesMissingKeys(t *testing.T) {
	for _, purpose := range []model.KeyPurpose{model.KeyToken, model.KeyDevice, model.KeySeal} {
		t.Run(string(purpose), func(t *testing.T) {
			store, master := keyringtest.New(), keyringtest.Master()
			open(t, store, master)
			store.Change(func(rows []model.Key) []model.Key {
				var left []model.Key
				for _, row := range rows {
					if row.Purpose != purpose {
						left = append(left, row)
					}
				}
				return left
			})
			if _, err := keyring.Open(t.Context(), store, master, still); err == nil {
				t.Error("Open made do without the key, want an error")
			}
			if n := len(rows(t, store)); n != 2 {
				t.Errorf("%d rows, want the 2 that were left", n)
			}
		})
	}
}

func TestStoreFailuresArePassedOn(t *testing.T) {
	boom := errors.New("boom")
	store, master := keyringtest.New(), keyringtest.Master()
	ring := open(t, store, master)
	old := ring.Signing().ID
	rotate(t, ring)
	tokens := ring.Tokens()
	store.Fail(boom)
	_, openErr := keyring.Open(t.Context(), store, master, still)
	_, rotateErr := ring.Rotate(t.Context())
	for what, err := range map[string]error{
		"Open": openErr, "Rotate": rotateErr, "Refresh": ring.Refresh(t.Context()), "Remove": ring.Remove(t.Context(), old),
	} {
		if !errors.Is(err, boom) {
			t.Errorf("%s = %v, want %v", what, err, boom)
		}
	}
	if diff := cmp.Diff(tokens, ring.Tokens()); diff != "" {
		t.Errorf("the ring changed (-before +after):\n%s", diff)
	}
}
