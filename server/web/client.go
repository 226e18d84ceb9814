package web

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

const (
	maxClientID  = 256 // bytes
	maxUserAgent = 512 // bytes
)

// ClientID is the name the client gives to its device: the header Client-Id,
// else the query's client_id, else "". It is 1 to 256 bytes of printable UTF-8;
// anything else, and two headers that differ, is ErrClientID.
func ClientID(c *gin.Context) (string, error) {
	values := c.Request.Header["Client-Id"]
	for i := 1; i < len(values); i++ {
		if values[i] != values[0] {
			return "", ErrClientID
		}
	}
	var id string
	if len(values) > 0 {
		id = values[0]
	}
	if id == "" && c.Request.URL.RawQuery != "" {
		var err error
		if id, _, err = parameter(c.Request.URL.RawQuery, "client_id"); err != nil {
			return "", ErrClientID
		}
	}
	if len(id) > maxClientID || !utf8.ValidString(id) || strings.ContainsFunc(id, isNotPrint) {
		return "", ErrClientID
	}
	return id, nil
}

func isNotPrint(r rune) bool { return !unicode.IsPrint(r) }

// UserAgent is what the client calls itself: valid UTF-8 without control
// characters, cut to 512 bytes between two characters.
func UserAgent(c *gin.Context) string {
	text := c.Request.UserAgent()
	if len(text) <= maxUserAgent && isPlain(text) {
		return text
	}
	// Twice the room, so that removing characters does not cost the rest.
	text = strings.ToValidUTF8(text[:min(len(text), 2*maxUserAgent)], "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	if len(text) <= maxUserAgent {
		return text
	}
	end := maxUserAgent
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// isPlain reports whether text is printable ASCII.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
