package keyringtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"
)

// Sealer seals as a keyring does, under a key of its own.
type Sealer struct{ aead cipher.AEAD }

// NewSealer makes a sealer with a random key.
func NewSealer() Sealer {
	key := make([]byte, 32)
	rand.Read(key) // never fails since Go 1.24
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key has the right length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return Sealer{aead: aead}
}

// Seal encrypts plain and binds it to aad.
func (s Sealer) Seal(aad string, plain []byte) (string, error) {
	return base64.RawStdEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(aad))), nil
}

// Open decrypts what Seal made with the same aad.
func (s Sealer) Open(aad, sealed string) ([]byte, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("decode sealed text: %w", err)
	}
	return s.aead.Open(nil, nil, raw, []byte(aad))
}
