package password

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
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
// line and in the order of their bytes. They are those of the first 10,000 of a
// published count of leaked passwords, the one that zxcvbn judges by. That count
// leaves out what is more frequent as a word or a name, so the first 10,000 of
// each of its English words, first names and surnames are here too; and so are
// the names and defaults of this program and its kin.
//
//go:embed common.txt
var common string

// Failures of a chosen or presented password.
var (
	ErrWeak    = fault.New(fault.Invalid, "password_weak", "Password too weak: choose another one")
	ErrTooLong = fault.New(fault.Invalid, "password_too_long", "Password is longer than 1024 bytes")
	// ErrUnchecked says that the list of breached passwords could not be read. No
	// password is taken unchecked.
	ErrUnchecked = fault.New(fault.Unavailable, "password_unchecked",
		"New passwords cannot be checked against the list of breached ones right now, try again later.")
)

// CheckLength is ErrTooLong for a password of more than 1 KiB. Every door asks
// before it computes anything from a password.
func CheckLength(plain string) error {
	if len(plain) > maxBytes {
		return ErrTooLong
	}
	return nil
}

// Policy is which passwords may be chosen. Its zero value asks for what no
// setting takes away. It is safe for concurrent use.
type Policy struct {
	MinChars func() int    // below 8 counts as 8; nil is 8
	SiteName func() string // nobody's password either; nil is none
	Breached *Breached     // nil is none
}

// CheckNew reports whether plain may become the password of somebody who goes by
// these names. There are no rules of composition: it is long enough, not
// blank, not a name of its owner or of the site, and neither one of those that
// are tried first nor known from a breach. The failure is ErrTooLong, ErrWeak
// with its reason, or ErrUnchecked.
func (p Policy) CheckNew(plain string, names ...string) error {
	if err := CheckLength(plain); err != nil {
		return err
	}
	chars, least := utf8.RuneCountInString(plain), p.Least()
	switch {
	case strings.TrimSpace(plain) == "":
		return weak("it is blank")
	case chars < least:
		return weak(fmt.Sprintf("use at least %d characters", least))
	case chars > maxChars:
		return weak("use at most 256 characters")
	case isCommon(plain):
		return weak("it is among the best-known passwords")
	case p.isName(plain, names):
		return weak("it is your name")
	}
	return p.checkBreached(plain)
}

// Least is how many characters a new password has at least.
func (p Policy) Least() int {
	if p.MinChars == nil {
		return minChars
	}
	return max(minChars, p.MinChars())
}

func weak(why string) error { return ErrWeak.WithText("Password too weak: " + why) }

// isCommon compares folded: "PASSWORD1" is no better than "password1".
func isCommon(plain string) bool {
	folded := []byte(fold(plain))
	list := lines{from: strings.NewReader(common), size: int64(len(common))}
	found, _ := list.find(func(line []byte) (int, error) { return bytes.Compare(line, folded), nil }) // memory does not fail
	return found
}

// isName reports whether plain is one of the names, or the site's.
func (p Policy) isName(plain string, names []string) bool {
	if p.SiteName != nil {
		names = append(slices.Clip(names), p.SiteName())
	}
	folded := fold(plain)
	return slices.ContainsFunc(names, func(name string) bool { return fold(name) == folded })
}

// fold makes alike what differs in case, in width or in blanks around it only.
func fold(text string) string {
	return strings.TrimSpace(cases.Fold().String(norm.NFKC.String(text)))
}

func (p Policy) checkBreached(plain string) error {
	if p.Breached == nil {
		return nil
	}
	known, err := p.Breached.has(plain)
	if err != nil {
		return fmt.Errorf("%w (breached passwords: %w)", ErrUnchecked, err)
	}
	if known {
		return weak("it is known from a data breach")
	}
	return nil
}
