package server_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"
)

// fieldsOf breaks every field of a body in turn (I-02).
func fieldsOf(t testing.TB, base attack, r target) []attack {
	t.Helper()
	var all []attack
	for _, f := range r.fields {
		for _, value := range badValues(f) {
			all = append(all, base.with("field: "+f.name+" is "+value[:min(len(value), 24)], func(a *attack) {
				a.body = r.wrap(strings.Replace(withField(t, r.body, f.name, "\x00"), `"\u0000"`, value, 1))
			}))
		}
		if !f.optional {
			all = append(all, base.with("field: no "+f.name, func(a *attack) { a.body = r.wrap(withField(t, r.body, f.name, nil)) }))
		}
		object := encoded(t, r.body)
		inner := object[1 : len(object)-1]
		value := encoded(t, r.body[f.name])
		for _, twin := range []string{f.name, strings.ToUpper(f.name), strings.ToUpper(f.name[:1]) + f.name[1:], escapedName(f.name), strings.Replace(f.name, "s", "ſ", 1)} {
			if twin == f.name && strings.Contains(f.name, "ſ") || r.body[f.name] == nil {
				continue
			}
			all = append(all,
				base.with("twin: "+twin+" behind", func(a *attack) { a.body = r.wrap("{" + inner + `,"` + twin + `":` + value + "}") }),
				base.with("twin: "+twin+" before", func(a *attack) { a.body = r.wrap(`{"` + twin + `":` + value + "," + inner + "}") }))
		}
	}
	if _, ok := r.body["session_id"]; ok {
		all = append(all, sessionIDs(t, base, r)...)
	}
	return all
}

// withField is the body with another value of a field; nil leaves it out.
func withField(t testing.TB, body map[string]any, name string, value any) string {
	t.Helper()
	body = maps.Clone(body)
	delete(body, name)
	if value != nil {
		body[name] = value
	}
	return encoded(t, body)
}

// escapedName spells the first letter of a key as \u00xx.
func escapedName(name string) string {
	const digits = "0123456789abcdef"
	return `\u00` + string(digits[name[0]>>4]) + string(digits[name[0]&15]) + name[1:]
}

// badValues are JSON values that the field cannot take.
func badValues(f field) []string {
	bad := []string{"{}", `["x"]`, `{"x":"y"}`, "1.5", "-1", "1e400", `"\ud800"`, `"a\u0000b"`}
	switch f.kind {
	case number:
		bad = append(bad, "true", "[]", `""`, `"1"`, `"x"`, "1.0", "1e3", "9223372036854775808", "18446744073709551616", "18446744073709551617")
	case boolean:
		bad = append(bad, "0", "1", `""`, `"true"`, "[]", "[true]")
	case numbersList:
		bad = append(bad, "true", `"3"`, `["3"]`, "[3.5]", "[[3]]", "[1e3]", "[9223372036854775808]", "[-1]", "[999]", "[0]")
	case textList:
		bad = append(bad, "true", `"x"`, "0", "[1]", "[null]", `[["x"]]`, "[true]", `[{"x":"y"}]`, `["\ud800"]`)
	case oneTimeCode:
		bad = append(bad, "true", "false", "[]", "1000000", "1e3", "123456.0", "18446744073709551617")
	case text:
		bad = append(bad, "true", "false", "[]", "0", "7", "123456", "18446744073709551617")
	}
	if (!f.optional || f.kind == number) && !f.nullable {
		bad = append(bad, "null")
	}
	if !f.optional {
		bad = append(bad, `""`)
	}
	return bad
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // an id of the database's
	return n
}

// sessionIDs are near misses of the device that the body names (S-05).
func sessionIDs(t testing.TB, base attack, r target) []attack {
	t.Helper()
	honest, ok := r.body["session_id"].(string)
	if !ok {
		t.Fatal("no session_id")
	}
	var all []attack
	for name, id := range map[string]string{
		"percent": "%", "star": "*", "prefix": honest[:31] + "%", "underscores": strings.Repeat("_", 32), "blank before": " " + honest, "blank behind": honest + " ",
		"line break": honest + "\n", "tab": "\t" + honest, "capitals": strings.ToUpper(honest), "short": honest[:31], "long": honest + "0", "twice": honest + honest, "list": honest + "," + honest,
		"UUID": honest[:8] + "-" + honest[8:], "SQL": "' OR '1'='1", "unknown": strings.Repeat("0", 32), "full width": "０" + honest[1:], "slash": "/" + honest, "0x": "0x" + honest,
	} {
		if id == honest { // without a letter in it, its capitals are itself
			continue
		}
		all = append(all, base.with("session: "+name, func(a *attack) { a.body = withField(t, r.body, "session_id", id) }))
	}
	return append(all,
		base.with("session: array", func(a *attack) { a.body = withField(t, r.body, "session_id", []string{honest}) }),
		base.with("session: object", func(a *attack) { a.body = withField(t, r.body, "session_id", map[string]string{"": honest}) }),
		base.with("session: NUL", func(a *attack) { a.body = withField(t, r.body, "session_id", honest+"\x00") }))
}
