package web

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Code is a one-time code in a request. Clients send it as a string, as null,
// or as a number that lost its leading zeros; it becomes a string without
// blanks around it, "" if there is none.
type Code string

// maxCode is the greatest six-digit code.
const maxCode = 999999

// UnmarshalJSON takes a string, null, or an integer from 0 to 999999.
func (c *Code) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*c = ""
		return nil
	}
	if data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*c = Code(strings.TrimSpace(text))
		return nil
	}
	n, err := strconv.ParseUint(string(data), 10, 32)
	if err != nil || n > maxCode {
		// The decoder adds the field's name to this type, and to no other.
		return &json.UnmarshalTypeError{Value: "value", Type: reflect.TypeFor[Code]()}
	}
	digits := strconv.FormatUint(n, 10)
	*c = Code("000000"[len(digits):] + digits)
	return nil
}
