package signin //nolint:testpackage // local is the rule itself

import (
	"net/url"
	"strings"
	"testing"
)

// O-10: a page of ours and nothing else, however browsers read it.
func TestLocal(t *testing.T) {
	for _, next := range []string{
		"/", "/account/sign-in", "/session/device", "/session/device?user_code=BCDF-GHJK",
		"/session/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=%2F%2Fx", "/a?next=//evil.example", "/%C3%A9",
	} {
		if got := local(next); got != next {
			t.Errorf("local(%q) = %q", next, got)
		}
	}
	for _, next := range []string{
		"", "x", "evil.example", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "/\n/evil.example",
		"https://evil.example", "https:evil.example", "javascript:alert(1)", " /x", "/x y", "/é", "/a//b", "/a/../b", "/..//evil.example",
		"/.//evil.example", "/%2e%2e//evil.example", "/%2e%2e/x", "/%2F/evil.example", "/%2F%2Fevil.example", "/a/", "/x#y", "/%zz", "/\x00", "/\x7f", "?x", "@evil.example",
		"/" + strings.Repeat("x", maxNext),
	} {
		if got := local(next); got != "" {
			t.Errorf("local(%q) = %q, want nothing", next, got)
		}
	}
}

func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/", "//x", `/\x`, "/a?b=c", "/%2e%2e/", "/\t/x", "http://x", "/x#y", "/a//b", "/%2F/x"} {
		f.Add(seed)
	}
	site := &url.URL{Scheme: "https", Host: "login.example.org", Path: "/account/sign-in"}
	f.Fuzz(func(t *testing.T, next string) {
		got := local(next)
		if got == "" {
			return
		}
		if got != next {
			t.Fatalf("%q became %q", next, got)
		}
		to, err := site.Parse(got)
		if err != nil || to.Scheme != site.Scheme || to.Host != site.Host || to.User != nil {
			t.Fatalf("%q leads to %v, %v", next, to, err)
		}
		// Browsers drop tabs and line breaks, and take a backslash for a slash.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(strings.TrimSpace(got))
		if seen != got || strings.HasPrefix(seen, "//") || seen[0] != '/' {
			t.Fatalf("%q is %q to a browser", next, seen)
		}
	})
}
