package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// maxUnix is the end of the year 9999, beyond which RFC 3339 has no times.
const maxUnix = 253_402_300_799

// Moment is a query parameter as an instant, written as RFC 3339 has it or in
// Unix seconds; the zero time if it is absent or empty. Anything else is
// ErrParameter.
func Moment(c *gin.Context, name string) (time.Time, error) {
	text, err := Text(c, name)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	if isInteger(text) {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds <= maxUnix {
			return time.Unix(seconds, 0), nil
		}
	} else if at, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1)); err == nil { // an unescaped plus
		return at, nil
	}
	return time.Time{}, ErrParameter.WithText(fmt.Sprintf("query parameter %q must be an RFC 3339 time or Unix seconds", name))
}
