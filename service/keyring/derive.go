package keyring

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// Derived is a key for one purpose, 32 bytes: HKDF-SHA-256 (RFC 5869) of the key
// that never changes, so it never changes either. Keys of two purposes say
// nothing of each other, nor of the one they come from.
func (r *Ring) Derived(purpose string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, r.Device(), nil, "latchkey|"+purpose, keySize)
	if err != nil {
		return nil, fmt.Errorf("derive the key for %s: %w", purpose, err)
	}
	return key, nil
}
