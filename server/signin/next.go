package signin

import (
	"net/url"
	"path"
	"strings"
)

// maxNext bounds where to go on, in bytes: apps put long queries there.
const maxNext = 8 << 10

// local is the path if it leads to a page of this server and nowhere else in
// any browser's reading, else "" (O-10): no scheme, no host, nothing that
// browsers drop or turn into a slash (WHATWG URL, "basic URL parser").
func local(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, "/") {
		return ""
	}
	for i := range len(next) {
		if c := next[i]; c <= ' ' || c > '~' || c == '\\' || c == '#' {
			return ""
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	plain, _, _ := strings.Cut(next, "?")
	if plain != path.Clean(plain) || u.Path != path.Clean(u.Path) { // no empty and no dotted segments, escaped ones neither
		return ""
	}
	return next
}

// with is a page of ours that goes on there.
func with(page, next string) string {
	if next == "" {
		return page
	}
	return page + "?" + url.Values{"next": {next}}.Encode()
}
