package sshkey

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTitle is the longest title in characters.
const maxTitle = 255

// checkTitle returns ErrTitle unless the title is 1 to 255 characters that can
// be printed, one of them visible.
func checkTitle(title string) error {
	if utf8.RuneCountInString(title) > maxTitle || !printable(title) {
		return ErrTitle
	}
	if !strings.ContainsFunc(title, visible) {
		return ErrTitle
	}
	return nil
}

// printable reports whether text is valid UTF-8 without control, format and
// unassigned characters, so that it stays on its line and reads in the order
// it is stored in.
func printable(text string) bool {
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
