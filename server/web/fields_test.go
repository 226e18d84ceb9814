package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/web"
)

func keyFields() web.Fields { return web.Fields{Once: []string{"name"}, Many: []string{"scope"}} }

func TestFieldsTakes(t *testing.T) {
	for name, tt := range map[string]struct {
		raw  string
		want url.Values
	}{
		"nothing":                     {"", url.Values{}},
		"one and many":                {"name=a+b&scope=x&scope=y", url.Values{"name": {"a b"}, "scope": {"x", "y"}}},
		"empty values":                {"name=&scope", url.Values{"name": {""}, "scope": {""}}},
		"an escaped name":             {"n%61me=%C3%AB", url.Values{"name": {"ë"}}},
		"others, even broken":         {"%zz=1&x=%&&;&name=a", url.Values{"name": {"a"}}},
		"markup, which is only text":  {"name=%3Cscript%3E", url.Values{"name": {"<script>"}}},
		"a hundred of those that may": {strings.Repeat("scope=x&", 100), url.Values{"scope": strings.Split(strings.Repeat("x", 100), "")}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := web.QueryFields(withQuery(tt.raw), keyFields())
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("from the query: %v\n%s", err, diff)
			}
			got, err = web.FormFields(post("/?name=query", form, tt.raw), keyFields())
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("from a form: %v\n%s", err, diff)
			}
		})
	}
}

func TestFieldsRefuses(t *testing.T) {
	for raw, text := range map[string]string{
		"name=a&name=a":                   `parameter "name" is given twice`,
		"name=a&n%61me=a":                 `parameter "name" is given twice`,
		"name=%zz":                        `parameter "name" is malformed`,
		"scope=a&scope=%":                 `parameter "scope" is malformed`,
		"name=%00":                        `parameter "name" must not contain control characters or broken text`,
		"scope=a%1Bb":                     `parameter "scope" must not contain control characters or broken text`,
		"name=%ff":                        `parameter "name" must not contain control characters or broken text`,
		strings.Repeat("scope=x&", 100+1): `parameter "scope" is given too often`,
	} {
		_, err := web.QueryFields(withQuery(raw), keyFields())
		wantFault(t, err, web.ErrParameter, text)
		_, err = web.FormFields(post("/", form, raw), keyFields())
		wantFault(t, err, web.ErrParameter, text)
	}
	_, err := web.FormFields(post("/?name=a", "application/json", `{"name":"a"}`), keyFields())
	wantFault(t, err, web.ErrUnsupported, "request body must be application/x-www-form-urlencoded")
	_, err = web.FormFields(post("/", form, "name="+strings.Repeat("a", 1<<20)), keyFields())
	wantFault(t, err, web.ErrTooLarge, "request body is too large")
}
