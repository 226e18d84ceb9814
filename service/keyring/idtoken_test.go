package keyring_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
)

func idKeys(t *testing.T, ring *keyring.Ring) []keyring.IDKey {
	t.Helper()
	list, err := ring.IDKeys(t.Context())
	if err != nil {
		t.Fatalf("IDKeys = %v", err)
	}
	return list
}

func TestFirstIDKeyIsMadeWhenItIsAskedFor(t *testing.T) {
	store, master := keyringtest.New(), keyringtest.Master()
	ring := open(t, store, master) // as one of an installation that knew no id_tokens
	if n := len(rows(t, store)); n != 3 {
		t.Fatalf("%d keys before anybody asked, want 3", n)
	}
	if made, err := ring.Rotate(t.Context()); err != nil || made.IDToken != "" {
		t.Errorf("Rotate = %+v, %v, want no key of id_tokens", made, err)
	}
	first := idKeys(t, ring)
	if len(first) != 1 || first[0].Private.N.BitLen() != 2048 || !first[0].CreatedAt.Equal(start) {
		t.Fatalf("IDKeys = %+v, want one RSA key of 2048 bits", first)
	}
	again, other := idKeys(t, ring), idKeys(t, open(t, store, master))
	if len(again) != 1 || len(other) != 1 || again[0].ID != first[0].ID || !other[0].Private.Equal(first[0].Private) {
		t.Error("the second question got another key")
	}
	secret, err := x509.MarshalPKCS8PrivateKey(first[0].Private)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows(t, store) {
		if row.Purpose == model.KeyIDToken && (!strings.HasPrefix(row.Sealed, "v1:master:") || strings.Contains(row.Sealed, string(secret[30:60]))) {
			t.Error("the row holds the private key in the clear")
		}
	}
}

func TestParallelQuestionsMakeOneIDKey(t *testing.T) {
	store := keyringtest.New()
	ring := open(t, store, keyringtest.Master())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { _ = idKeys(t, ring) })
	}
	group.Wait()
	if n := len(idKeys(t, ring)); n != 1 {
		t.Errorf("%d keys were made, want 1", n)
	}
}

func TestIDKeysOverlap(t *testing.T) { // K-12
	store, master := keyringtest.New(), keyringtest.Master()
	clock := start
	ring, err := keyring.Open(t.Context(), store, master, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	old := idKeys(t, ring)[0]
	clock = clock.Add(time.Minute)
	made, err := ring.Rotate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	both := idKeys(t, ring)
	if len(both) != 2 || both[0].ID != old.ID || both[1].ID != made.IDToken {
		t.Fatalf("after the rotation: %d keys, want the old one and %s", len(both), made.IDToken)
	}
	until := ring.IDSignedUntil(both[1].CreatedAt)
	if until.Sub(clock) < 2*time.Hour {
		t.Errorf("the old key is published until %v, want longer than an id_token lives", until)
	}
	clock = until.Add(-time.Millisecond)
	if gone, err := ring.DropIDKeys(t.Context()); err != nil || len(gone) != 0 {
		t.Errorf("DropIDKeys = %v, %v before the time", gone, err)
	}
	clock = until
	gone, err := ring.DropIDKeys(t.Context())
	if err != nil || len(gone) != 1 || gone[0] != old.ID {
		t.Errorf("DropIDKeys = %v, %v, want the old key", gone, err)
	}
	if left := idKeys(t, ring); len(left) != 1 || left[0].ID != made.IDToken {
		t.Errorf("%d keys are left", len(left))
	}
	if err := ring.Remove(t.Context(), made.IDToken); !errors.Is(err, keyring.ErrInUse) {
		t.Errorf("Remove of the key that signs = %v, want %v", err, keyring.ErrInUse)
	}
}

func TestIDKeysFollowTheMasterKey(t *testing.T) {
	store, master, next := keyringtest.New(), keyringtest.Master(), keyringtest.Master()
	ring := open(t, store, master)
	before := idKeys(t, ring)[0]
	if err := ring.ChangeMaster(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	after := idKeys(t, open(t, store, next))
	if len(after) != 1 || !after[0].Private.Equal(before.Private) {
		t.Error("the key got lost with the old master key")
	}
}

func TestWeakIDKeyIsRefused(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(key any) []byte {
		text, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, secret := range map[string][]byte{
		"1024 bits": encode(small), "a curve": encode(curve), "nothing": nil, "32 random bytes": keyringtest.Master(),
	} {
		t.Run(name, func(t *testing.T) {
			store, master := keyringtest.New(), keyringtest.Master()
			open(t, store, master)
			store.Change(func(rows []model.Key) []model.Key {
				row := model.Key{ID: "ffffffff", Purpose: model.KeyIDToken, CreatedAt: model.At(start)}
				row.Sealed = sealedUnder(t, master, "keys|idtoken|ffffffff", secret)
				return append(rows, row)
			})
			if _, err := keyring.Open(t.Context(), store, master, still); !errors.Is(err, keyring.ErrWeak) {
				t.Errorf("Open = %v, want %v", err, keyring.ErrWeak)
			}
		})
	}
}

// sealedUnder is a key's row as whoever holds the master key would write it.
func sealedUnder(t *testing.T, master []byte, aad string, secret []byte) string {
	t.Helper()
	block, err := aes.NewCipher(master)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return "v1:master:" + base64.RawStdEncoding.EncodeToString(aead.Seal(nil, nil, secret, []byte(aad)))
}
