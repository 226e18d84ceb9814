package password

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// The stored forms of imported passwords, beside the plain one that Hash makes:
//
//	$alist$SEALED                  AList's hash and salt, sealed
//	$alist-argon2id$SALT$v=19$…    Argon2id over AList's hash, whose salt is kept
//
// The first is what an import can afford to write for 10,000 accounts at once;
// the second is what the background worker makes of it, without the user; and
// the plain form takes the place of both when the user signs in.
const (
	sealedForm  = "$alist$"
	wrappedForm = "$alist-argon2id$"
)

// SealedPrefix begins every stored password that waits to be wrapped.
const SealedPrefix = sealedForm

var (
	errImported = errors.New("not an imported password")
	errNoHash   = errors.New("not a hash of AList's")
)

// Sealer encrypts AList's hashes, which are worth no more than the SHA-256 they
// are. What was sealed opens only with the same aad.
type Sealer interface {
	Seal(aad string, plain []byte) (string, error)
	Open(aad, sealed string) ([]byte, error)
}

// Checker compares passwords with every stored form. It is safe for concurrent
// use.
type Checker struct {
	hasher *Hasher
	sealer Sealer
}

// NewChecker makes a Checker.
func NewChecker(hasher *Hasher, sealer Sealer) *Checker {
	return &Checker{hasher: hasher, sealer: sealer}
}

// Legacy is how AList hashes a password's static hash: lower-case hex of
// SHA-256 (contract 8.2).
func Legacy(static, salt string) string {
	sum := sha256.Sum256([]byte(NormalizeStatic(static) + "-" + salt))
	return hex.EncodeToString(sum[:])
}

// IsLegacy reports whether s can be a hash of AList's: 64 lower-case hex digits.
func IsLegacy(s string) bool { return IsStatic(s) && strings.ToLower(s) == s }

// IsImported reports whether a stored password is one that a successful sign-in
// replaces with the plain form.
func IsImported(stored string) bool {
	return strings.HasPrefix(stored, sealedForm) || strings.HasPrefix(stored, wrappedForm)
}

// Import is the stored form of AList's hash and salt. It costs no hash.
func (c *Checker) Import(accountKey, legacy, salt string) (string, error) {
	if !IsLegacy(legacy) {
		return "", fmt.Errorf("import a password: %w", errNoHash)
	}
	sealed, err := c.sealer.Seal(importAAD(accountKey), []byte(legacy+"|"+salt))
	if err != nil {
		return "", fmt.Errorf("seal an imported password: %w", err)
	}
	return sealedForm + sealed, nil
}

// Verify is Hasher.Verify for every stored form. All of them cost one hash, so
// that the time of an answer does not tell how a password is stored.
func (c *Checker) Verify(ctx context.Context, accountKey, stored, static string) (bool, error) {
	switch {
	case strings.HasPrefix(stored, sealedForm):
		if err := c.hasher.VerifyNothing(ctx, static); err != nil {
			return false, err
		}
		legacy, salt, err := c.open(accountKey, stored)
		if err != nil {
			return false, err
		}
		return subtle.ConstantTimeCompare([]byte(Legacy(static, salt)), []byte(legacy)) == 1, nil
	case strings.HasPrefix(stored, wrappedForm):
		salt, encoded, err := unwrap(stored)
		if err != nil {
			return false, err
		}
		return c.hasher.Verify(ctx, encoded, Legacy(static, salt))
	}
	return c.hasher.Verify(ctx, stored, static)
}

// Wrap is a sealed password under Argon2id. It fails as Hasher.Hash does, and
// for any other form.
func (c *Checker) Wrap(ctx context.Context, accountKey, stored string) (string, error) {
	legacy, salt, err := c.open(accountKey, stored)
	if err != nil {
		return "", err
	}
	encoded, err := c.hasher.Hash(ctx, legacy) // it has the form of a static hash
	if err != nil {
		return "", err
	}
	rest := strings.TrimPrefix(encoded, "$argon2id")
	return wrappedForm + base64.RawURLEncoding.EncodeToString([]byte(salt)) + rest, nil
}

// IsBusy reports whether anybody computes or waits for a hash, for those who
// have time.
func (c *Checker) IsBusy() bool { return len(c.hasher.admit) > 0 }

// unwrap takes a wrapped password apart: AList's salt, and a hash as Hash makes
// it.
func unwrap(stored string) (salt, encoded string, err error) {
	text, rest, found := strings.Cut(strings.TrimPrefix(stored, wrappedForm), "$")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || !found {
		return "", "", fmt.Errorf("read a stored password: %w", errImported)
	}
	return string(raw), "$argon2id$" + rest, nil
}

func (c *Checker) open(accountKey, stored string) (legacy, salt string, err error) {
	sealed, is := strings.CutPrefix(stored, sealedForm)
	if !is {
		return "", "", fmt.Errorf("open an imported password: %w", errImported)
	}
	plain, err := c.sealer.Open(importAAD(accountKey), sealed)
	if err != nil {
		return "", "", fmt.Errorf("open an imported password: %w", err)
	}
	legacy, salt, found := strings.Cut(string(plain), "|")
	if !found {
		return "", "", fmt.Errorf("open an imported password: %w", errImported)
	}
	return legacy, salt, nil
}

// importAAD binds a sealed password to its account.
func importAAD(accountKey string) string { return "accounts|password_hash|" + accountKey }
