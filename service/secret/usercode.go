package secret

import "strings"

const (
	// consonants make no words, and are typed on any keyboard (RFC 8628 §6.1).
	consonants = "BCDFGHJKLMNPQRSTVWXZ"
	userCode   = 8 // characters of a user code
)

// UserCode is 8 random consonants, 34.5 bits, that somebody copies from one
// screen to another.
func UserCode() string { return draw(consonants, userCode) }

// IsUserCode reports whether text is of UserCode's form.
func IsUserCode(text string) bool {
	return len(text) == userCode && strings.Trim(text, consonants) == ""
}
