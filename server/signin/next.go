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
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.ContainsFunc(next, isRisky) {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil {
		return ""
	}
	plain, _, _ := strings.Cut(next, "?")
	if plain != path.Clean(plain) || u.Path != path.Clean(u.Path) { // no empty and no dotted segments, escaped ones neither
		return ""
	}
	return next
}

// isRisky reports whether a character is one that URLs do not have, that
// browsers read in their own way, or that begins a fragment.
func isRisky(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }

// with is a page of ours that goes on there.
func with(page, next string) string {
	if next == "" {
		return page
	}
	return page + "?" + url.Values{"next": {next}}.Encode()
}
