package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// wrap puts a body's object to where the route wants it.
func (r target) wrap(object string) string {
	if r.list {
		return "[" + object + "]"
	}
	return object
}

// malformations is everything that is tried at a route.
func (c *camp) malformations(t testing.TB, r target) []attack {
	t.Helper()
	base := c.honest(t, r)
	if r.oauth {
		return slices.Concat(methods(base, r), oversized(base, r), paths(base, r))
	}
	if r.page { // what its form may hold is tried in TestPagesRefuse…
		return slices.Concat(oversized(base, r), paths(base, r))
	}
	all := slices.Concat(methods(base, r), oversized(base, r), identities(base, r), paths(base, r), numbers(base, r))
	if base.method != http.MethodGet && !r.idle {
		all = append(all, mediaTypes(t, base, r)...)
	}
	if r.body != nil {
		all = slices.Concat(all, texts(base, r), fieldsOf(t, base, r))
	}
	for i := range all {
		all[i].from = c.peer()
	}
	return all
}

func methods(base attack, r target) []attack {
	tried := []string{"PROPFIND", "BREW"}
	if r.method != "*" {
		tried = append(tried, "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")
	}
	var all []attack
	for _, method := range tried {
		if method != r.method && !slices.Contains(r.others, method) {
			all = append(all, base.with("method: "+method, func(a *attack) { a.method, a.status = method, http.StatusMethodNotAllowed }))
		}
	}
	if r.method == http.MethodPost && !slices.Contains(r.others, http.MethodGet) {
		all = append(all, base.with("method: override", func(a *attack) {
			a.method, a.status = http.MethodGet, http.StatusMethodNotAllowed
			a.header.Set("X-HTTP-Method-Override", "POST")
			a.header.Set("X-Method-Override", "POST")
		}))
	}
	return all
}

// oversized bodies begin with what the route would take.
func oversized(base attack, r target) []attack {
	limit := 1 << 20
	if strings.HasPrefix(r.path, "/api/auth/") || strings.HasPrefix(r.path, "/api/v4/session/") {
		limit = 64 << 10
	}
	tooMuch := func(a *attack) {
		a.status = http.StatusRequestEntityTooLarge
		a.body += strings.Repeat(" ", limit+1-len(a.body))
	}
	all := []attack{base.with("size: announced", tooMuch)}
	if r.body != nil {
		all = append(all, base.with("size: counted", func(a *attack) { tooMuch(a); a.chunked = true }))
	}
	return all
}

// identities are broken names of devices and broken credentials.
func identities(base attack, r target) []attack {
	if r.public && !r.form { // nobody asks who is calling
		return nil
	}
	var all []attack
	header := func(name, key string, values ...string) {
		all = append(all, base.with(name, func(a *attack) { a.header[key] = values }))
	}
	for name, id := range map[string]string{
		"NUL": "a\x00b", "escape": "a\x1b[2Jb", "tab": "a\tb", "delete": "a\x7fb", "C1": "a\u0085b", "bidi": "a\u202eb",
		"no UTF-8": "a\xff\xfeb", "cut UTF-8": "a\xe2\x82", "257 bytes": strings.Repeat("x", 257), "8 KiB": strings.Repeat("x", 8192),
	} {
		header("client-id: "+name, "Client-Id", id)
	}
	header("client-id: two headers", "Client-Id", "desk", "phone")
	for _, query := range []string{"client_id=%00", "client_id=desk&client_id=phone", "client_id=%zz", "client_id=%ff", "client_id=" + strings.Repeat("x", 257)} {
		if !r.form { // there the query is a form of the body too
			all = append(all, base.with("client-id: "+query[:13], func(a *attack) { a.target = withQuery(a.target, query) }))
		}
	}
	if r.public {
		return all
	}
	token := base.header.Get("Authorization")
	header("credential: two headers", "Authorization", token, token)
	header("credential: two different headers", "Authorization", token, "Bearer x")
	for name, value := range map[string]string{
		"Basic": "Basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5", "8 KiB": "Bearer " + strings.Repeat("x", 8<<10), "Bearer alone": "Bearer",
		"Bearer and blanks": "Bearer   ", "null": "null", "undefined": "undefined", "a list": token + "," + token, "two words": "Bearer " + token + " " + token,
		"Bearer twice": strings.Repeat("Bearer ", 2) + token, "a tail": token + ".", "padding": token + "=", "NUL": token + "\x00", "no signature": token[:strings.LastIndex(token, ".")+1],
		"quotes": `"` + token + `"`, "dots": strings.Repeat(".", 7000), "escaped": strings.ReplaceAll(token, ".", "%2e"),
	} {
		header("credential: "+name, "Authorization", value)
	}
	if r.path != "/api/auth/logout" { // it is taken from any device
		header("client-id: another device's", "Client-Id", "phone")
	}
	return all
}

func withQuery(target, query string) string {
	if strings.Contains(target, "?") {
		return target + "&" + query
	}
	return target + "?" + query
}

