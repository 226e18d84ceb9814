package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// Param names one string of a form: the json key it stands for, which is a name
// of its own, and the spelling AList's clients use.
type Param struct{ Key, Alias string }

// JSONOrForm binds a sign-in (H-09): a JSON body as JSON does, a urlencoded body
// together with the query, or the query alone if there is no body. Whatever the
// form, each parameter may be given once, and req is judged alike.
//
// Failures: those of JSON, and ErrParameter.
func JSONOrForm(c *gin.Context, req any, params ...Param) error {
	media, err := mediaType(c.Request.Header)
	if err != nil {
		return err
	}
	if media != "" && media != mediaJSON && media != mediaForm {
		return ErrUnsupported.WithText("request body must be application/json or application/x-www-form-urlencoded")
	}
	body, err := readBody(c)
	if err != nil {
		return err
	}
	if media == mediaJSON || media == "" && len(bytes.TrimSpace(body)) > 0 {
		return bindJSON(body, req)
	}
	raw := c.Request.URL.RawQuery
	if media == mediaForm && len(body) > 0 {
		raw += "&" + string(body)
	}
	return bindForm(raw, req, params)
}

// Form binds a urlencoded body as JSON would be bound. The query is not looked
// at: what a page's form sends stands in its body.
//
// Failures: those of JSON, and ErrParameter.
func Form(c *gin.Context, req any, params ...Param) error {
	raw, err := formBody(c)
	if err != nil {
		return err
	}
	return bindForm(raw, req, params)
}

// bindForm binds parameters as if they were the strings of a JSON object.
func bindForm(raw string, req any, params []Param) error {
	object := make(map[string]string, len(params))
	for _, p := range params {
		value, count, err := parameter(raw, p.Key, p.Alias)
		if err != nil {
			return err
		}
		if count == 0 {
			continue
		}
		if !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
			return ErrParameter.WithText(fmt.Sprintf("parameter %q must not contain control characters or broken text", p.Key))
		}
		object[p.Key] = value
	}
	data, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode form: %w", err)
	}
	if err := json.Unmarshal(data, req); err != nil {
		return inWords(err)
	}
	return validate(req)
}
