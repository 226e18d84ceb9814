package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"latchkey/service/fault"
)

// JSON binds the body, one strict JSON object, to req, a pointer to a struct
// with json tags (I-01, I-03). A missing Content-Type is read as JSON; unknown
// keys are ignored; null leaves a field as it is. If req has a method
// Validate() error, its verdict is the result.
//
// Failures: ErrUnsupported, ErrTooLarge, ErrBody, ErrField.
func JSON(c *gin.Context, req any) error {
	data, err := jsonBody(c)
	if err != nil {
		return err
	}
	return bindJSON(data, req)
}

// JSONList is JSON for the bodies that are a list of objects; req is a pointer
// to a slice.
func JSONList(c *gin.Context, req any) error {
	data, err := jsonBody(c)
	if err != nil {
		return err
	}
	return bindBegun(data, '[', "list", req)
}

func jsonBody(c *gin.Context) ([]byte, error) {
	media, err := mediaType(c.Request.Header)
	if err != nil {
		return nil, err
	}
	if media != "" && media != mediaJSON {
		return nil, ErrUnsupported
	}
	return readBody(c)
}

// Required is an ErrField if value is empty.
func Required(field, value string) error {
	if value == "" {
		return ErrField.WithText(fmt.Sprintf("field %q is required", field))
	}
	return nil
}

func bindJSON(data []byte, req any) error { return bindBegun(data, '{', "object", req) }

// bindBegun binds a body that must begin like the thing it should be.
func bindBegun(data []byte, begin byte, thing string, req any) error {
	body := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(body) == 0:
		return ErrBody.WithText("request body is empty")
	case !utf8.Valid(body) || !json.Valid(body):
		return ErrBody
	case body[0] != begin:
		return ErrBody.WithText("request body must be a JSON " + thing)
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, req); err != nil {
		return inWords(err)
	}
	return validate(req)
}

func validate(req any) error {
	if v, ok := req.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}

// inWords turns the decoder's error into ours: its own text names Go types.
func inWords(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok || mismatch.Field == "" {
		return ErrBody
	}
	return ErrField.WithText(fmt.Sprintf("field %q must be %s", mismatch.Field, wanted(mismatch.Type)))
}

// wanted says in words what a field of type t takes.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch k := t.Kind(); {
	case t == reflect.TypeFor[Code]():
		return "a code of up to six digits"
	case k == reflect.String:
		return "a string"
	case k == reflect.Bool:
		return "true or false"
	case k >= reflect.Int && k <= reflect.Uint64:
		return "a whole number"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a number"
	case k == reflect.Slice || k == reflect.Array:
		return "a list"
	}
	return "an object"
}