// paths are other spellings of a route's path, tried without a credential.
func paths(base attack, r target) []attack {
	slash := max(strings.LastIndex(r.path, "/"), 1)
	same := map[string]string{ // by RFC 3986 §6.2.2.2, or as good as
		"escaped slashes": "/" + strings.ReplaceAll(r.path[1:], "/", "%2f"), "escaped letters": "/%" + strconv.FormatUint(uint64(r.path[1]), 16) + r.path[2:],
	}
	other := map[string]string{
		"two slashes": "/" + r.path, "two slashes inside": r.path[:slash] + "//" + r.path[slash+1:], "dot": "/." + r.path, "dots": "/api/.." + r.path,
		"dot inside": r.path[:slash] + "/./" + r.path[slash+1:], "escaped dots": "/api/%2e%2e" + r.path, "semicolon": r.path + ";a=b", "semicolon inside": r.path[:slash] + ";/" + r.path[slash+1:],
		"NUL": r.path + "%00", "slash behind": r.path + "/", "dot behind": r.path + "/.", "blank": r.path + "%20", "capitals": strings.ToUpper(r.path), "extension": r.path + ".json",
		"backslash": "/" + strings.ReplaceAll(r.path[1:]+"/", "/", "%5c"), "no UTF-8": r.path + "%ff", "twice escaped": strings.ReplaceAll(r.path, "i", "%2569"), "full width": r.path + "%ef%bc%8f",
	}
	var all []attack
	for name, path := range same {
		all = append(all, base.with("path: "+name, func(a *attack) {
			a.target, a.body, a.header, a.harmless = path, "", http.Header{}, r.public
		}))
	}
	for name, path := range other {
		if path == r.path { // it has no letter that could be escaped
			continue
		}
		all = append(all, base.with("path: "+name, func(a *attack) {
			a.target, a.body, a.header, a.status = path, "", http.Header{}, http.StatusNotFound
			if r.v4 {
				a.status = 0 // some are ids, and nobody is told which
			}
		}))
	}
	return all
}

// numbers are broken ids and pages.
func numbers(base attack, r target) []attack {
	var all []attack
	for _, name := range r.ids {
		_, honest, _ := strings.Cut(r.query, "=")
		for _, value := range []string{
			"", "0", "-1", "-" + honest, "+" + honest, "%2B" + honest, honest + ".0", honest + "e0", "1e3", "%20", "%20" + honest, honest + "%20", honest + "%0a",
			honest + "%00", "0" + honest, "0x" + honest, "%EF%BC%91", "9223372036854775808", "18446744073709551616", "18446744073709551617", "4294967297",
			honest + "," + honest, "[" + honest + "]", "%5B" + honest + "%5D", "null", "true", "%zz", honest + ";" + name + "=" + honest, strings.Repeat("9", 4000),
		} {
			all = append(all, base.with("id: "+value[:min(len(value), 24)], func(a *attack) { a.target = r.path + "?" + name + "=" + value }))
		}
		for _, query := range []string{
			name + "=" + honest + "&" + name + "=" + honest, name + "=" + honest + "&" + name + "=999", name + "=999&" + name + "=" + honest, name + "=&" + name + "=" + honest,
			fmt.Sprintf("%%%x%s=", name[0], name[1:]) + honest + "&" + name + "=" + honest, name + "[]=" + honest, strings.ToUpper(name) + "=" + honest, "",
		} {
			all = append(all, base.with("id: "+query, func(a *attack) { a.target = r.path + "?" + query }))
		}
	}
	if r.paging {
		for _, value := range []string{"abc", "-1", "0", "1e3", "1.5", "%00", "%zz", "9223372036854775808", "99999999999999999999999", "-99999999999999999999999", "1&page=2", "[]", "%EF%BC%91", "+", "-"} {
			for _, name := range []string{"page", "per_page"} {
				all = append(all, base.with("paging: "+name+"="+value, func(a *attack) {
					a.target, a.harmless = r.path+"?"+name+"="+value, true
				}))
			}
		}
	}
	return all
}

