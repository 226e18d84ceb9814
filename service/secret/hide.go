package secret

import "strings"

// shown is how much of a bearer secret people may see to recognise it by: the
// prefix and 4 of its 43 random characters.
const shown = 8

// leastHidden is how many letters and digits after a prefix make a secret of it,
// or the most of one.
const leastHidden = 16

// Hide is text in which bearer secrets, whole or cut, are no more than what may be
// seen of them. It is for what a log repeats of a request.
func Hide(text string) string {
	var hidden strings.Builder
	for {
		at, end := find(text)
		if at < 0 {
			if hidden.Len() == 0 {
				return text
			}
			return hidden.String() + text
		}
		hidden.WriteString(text[:at+shown] + "***")
		text = text[end:]
	}
}

// find is where in text the first bearer secret begins and ends; -1 if there is
// none.
func find(text string) (at, end int) {
	for from := 0; ; {
		i := strings.Index(text[from:], "lk")
		if i < 0 {
			return -1, -1
		}
		at = from + i
		end = at + len(APIKey)
		if end <= len(text) && isPrefix(text[at:end]) {
			for end < len(text) && digit(text[end]) >= 0 {
				end++
			}
			if end-at >= len(APIKey)+leastHidden {
				return at, end
			}
		}
		from = at + 1
	}
}

func isPrefix(text string) bool {
	switch Prefix(text) {
	case APIKey, OAuthToken, SessionAccess, RefreshToken, ClientSecret:
		return true
	}
	return false
}
