package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"strings"
)

// Prefix says what kind of bearer secret a text is, so that people, scanners and
// the server can tell from its looks.
type Prefix string

// The prefixes.
const (
	APIKey        Prefix = "lka_" // an API key
	OAuthToken    Prefix = "lko_" // an app's access token
	SessionAccess Prefix = "lks_" // a login's short-lived access token
	RefreshToken  Prefix = "lkr_" // what an access token is renewed with
	ClientSecret  Prefix = "lkc_" // an OAuth app's secret
)

const (
	bearerBytes = 32 // 256 random bits
	bearerChars = 43 // of them in Base62
	checkChars  = 6  // of a CRC-32 in Base62
	bearerLen   = 4 + bearerChars + checkChars
)

// Hash is a bearer secret as rows and memory keep it: SHA-256, which is enough
// for 256 random bits (contract "API keys").
type Hash [sha256.Size]byte

// NewBearer is a new secret: the prefix, 43 Base62 characters of 256 random
// bits, and 6 of a CRC-32 of all that stands before, by which a typing error is
// found without the database.
func NewBearer(p Prefix) string {
	var raw [bearerBytes]byte
	_, _ = rand.Read(raw[:]) // never fails: the program ends instead
	text := string(p) + base62(new(big.Int).SetBytes(raw[:]), bearerChars)
	check := checksum(text)
	return text + string(check[:])
}

// IsBearer reports whether text is of NewBearer's form with that prefix. It says
// nothing about whether such a secret was ever made.
func IsBearer(p Prefix, text string) bool {
	if len(text) != bearerLen || !strings.HasPrefix(text, string(p)) {
		return false
	}
	for i := len(p); i < len(text); i++ {
		if digit(text[i]) < 0 {
			return false
		}
	}
	check := checksum(text[:bearerLen-checkChars])
	return text[bearerLen-checkChars:] == string(check[:])
}

// HashOf is the hash of a bearer secret.
func HashOf(text string) Hash { return sha256.Sum256([]byte(text)) }

// checksum is a CRC-32 (IEEE) in Base62. It goes byte by byte because every
// request pays for it, and hash/crc32 would have a copy of the text made.
func checksum(text string) (out [checkChars]byte) {
	n := ^uint32(0)
	for i := range len(text) {
		n = crc32.IEEETable[n&0xff^uint32(text[i])] ^ n>>8
	}
	n = ^n
	for i := checkChars - 1; i >= 0; i-- {
		out[i] = alphanumeric[n%62]
		n /= 62
	}
	return out
}

// base62 is n in the digits 0-9, A-Z, a-z, the most significant first, with
// zeros before it up to width.
func base62(n *big.Int, width int) string {
	out := make([]byte, width)
	base, rest := big.NewInt(62), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, rest)
		out[i] = alphanumeric[rest.Int64()]
	}
	return string(out)
}

// digit is the value of a Base62 character, or -1.
func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 36
	}
	return -1
}
