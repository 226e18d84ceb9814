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
	return norm.NFKC.String(strings.Map(foldCherokee, cases.Fold().String(norm.NFKC.String(name))))
}

// foldCherokee is the folded form of a Cherokee letter, which is its capital
// (Unicode's CaseFolding.txt). x/text v0.43 makes capitals small as well.
func foldCherokee(r rune) rune {
	if unicode.Is(unicode.Cherokee, r) {
		return unicode.ToUpper(r)
	}
	return r
}

// CheckName fails with ErrName unless the name can be a user name. What it
// folds to is held to the same: a fullwidth slash is a slash.
func CheckName(name string) error {
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || !plain(name) || !plain(Fold(name)) {
		return ErrName
	}
	return nil
}

// plain reports whether the text is something that people see, and nothing
// that means something in a path or a log.
func plain(text string) bool {
	return text != "" && strings.TrimSpace(text) == text && !strings.ContainsAny(text, `/\`) &&
		!strings.ContainsFunc(text, unseen)
}

// unseen reports whether the character is a control or shows as nothing, so
// that two names could look alike (Unicode's Default_Ignorable_Code_Point).
func unseen(r rune) bool {
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
