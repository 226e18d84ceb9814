// Package label owns what a name may look like that a person gives to a key or
// an app: one line, readable in the order it is stored in. It must not know
// whose name it is.
package label

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsName reports whether the text is 1 to most characters that can be printed,
// one of them visible.
func IsName(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most && IsPrintable(text) && strings.ContainsFunc(text, visible)
}

// IsPrintable reports whether text is valid UTF-8 without control, format and
// unassigned characters, so that it stays on its line and reads in the order
// it is stored in.
func IsPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unprintable)
}

// unprintable spares the two joiners: emoji, Persian and Indic scripts are
// spelled with them.
func unprintable(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return !unicode.IsGraphic(r) && r != nonJoiner && r != joiner
}

// visible reports whether r leaves ink; the Hangul fillers are letters that
// do not.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
