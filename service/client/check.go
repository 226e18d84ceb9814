package client

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/model"
)

const (
	maxName = 64  // characters
	maxIcon = 128 // bytes of an Iconify name
)

// check says what is wrong with an app, but for its id, its scopes and its
// secret.
func check(c model.OAuthClient) error {
	switch {
	case !isLine(c.Name, maxName):
		return ErrName
	case c.Icon != "" && !isIcon(c.Icon):
		return ErrIcon
	case c.Homepage != "" && !isPage(c.Homepage, "https", "http"):
		return ErrHomepage
	case !c.Confidential && !c.PKCERequired:
		return ErrPKCE
	case c.RefreshTTL < minRefresh || c.RefreshTTL > maxRefresh:
		return ErrRefreshTTL
	}
	return checkRedirects(c.RedirectURIs)
}

// isID reports whether text is 32 hex digits or a UUID, in lower case.
func isID(text string) bool {
	const uuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	form := strings.ReplaceAll(uuid, "-", "")
	if len(text) == len(uuid) {
		form = uuid
	}
	if len(text) != len(form) {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if form[i] == '-' && c == '-' {
			continue
		}
		if form[i] == '-' || (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isLine reports whether text is one line that people can read: 1 to most
// characters, all of them visible, without blanks at its ends.
func isLine(text string, most int) bool {
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= most &&
		text == strings.TrimSpace(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isIcon reports whether text is an https URL or an Iconify name, "set:icon".
func isIcon(text string) bool {
	if isPage(text, "https") {
		return true
	}
	set, icon, ok := strings.Cut(text, ":")
	return ok && len(text) <= maxIcon && isKebab(set) && isKebab(icon)
}

// isNone reports whether a character is no letter or digit of ASCII, and none of
// the others.
func isNone(others string) func(r rune) bool {
	return func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(others, r)
	}
}

// isKebab reports whether text is words of small letters and digits with a
// hyphen between two of them.
func isKebab(text string) bool {
	for word := range strings.SplitSeq(text, "-") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			return false
		}
	}
	return true
}

// isPage reports whether text is a URL with a host and one of the schemes, and
// without a user name.
func isPage(text string, schemes ...string) bool {
	if uriFault(text) != "" {
		return false
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil || !isHost(u) {
		return false
	}
	for _, scheme := range schemes {
		if strings.HasPrefix(text, scheme+"://") {
			return true
		}
	}
	return false
}
