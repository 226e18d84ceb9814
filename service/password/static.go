package password

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// staticSuffix is what AList's clients put behind a password before they hash it
// (contract 5.2).
const staticSuffix = "-https://github.com/alist-org/alist"

// Static is the form in which AList's clients send a password and the only form
// that is hashed here: lower-case hex of SHA-256. The password counts exactly as
// it is, blanks and case included. CheckLength comes first.
func Static(plain string) string {
	sum := sha256.Sum256([]byte(plain + staticSuffix))
	return hex.EncodeToString(sum[:])
}

// IsStatic reports whether s has the form of a static hash: 64 hex digits, in
// either case.
func IsStatic(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

// NormalizeStatic is s in lower case if it is a static hash, and s untouched if
// it is anything else. AList refuses upper case; we are kinder (contract 5.2).
func NormalizeStatic(s string) string {
	if IsStatic(s) {
		return strings.ToLower(s)
	}
	return s
}