// mediaTypes are bodies that are not called JSON, or are encoded.
func mediaTypes(t testing.TB, base attack, r target) []attack {
	t.Helper()
	body := base.body
	if body == "" {
		body = "{}"
	}
	const boundary = "7f3a"
	form := url.Values{}
	var multipart strings.Builder
	for key, value := range r.body {
		form.Set(key, fmt.Sprint(value))
		fmt.Fprintf(&multipart, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%v\r\n", boundary, key, value)
	}
	form.Set("x", "y")
	var all []attack
	add := func(media, body string) {
		all = append(all, base.with("media: "+media, func(a *attack) {
			a.status, a.body = http.StatusUnsupportedMediaType, body
			a.header["Content-Type"] = []string{media}
		}))
	}
	if !r.form {
		add("application/x-www-form-urlencoded", form.Encode())
		add("application/x-www-form-urlencoded; charset=utf-8", body)
	}
	add("multipart/form-data; boundary="+boundary, multipart.String()+"--"+boundary+"--\r\n")
	add("multipart/form-data", body)
	for _, media := range []string{"text/plain", "text/plain;charset=UTF-8", "text/json", "application/json+x", "application/problem+json", "*/*", "json", "application/octet-stream"} {
		add(media, body)
	}
	add("application/xml", "<x><username>admin</username></x>")
	add("text/xml", `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`)
	add("application/yaml", "username: admin\n")
	add("application/x-yaml", "username: admin\n")
	add("application/toml", "username = 'admin'\n")
	add("application/msgpack", "\x81\xa8username\xa5admin")
	add("application/x-msgpack", "\x81\xa8username\xa5admin")
	add("application/x-protobuf", "\x0a\x05admin")
	add("application/cbor", "\xa1\x68username\x65admin")
	all = append(all, base.with("media: two", func(a *attack) {
		a.status, a.body = http.StatusUnsupportedMediaType, body
		a.header["Content-Type"] = []string{"application/json", "text/plain"}
	}))
	for _, coding := range []string{"gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip"} {
		all = append(all, base.with("encoding: "+coding, func(a *attack) {
			a.status, a.body = http.StatusUnsupportedMediaType, zipped(t, body)
			a.header["Content-Type"] = []string{"application/json"}
			a.header["Content-Encoding"] = []string{coding}
		}))
	}
	return all
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// texts are bodies that are no JSON object, or not only one.
func texts(base attack, r target) []attack {
	good := strings.Trim(base.body, "[]")
	if !r.list {
		good = base.body
	}
	inner := good[1 : len(good)-1]
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	bodies := map[string]string{
		"none": "", "blanks": " \r\n\t", "array": "[]", "array around": "[" + good + "]", "null": "null", "true": "true", "number": "7", "string": `"x"`,
		"string around": fmt.Sprintf("%q", good), "trailing object": good + "{}", "trailing array": good + "[]", "trailing word": good + " x", "trailing comma": good + ",",
		"trailing NUL": good + "\x00", "trailing brace": good + "}", "itself twice": good + good, "lines": good + "\n" + good, "cut": good[:len(good)-1], "cut in the middle": good[:len(good)/2],
		"comma inside": "{" + inner + ",}", "comment": "/* */" + good, "line comment": good + "// x", "single quotes": strings.ReplaceAll(good, `"`, "'"), "BOM": "\ufeff" + good,
		"prefix": ")]}',\n" + good, "UTF-16LE": utf16Of(good, false), "UTF-16BE": utf16Of(good, true), "NaN": "{" + inner + `,"x":NaN}`, "Infinity": "{" + inner + `,"x":-Infinity}`,
		"huge number": "{" + inner + `,"x":1e999999}`, "long number": "{" + inner + `,"x":` + strings.Repeat("9", 5000) + "}", "hex number": "{" + inner + `,"x":0x10}`, "leading zero": "{" + inner + `,"x":01}`,
		"depth 33": "{" + inner + `,"x":` + deep(32) + "}", "depth 20000": "{" + inner + `,"x":` + deep(20000) + "}", "open arrays": strings.Repeat("[", 20000),
		"no UTF-8 in a value": "{" + inner + ",\"x\":\"\xff\xfe\"}", "no UTF-8 in a key": "{" + inner + ",\"\xff\":1}", "overlong UTF-8": "{" + inner + ",\"x\":\"\xc0\xaf\"}", "raw surrogate": "{" + inner + ",\"x\":\"\xed\xa0\x80\"}",
		"lone surrogate": "{" + inner + `,"x":"\ud800"}`, "turned surrogates": "{" + inner + `,"x":"\udc00\ud800"}`, "lone surrogate in a key": "{" + inner + `,"\udfff":1}`,
		"NUL": "{" + inner + ",\"x\":\"\x00\"}", "escaped NUL": "{" + inner + `,"x":"\u0000"}`, "escaped bell": "{" + inner + `,"x":"\u0007"}`, "raw line break": "{" + inner + ",\"x\":\"\n\"}",
		"C1 control": "{" + inner + `,"x":"\u0085"}`, "bad escape": "{" + inner + `,"x":"\x41"}`, "duplicate elsewhere": "{" + inner + `,"x":1,"X":2}`, "duplicate inside": "{" + inner + `,"x":{"y":1,"y":1}}`,
		"msgpack": "\x81\xa8username\xa5admin", "XML": "<username>admin</username>", "YAML": "username: admin", "form": "username=admin", "gzip": "\x1f\x8b\x08\x00\x00\x00",
	}
	if r.path != "/api/admin/session/clean" { // there nothing is required
		bodies["empty object"] = "{}"
		bodies["other names"] = `{"x":1}`
	}
	var all []attack
	for name, body := range bodies {
		if r.list {
			switch name {
			case "array", "array around": // what it wants
				continue
			case "depth 33":
				body = "{" + inner + `,"x":` + deep(31) + "}"
			}
			body = "[" + body + "]"
			if name == "none" || name == "blanks" {
				body = strings.Trim(body, "[]")
			}
		}
		all = append(all, base.with("body: "+name, func(a *attack) { a.body = body }))
	}
	return all
}

func utf16Of(text string, bigEndian bool) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if bigEndian {
			out = append(out, byte(unit>>8), byte(unit))
		} else {
			out = append(out, byte(unit), byte(unit>>8))
		}
	}
	return string(out)
}
