package sftpd

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/service/setting"
)

const (
	maxClient = 512     // bytes of what a client calls itself
	maxBanner = 4 << 10 // bytes
)

// clientName is what the client calls itself (RFC 4253 §4.2), without what all of
// them say and without control characters.
func clientName(version []byte) string {
	text := strings.TrimPrefix(string(version), "SSH-2.0-")
	text = strings.TrimPrefix(text, "SSH-1.99-")
	return cut(printable(text), maxClient)
}

// banner is what everybody is shown before they sign in (RFC 4252 §5.4). A
// terminal shows it as it comes, so it keeps nothing but text and line ends.
func (s *Server) banner() string {
	text := strings.TrimRight(strings.ReplaceAll(s.Settings.Get(setting.KeySFTPBanner), "\r", ""), "\n")
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return cut(strings.Join(lines, "\r\n"), maxBanner) + "\r\n"
}

// printable is the text without what a terminal obeys or does not show.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// cut shortens text to so many bytes between two characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
