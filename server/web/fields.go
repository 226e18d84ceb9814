package web

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// Fields names what a page takes from its address or its form.
type Fields struct {
	Once []string // may be given once
	Many []string // may be given several times
}

// maxMany is how often a field of Fields.Many may be given.
const maxMany = 100

// QueryFields reads the fields from the query. Others are not judged. A field
// that is malformed, has control characters in it or comes too often is an
// ErrParameter.
func QueryFields(c *gin.Context, f Fields) (url.Values, error) {
	return f.read(c.Request.URL.RawQuery)
}

// FormFields reads the fields from a urlencoded body, as QueryFields does, and
// nothing from the query.
//
// Failures: ErrUnsupported, ErrTooLarge, ErrBody, ErrParameter.
func FormFields(c *gin.Context, f Fields) (url.Values, error) {
	raw, err := formBody(c)
	if err != nil {
		return nil, err
	}
	return f.read(raw)
}

// formBody is a body that must be urlencoded.
func formBody(c *gin.Context) (string, error) {
	media, err := mediaType(c.Request.Header)
	if err != nil {
		return "", err
	}
	if media != mediaForm {
		return "", ErrUnsupported.WithText("request body must be application/x-www-form-urlencoded")
	}
	body, err := readBody(c)
	return string(body), err
}

func (f Fields) read(raw string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		key, text, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(key)
		if err != nil || !slices.Contains(f.Once, name) && !slices.Contains(f.Many, name) {
			continue
		}
		value, err := url.QueryUnescape(text)
		if err != nil {
			return nil, ErrParameter.WithText(fmt.Sprintf("parameter %q is malformed", name))
		}
		if !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
			return nil, ErrParameter.WithText(fmt.Sprintf("parameter %q must not contain control characters or broken text", name))
		}
		values[name] = append(values[name], value)
		switch n := len(values[name]); {
		case n > 1 && slices.Contains(f.Once, name):
			return nil, ErrParameter.WithText(fmt.Sprintf("parameter %q is given twice", name))
		case n > maxMany:
			return nil, ErrParameter.WithText(fmt.Sprintf("parameter %q is given too often", name))
		}
	}
	return values, nil
}
