package account

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"latchkey/service/fault"
)

// maxName is the longest user name in characters.
const maxName = 64

// ErrName says that a user name cannot be one.
var ErrName = fault.New(fault.Invalid, "username_invalid",
	"username must be 1 to 64 characters without slashes, control characters or blanks at its ends")

// Fold is the form of a name under which no two accounts may be alike:
// NFKC, case folded.
func Fold(name string) string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}

// CheckName fails with ErrName unless the name can be a user name.
func CheckName(name string) error {
	bad := !utf8.ValidString(name) || name == "" || utf8.RuneCountInString(name) > maxName ||
		strings.TrimSpace(name) != name || strings.ContainsAny(name, `/\`) ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
	if bad || Fold(name) == "" {
		return ErrName
	}
	return nil
}
