package keyring_test

import (
	"bytes"
	"testing"

	"latchkey/service/keyring/keyringtest"
)

func TestDerivedKeysAreTheSameForEver(t *testing.T) {
	store, master := keyringtest.New(), bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuv"), 1)
	derive := func(purpose string) []byte {
		t.Helper()
		ring := open(t, store, master)
		if _, err := ring.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		key, err := ring.Derived(purpose)
		if err != nil || len(key) != 32 || bytes.Equal(key, ring.Device()) {
			t.Fatalf("Derived(%q) = %x, %v", purpose, key, err)
		}
		return key
	}
	if !bytes.Equal(derive("a"), derive("a")) {
		t.Error("after a rotation the derived key is another")
	}
	if bytes.Equal(derive("a"), derive("b")) {
		t.Error("two purposes have one key")
	}
}
