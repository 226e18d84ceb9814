package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/model"
)

func TestResolveTakesOneShape(t *testing.T) { // K-03
	wantForged(t, shapes())
}

// shapes are the ways in which Wycheproof bends compact serialisation (RFC
// 7515 §3.1, §7), by hand.
func shapes() map[string]mutation {
	part := func(i int, change func(string) string) mutation {
		return func(_ *fixture, token string) string {
			parts := strings.Split(token, ".")
			parts[i] = change(parts[i])
			return strings.Join(parts, ".")
		}
	}
	// resigned changes header or payload and signs the outcome.
	resigned := func(i int, change func(string) string) mutation {
		return func(f *fixture, token string) string {
			parts := strings.Split(token, ".")[:2]
			parts[i] = change(parts[i])
			return f.sealed(strings.Join(parts, "."))
		}
	}
	m := map[string]mutation{
		"empty signature":             part(2, func(string) string { return "" }),
		"other signature":             part(2, func(string) string { return b64(strings.Repeat("x", 32)) }),
		"shorter signature":           part(2, func(s string) string { return s[:len(s)-4] }),
		"longer signature":            part(2, func(s string) string { return s + "AAAA" }),
		"signature in upper case":     part(2, strings.ToUpper),
		"signature in hexadecimal":    part(2, func(s string) string { return fmt.Sprintf("%x", s) }),
		"non-zero bits after the end": part(2, trailing),
		"header's bits after the end": resigned(0, trailing),
		"no header":                   resigned(0, func(string) string { return "" }),
		"no payload":                  resigned(1, func(string) string { return "" }),
		"a header of dots only":       func(*fixture, string) string { return strings.Repeat(".", 8000) },
		"a million dots":              func(*fixture, string) string { return strings.Repeat(".", 1<<20) },
		"two dots":                    func(*fixture, string) string { return ".." },
		"one segment":                 func(_ *fixture, s string) string { return strings.Split(s, ".")[0] },
		"no signature segment":        func(_ *fixture, s string) string { return s[:strings.LastIndexByte(s, '.')] },
		"a fourth segment":            func(_ *fixture, s string) string { return s + "." },
		"a JWE's five segments":       func(_ *fixture, s string) string { return s + ".AAAA.AAAA" },
		"a segment before":            func(_ *fixture, s string) string { return "." + s },
		"the signature twice":         func(_ *fixture, s string) string { return s + s[strings.LastIndexByte(s, '.'):] },
		"header and payload swapped":  func(f *fixture, s string) string { p := strings.Split(s, "."); return f.sealed(p[1] + "." + p[0]) },
		"the header as payload":       func(f *fixture, s string) string { h, _, _ := strings.Cut(s, "."); return f.sealed(h + "." + h) },
		"a detached payload":          part(1, func(string) string { return "" }),
		"the payload in plain text":   func(f *fixture, s string) string { return f.sealed(strings.Split(s, ".")[0] + "." + payload(f.t, s)) },
		"JSON serialisation":          jsonForm(`{"payload":%q,"protected":%q,"signature":%q}`),
		"general JSON serialisation":  jsonForm(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`),
		"header JSON with blanks":     withHead(func(f *fixture) string { return strings.ReplaceAll(f.head(), ",", ", ") }),
		"header JSON in other order": withHead(func(f *fixture) string {
			return fmt.Sprintf(`{"typ":"JWT","alg":"HS256","kid":%q}`, f.ring.Signing().ID)
		}),
		"header without typ":           withHead(func(f *fixture) string { return strings.Replace(f.head(), `,"typ":"JWT"`, "", 1) }),
		"header typ of another kind":   withHead(func(f *fixture) string { return strings.Replace(f.head(), `"JWT"`, `"at+jwt"`, 1) }),
		"header that is no JSON":       withHead(func(*fixture) string { return "alg=HS256" }),
		"header that is an array":      withHead(func(f *fixture) string { return "[" + f.head() + "]" }),
		"header with a byte order":     withHead(func(f *fixture) string { return "\ufeff" + f.head() }),
		"more than 8 KiB of signature": func(_ *fixture, s string) string { return s + strings.Repeat("A", 8<<10) },
		"more than 8 KiB of payload":   withClaim("username", `"`+strings.Repeat("a", 8<<10)+`"`),
		"a megabyte":                   func(_ *fixture, s string) string { return s + strings.Repeat("A", 1<<20) },
		"empty":                        func(*fixture, string) string { return "" },
		"a URL encoded dot":            func(_ *fixture, s string) string { return strings.Replace(s, ".", "%2e", 1) },
		"a full-width dot":             func(_ *fixture, s string) string { return strings.Replace(s, ".", "．", 1) },
		"the Bearer prefix left on":    func(_ *fixture, s string) string { return "Bearer " + s },
	}
	for name, at := range map[string]int{"header": 0, "payload": 1, "signature": 2} {
		for fault, change := range map[string]func(string) string{
			"with padding":             func(s string) string { return s + "=" },
			"with two paddings":        func(s string) string { return s + "==" },
			"with a line feed after":   func(s string) string { return s + "\n" },
			"with a return inside":     func(s string) string { return s[:5] + "\r" + s[5:] },
			"with both inside":         func(s string) string { return s[:4] + "\r\n" + s[4:] },
			"with a blank after":       func(s string) string { return s + " " },
			"with a blank before":      func(s string) string { return " " + s },
			"with a NUL after":         func(s string) string { return s + "\x00" },
			"with a letter too many":   func(s string) string { return s + "A" },
			"with a letter too few":    func(s string) string { return s[:len(s)-1] },
			"with a wrong letter":      func(s string) string { return s[:3] + "!" + s[4:] },
			"with a zero-width joiner": func(s string) string { return s + "\u200d" },
		} {
			m[name+" "+fault] = part(at, change)
			if at < 2 {
				m[name+" "+fault+", signed"] = resigned(at, change)
			}
		}
	}
	m["the standard alphabet"] = func(f *fixture, token string) string {
		for !strings.ContainsAny(token, "-_") {
			token = f.signIn(f.alice, laptop).Token
		}
		return strings.NewReplacer("-", "+", "_", "/").Replace(token)
	}
	for i := range 3 { // whatever its length is modulo three
		m[fmt.Sprintf("payload's bits after the end %d", i)] = func(f *fixture, _ string) string {
			a := f.store.AddAccount(model.Account{Username: strings.Repeat("a", i)})
			p := strings.Split(f.signIn(a, laptop).Token, ".")
			if len(p[1])%4 == 0 { // no bits are left over
				return p[0] + "." + p[1] + "."
			}
			return f.sealed(p[0] + "." + trailing(p[1]))
		}
	}
	return m
}

// trailing is another spelling of the same bytes for decoders that are not
// strict: it sets a bit that none of the bytes holds.
func trailing(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last^1])
}

func jsonForm(format string) mutation {
	return func(_ *fixture, token string) string {
		p := strings.Split(token, ".")
		return fmt.Sprintf(format, p[1], p[0], p[2])
	}
}

func TestResolveTakesOneSpellingOfClaims(t *testing.T) { // K-04, K-06
	mutations := map[string]mutation{
		"claims in other order": func(f *fixture, token string) string {
			return f.signed(f.head(), reorder(f.t, payload(f.t, token)))
		},
		"an extra claim":            withText(`{"username"`, `{"admin":true,"username"`),
		"an extra claim at the end": withText(`"jti"`, `"aud":"x","jti"`),
		"a claim twice":             withText(`{"username"`, `{"sub":"x","username"`),
		"the same claim twice":      withText(`,"jti"`, `,"exp":9999999999,"jti"`),
		"a claim in other case":     withText(`"sub"`, `"Sub"`),
		"a claim's name escaped":    withText(`"sub"`, `"\u0073ub"`),
		"a claim's value escaped":   withText(`alice`, `\u0061lice`),
		"blanks between":            withText(`,"sub"`, `, "sub"`),
		"a line feed at the end":    withText(`"}`, "\"}\n"),
		"text after the end":        withText(`"}`, `"}{}`),
		"a comma too many":          withText(`"}`, `",}`),
		"an array around":           func(f *fixture, token string) string { return f.signed(f.head(), "["+payload(f.t, token)+"]") },
		"a string around": func(f *fixture, token string) string {
			return f.signed(f.head(), fmt.Sprintf("%q", payload(f.t, token)))
		},
		"a token inside":               func(f *fixture, token string) string { return f.signed(f.head(), token) },
		"null":                         func(f *fixture, _ string) string { return f.signed(f.head(), "null") },
		"an empty object":              func(f *fixture, _ string) string { return f.signed(f.head(), "{}") },
		"no JSON":                      func(f *fixture, _ string) string { return f.signed(f.head(), "username=alice") },
		"text that is no UTF-8":        withText(`alice`, "ali\xffce"),
		"a NUL":                        withText(`alice`, "alice\x00"),
		"5,000 brackets":               nested(5000, "[", "]"),
		"5,000 objects":                nested(700, `{"a":`, "}"),
		"5,000 brackets left open":     nested(5000, "[", ""),
		"5,000 brackets in the header": withHead(func(*fixture) string { return strings.Repeat("[", 5000) }),
	}
	for _, claim := range []string{"username", "sub", "sid", "jti"} {
		for _, value := range []string{"null", "1", "[]", "{}", "true", `["x"]`} {
			mutations[claim+" "+value] = withClaim(claim, value)
		}
		mutations[claim+" missing"] = without(claim)
	}
	now := start.Unix()
	for _, claim := range []string{"iat", "nbf", "exp"} {
		for _, value := range []string{
			"-1", "-9223372036854775808", "9223372036854775808", "1e300", "-1e300", "1e9", "1772366400.0", "1772366400.5", `"1772366400"`,
			"[1772366400]", "{}", "null", "true", "0x10", "007", "NaN", "Infinity", "+5", "-0",
			"18446744073709551616", strings.Repeat("9", 400), "0", "",
		} {
			mutations[claim+" "+value] = withClaim(claim, value)
		}
		mutations[claim+" missing"] = without(claim)
	}
	mutations["exp as old as the token"] = withClaim("exp", unix(now))
	mutations["nbf after iat"] = withClaim("nbf", unix(now+1))
	mutations["nbf before iat"] = withClaim("nbf", unix(now-1))
	mutations["iat far from now"] = withClaim("iat", unix(now+61))
	wantForged(t, mutations)
}

func reorder(t testing.TB, p string) string {
	t.Helper()
	fields := strings.Split(strings.Trim(p, "{}"), ",")
	slices.Reverse(fields)
	return "{" + strings.Join(fields, ",") + "}"
}

func without(claim string) mutation {
	return func(f *fixture, token string) string {
		fields := strings.Split(strings.Trim(payload(f.t, token), "{}"), ",")
		fields = slices.DeleteFunc(fields, func(s string) bool { return strings.HasPrefix(s, `"`+claim+`"`) })
		return f.signed(f.head(), "{"+strings.Join(fields, ",")+"}")
	}
}

func nested(depth int, open, end string) mutation {
	return func(f *fixture, _ string) string {
		return f.signed(f.head(), strings.Repeat(open, depth)+"1"+strings.Repeat(end, depth))
	}
}
