package web

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// FormValues is the parameters of a urlencoded body, of whatever names. What is
// given without a value counts as not given (RFC 6749 §3.2); a name that is given
// twice, control characters and broken text are ErrParameter, and so is a query:
// what stands in an address is kept in logs and histories.
//
// Failures: those of JSON, and ErrParameter.
func FormValues(c *gin.Context) (url.Values, error) {
	media, err := mediaType(c.Request.Header)
	if err != nil {
		return nil, err
	}
	if media != mediaForm {
		return nil, ErrUnsupported.WithText("request body must be application/x-www-form-urlencoded")
	}
	if c.Request.URL.RawQuery != "" {
		return nil, ErrParameter.WithText("parameters belong into the body, not into the address")
	}
	body, err := readBody(c)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, ErrParameter.WithText("request body is malformed")
	}
	for name, given := range values {
		switch {
		case len(given) > 1:
			return nil, ErrParameter.WithText("a parameter is given twice")
		case !utf8.ValidString(name+given[0]) || strings.ContainsFunc(name+given[0], isControl):
			return nil, ErrParameter.WithText("a parameter must not contain control characters or broken text")
		case given[0] == "":
			values.Del(name)
		}
	}
	return values, nil
}
