package password

import (
	_ "embed"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"latchkey/service/fault"
)

const (
	minChars = 8   // NIST 800-63B-4, 3.1.1.2
	maxChars = 256 // of at most 4 bytes each, so a good password is never too long
	// maxBytes is where a password is refused unread, at sign-in too: reading
	// megabytes must not be somebody else's bill.
	maxBytes = 1024
)

// common holds the best-known passwords of at least 8 characters, folded, one a
// line.
//
//go:embed common.txt
var common string

// Failures of a chosen or presented password.
var (
	ErrWeak    = fault.New(fault.Invalid, "password_weak", "Password too weak: choose another one")
	ErrTooLong = fault.New(fault.Invalid, "password_too_long", "Password is longer than 1024 bytes")
)

// CheckLength is ErrTooLong for a password of more than 1 KiB. Every door asks
// before it computes anything from a password.
func CheckLength(plain string) error {
	if len(plain) > maxBytes {
		return ErrTooLong
	}
	return nil
}

// CheckNew reports whether plain may become somebody's password. There are no
// rules of composition: it is long enough, not blank and not one of those
// that are tried first. The failure is ErrTooLong or ErrWeak with its reason.
func CheckNew(plain string) error {
	if err := CheckLength(plain); err != nil {
		return err
	}
	chars := utf8.RuneCountInString(plain)
	switch {
	case strings.TrimSpace(plain) == "":
		return weak("it is blank")
	case chars < minChars:
		return weak("use at least 8 characters")
	case chars > maxChars:
		return weak("use at most 256 characters")
	case isCommon(plain):
		return weak("it is among the best-known passwords")
	}
	return nil
}

func weak(why string) error { return ErrWeak.WithText("Password too weak: " + why) }

// isCommon compares folded: "PASSWORD1" is no better than "password1".
func isCommon(plain string) bool {
	folded := cases.Fold().String(norm.NFKC.String(plain))
	for line := range strings.Lines(common) {
		if strings.TrimSuffix(line, "\n") == folded {
			return true
		}
	}
	return false
}
