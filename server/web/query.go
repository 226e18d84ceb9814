package web

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

const (
	// maxPerPage bounds a page (I-05).
	maxPerPage = 1000
	// maxPage keeps (page-1)*perPage far from the end of an int.
	maxPage = 1_000_000
	// maxIDDigits is how many digits the greatest int64 has.
	maxIDDigits = 19
)

// ID is the query parameter of that name as an id: given exactly once, digits
// only, 1 to 2^63-1 (I-04). Anything else is ErrParameter.
func ID(c *gin.Context, name string) (int64, error) {
	id, err := OptionalID(c, name)
	if err == nil && id == 0 {
		return 0, badID(name)
	}
	return id, err
}

// OptionalID is like ID, but 0 if the parameter is absent.
func OptionalID(c *gin.Context, name string) (int64, error) {
	text, count, err := parameter(c.Request.URL.RawQuery, name)
	if err != nil || count == 0 {
		return 0, err
	}
	if !isInteger(text) || text[0] < '1' || len(text) > maxIDDigits {
		return 0, badID(name)
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, badID(name)
	}
	return id, nil
}

// Paging is the query's page and per_page. The page is at least 1; perPage is 0
// for "all", else at most 1000. Text in either is ErrParameter.
func Paging(c *gin.Context) (page, perPage int, err error) {
	if page, err = number(c, "page"); err != nil {
		return 0, 0, err
	}
	if perPage, err = number(c, "per_page"); err != nil {
		return 0, 0, err
	}
	return min(max(page, 1), maxPage), min(max(perPage, 0), maxPerPage), nil
}

// number is a query parameter as an int, 0 if absent or empty. What does not fit
// becomes the nearest that does.
func number(c *gin.Context, name string) (int, error) {
	text, _, err := parameter(c.Request.URL.RawQuery, name)
	if err != nil || text == "" {
		return 0, err
	}
	digits := strings.TrimPrefix(text, "-")
	if !isInteger(digits) {
		return 0, ErrParameter.WithText(fmt.Sprintf("query parameter %q must be a whole number", name))
	}
	n, err := strconv.Atoi(text)
	switch {
	case err == nil:
		return n, nil
	case text == digits:
		return math.MaxInt, nil
	}
	return math.MinInt, nil
}

func badID(name string) error {
	return ErrParameter.WithText(fmt.Sprintf("query parameter %q must be a positive whole number", name))
}

// isInteger reports whether text is one or more ASCII digits.
func isInteger(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}

// parameter finds the value that a query or form gives to a parameter known
// under some names; count is 0 or 1. Twice is ErrParameter: readers before us
// may have looked at the other one. Parameters of other names are not judged.
func parameter(raw string, names ...string) (value string, count int, err error) {
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, text, _ := strings.Cut(pair, "=")
		if !isOneOf(key, names) {
			continue
		}
		if count++; count > 1 {
			return "", 0, ErrParameter.WithText(fmt.Sprintf("parameter %q is given twice", names[0]))
		}
		if value, err = url.QueryUnescape(text); err != nil {
			return "", 0, ErrParameter.WithText(fmt.Sprintf("parameter %q is malformed", names[0]))
		}
	}
	return value, count, nil
}

func isOneOf(key string, names []string) bool {
	if strings.ContainsAny(key, "%+") {
		decoded, err := url.QueryUnescape(key)
		if err != nil {
			return false
		}
		key = decoded
	}
	return slices.Contains(names, key)
}

// Text is a query parameter as it is, "" if it is absent. Given twice, or with
// control characters in it, it is an ErrParameter.
func Text(c *gin.Context, name string) (string, error) {
	value, count, err := parameter(c.Request.URL.RawQuery, name)
	if err != nil {
		return "", err
	}
	if count > 0 && (!utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl)) {
		return "", ErrParameter.WithText(fmt.Sprintf("parameter %q must not contain control characters or broken text", name))
	}
	return value, nil
}
