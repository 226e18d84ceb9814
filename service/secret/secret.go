package secret

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
)

const (
	// alphanumeric is what AList draws its tokens from.
	alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// legible leaves out 0 O o, 1 l I: people read these from a terminal.
	legible = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
)

// ID is 128 random bits as 32 lower-case hex digits.
func ID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: the program ends instead
	return hex.EncodeToString(raw[:])
}

// Password is n random characters that cannot be mistaken for one another when
// read aloud or copied by hand: letters and digits, 5.8 bits each. It is empty
// when n is not positive.
func Password(n int) string { return draw(legible, n) }

// StaticTokenPrefix is how AList's static tokens begin, and ours.
const StaticTokenPrefix = "alist-"

// StaticToken is a new operator's token in AList's form: "alist-", a random UUID
// and 64 letters and digits, 106 characters in all (contract 3.2).
func StaticToken() string {
	return StaticTokenPrefix + uuid() + draw(alphanumeric, 64)
}

// uuid is a random (version 4) UUID, RFC 9562.
func uuid() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: the program ends instead
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

// draw is n characters of the alphabet, each as likely as any other: a byte
// beyond the largest multiple of the alphabet's length is thrown away.
func draw(alphabet string, n int) string {
	if n <= 0 {
		return ""
	}
	size := len(alphabet)
	fair := 256 - 256%size
	out := make([]byte, 0, n)
	raw := make([]byte, n+n/4+8)
	for {
		_, _ = rand.Read(raw) // never fails: the program ends instead
		for _, b := range raw {
			if int(b) >= fair {
				continue
			}
			if out = append(out, alphabet[int(b)%size]); len(out) == n {
				return string(out)
			}
		}
	}
}

// Equal reports whether both are the same text, in a time that tells nothing
// but whether their lengths differ, which is no secret of ours. Nothing equals
// an empty secret, not even another one: an unset secret must let nobody in.
func Equal(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
