package page

import (
	"math"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/service/fault"
)

// Unprotected is what a page says over plain HTTP, else "" (ruling 36). It
// stands behind middleware.FindHTTPS.
func Unprotected(c *gin.Context) string {
	if middleware.IsHTTPS(c) {
		return ""
	}
	return "This connection is not protected: others on the network can read what you type here. Use an https address if there is one."
}

// Sentence is a failure's text as pages say it, and when to try again. It sets
// Retry-After, too.
func Sentence(c *gin.Context, f *fault.Error) string {
	text := f.Text
	if r, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(r)) + text[size:]
	}
	if text != "" && text[len(text)-1] != '.' {
		text += "."
	}
	if f.RetryAfter <= 0 {
		return text
	}
	c.Header("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	return text + " The next try is possible in " + Span(f.RetryAfter) + "."
}

// Span is a length of time in words, rounded up to whole seconds, minutes, hours
// or days, of which there are at least two where that is possible.
func Span(d time.Duration) string {
	const day = 24 * time.Hour
	n, unit := int64(0), ""
	for _, u := range []struct {
		name string
		size time.Duration
	}{{"day", day}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n, unit = int64((d+u.size-1)/u.size), u.name
		if d >= 2*u.size || d == u.size {
			break
		}
	}
	if n != 1 {
		unit += "s"
	}
	return strconv.FormatInt(n, 10) + " " + unit
}
