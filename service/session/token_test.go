package session_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"latchkey/model"
	"latchkey/service/revocation"
	"latchkey/service/secret"
	"latchkey/service/session"
)

func unix(seconds int64) string { return strconv.FormatInt(seconds, 10) }

// payload is a token's claims as text.
func payload(t testing.TB, token string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatalf("decode %q: %v", token, err)
	}
	return string(raw)
}

func TestTokenIsAPlainJWT(t *testing.T) {
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	key := f.ring.Signing()
	claims := jwt.MapClaims{}
	parsed, err := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(), jwt.WithTimeFunc(f.clock.now),
	).ParseWithClaims(o.Token, claims, func(*jwt.Token) (any, error) { return key.Secret, nil })
	if err != nil {
		t.Fatalf("another implementation says %v", err)
	}
	if parsed.Header["kid"] != key.ID || parsed.Header["typ"] != "JWT" || len(parsed.Header) != 3 {
		t.Errorf("header = %v", parsed.Header)
	}
	issued := float64(start.Unix())
	for name, want := range map[string]any{
		"username": "alice", "sub": f.alice.Key, "sid": o.LoginID,
		"iat": issued, "nbf": issued, "exp": issued + (48 * time.Hour).Seconds(),
	} {
		if claims[name] != want {
			t.Errorf("%s = %v, want %v", name, claims[name], want)
		}
	}
	jti, _ := claims["jti"].(string)
	if len(jti) != 32 || len(o.LoginID) != 32 || len(claims) != 7 {
		t.Errorf("claims = %v", claims)
	}
	if want := start.Truncate(time.Second).Add(48 * time.Hour); !o.ExpiresAt.Equal(want) {
		t.Errorf("ExpiresAt = %v, want %v as in the token", o.ExpiresAt, want)
	}
}

func TestTokensOfOneSecondDiffer(t *testing.T) { // K-07
	f := newFixture(t)
	seen := map[string]bool{}
	for range 100 {
		o := f.signIn(f.alice, "")
		if seen[o.Token] || seen[o.LoginID] {
			t.Fatal("two sign-ins gave the same token or login")
		}
		seen[o.Token], seen[o.LoginID] = true, true
	}
}

func TestResolveTakesAnyUsername(t *testing.T) {
	for name, username := range map[string]string{
		"plain":                   "alice",
		"empty":                   "",
		"with HTML":               `<b>&"'\/`,
		"beyond ASCII":            "Zoë 🔑 \u2028\u2029",
		"of an imported database": "caf\xe9",
		"with control characters": "a\x00\x1f\x7f",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.wantIn(f.signIn(f.store.AddAccount(model.Account{Username: username}), laptop).Token, laptop, nil)
		})
	}
}

// mutation makes something that is no token of ours from one that is. All of
// them may use the true key: not even with it is there a second spelling.
type mutation func(f *fixture, token string) string

// wantForged checks that nothing gets in, quickly and without a read, and that
// the real token still does.
func wantForged(t *testing.T, mutations map[string]mutation) {
	t.Helper()
	for name, mutate := range mutations {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			token := f.signIn(f.alice, laptop).Token
			forged := mutate(f, token)
			if forged == token {
				t.Fatal("the mutation changed nothing")
			}
			for range 2 { // cold, and with the real one remembered
				before, begun := f.store.calls.Load(), time.Now()
				f.wantIn(forged, "", session.ErrInvalid)
				took := time.Since(begun)
				if took > time.Second { // ten times the goal
					t.Errorf("refused after %v", took)
				}
				t.Logf("refused after %v", took)
				if n := f.store.calls.Load() - before; n != 0 {
					t.Errorf("refused after %d questions to the database, want none", n)
				}
				f.wantIn(token, laptop, nil)
			}
		})
	}
}

// withHead is the token with another header, signed.
func withHead(head func(f *fixture) string) mutation {
	return func(f *fixture, token string) string { return f.signed(head(f), payload(f.t, token)) }
}

// withText is the token with something replaced in its payload, signed.
func withText(old, replacement string) mutation {
	return func(f *fixture, token string) string {
		p := payload(f.t, token)
		if strings.Count(p, old) != 1 {
			f.t.Fatalf("%q does not occur once in %s", old, p)
		}
		return f.signed(f.head(), strings.Replace(p, old, replacement, 1))
	}
}

// withClaim is the token with another value of a claim, signed.
func withClaim(name, value string) mutation {
	return func(f *fixture, token string) string {
		p := payload(f.t, token)
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(p), &all); err != nil {
			f.t.Fatal(err)
		}
		field := fmt.Sprintf(`"%s":`, name)
		return f.signed(f.head(), strings.Replace(p, field+string(all[name]), field+value, 1))
	}
}

func TestResolvePinsTheAlgorithm(t *testing.T) { // K-01
	mutations := map[string]mutation{}
	for _, alg := range []string{
		`"none"`, `"None"`, `"NONE"`, `"nOnE"`, `"none "`, `"\u006eone"`, `""`, `null`, `0`, `["HS256"]`, `{"alg":"HS256"}`, `true`,
		`"hs256"`, `"HS256 "`, `"HS384"`, `"HS512"`, `"RS256"`, `"PS256"`, `"ES256"`, `"ES256K"`, `"EdDSA"`, `"\u0048S256"`, `"dir"`, `"A128KW"`, `"HS1"`,
	} {
		head := func(f *fixture) string { return strings.Replace(f.head(), `"HS256"`, alg, 1) }
		mutations["alg "+alg] = withHead(head)
		mutations["alg "+alg+" unsigned"] = func(f *fixture, token string) string {
			return b64(head(f)) + "." + b64(payload(f.t, token)) + "."
		}
		mutations["alg "+alg+" with the old signature"] = func(f *fixture, token string) string {
			parts := strings.Split(token, ".")
			return b64(head(f)) + "." + parts[1] + "." + parts[2]
		}
	}
	mutations["alg missing"] = withHead(func(f *fixture) string { return strings.Replace(f.head(), `"alg":"HS256",`, "", 1) })
	mutations["alg twice"] = withHead(func(f *fixture) string { return strings.Replace(f.head(), `{`, `{"alg":"none",`, 1) })
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodHS384, jwt.SigningMethodHS512} {
		mutations["truly signed with "+method.Alg()] = func(f *fixture, token string) string {
			signed := b64(strings.Replace(f.head(), "HS256", method.Alg(), 1)) + "." + strings.Split(token, ".")[1]
			sum, err := method.Sign(signed, f.ring.Signing().Secret)
			if err != nil {
				f.t.Fatal(err)
			}
			return signed + "." + base64.RawURLEncoding.EncodeToString(sum)
		}
	}
	for name, key := range map[string]string{
		"the empty key": "", "a guessed key": "secret", "the account's key as key": fmt.Sprintf("%032x", 1),
		"32 zeros": strings.Repeat("\x00", 32), "another server's key": "0123456789abcdefghijklmnopqrstuv",
	} {
		mutations["signed with "+name] = func(f *fixture, token string) string {
			signed := token[:strings.LastIndexByte(token, '.')]
			sum, err := jwt.SigningMethodHS256.Sign(signed, []byte(key))
			if err != nil {
				f.t.Fatal(err)
			}
			return signed + "." + base64.RawURLEncoding.EncodeToString(sum)
		}
	}
	wantForged(t, mutations)
}

func TestResolveKnowsItsKeysOnly(t *testing.T) { // K-02
	mutations := map[string]mutation{}
	for _, kid := range []string{
		`"00000000"`, `""`, `null`, `0`, `[]`, `"../../../dev/null"`, `"/dev/null"`, `"x' UNION SELECT 'key"`, `"http://127.0.0.1:1/key"`,
		`"*"`, `"%"`, `"%s"`, `"$(id)"`, `"master"`,
	} {
		mutations["kid "+kid] = withHead(func(f *fixture) string {
			return strings.Replace(f.head(), `"`+f.ring.Signing().ID+`"`, kid, 1)
		})
	}
	mutations["kid missing"] = withHead(func(*fixture) string { return `{"alg":"HS256","typ":"JWT"}` })
	mutations["kid in upper case"] = withHead(func(f *fixture) string {
		return strings.Replace(f.head(), `"`+f.ring.Signing().ID+`"`, `"`+strings.ToUpper(f.ring.Signing().ID)+` "`, 1)
	})
	for _, extra := range []string{
		`"jku":"http://127.0.0.1:1/jwks.json"`, `"x5u":"http://127.0.0.1:1/cert.pem"`, `"jwk":{"kty":"oct","k":"AAAA"}`, `"x5c":["MIIB"]`,
		`"crit":["exp"]`, `"b64":false`, `"zip":"DEF"`, `"cty":"JWT"`, `"iss":"latchkey"`, `"":""`,
	} {
		mutations["header with "+extra] = withHead(func(f *fixture) string { return strings.TrimSuffix(f.head(), "}") + "," + extra + "}" })
	}
	wantForged(t, mutations)
}

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

func TestResolveHoldsATokenAgainstItsRow(t *testing.T) { // K-04, K-09
	for name, mutate := range map[string]mutation{
		"exp beyond the lifetime": withClaim("exp", unix(start.Unix()+48*3600+1)),
		"exp a year ahead":        withClaim("exp", unix(start.Unix()+365*24*3600)),
		"exp for ever":            withClaim("exp", "9223372036854775807"),
		"exp sooner":              withClaim("exp", unix(start.Unix()+3600)),
		"another account":         withClaim("sub", `"`+fmt.Sprintf("%032x", 2)+`"`),
		"the account's name":      withClaim("sub", `"alice"`),
		"the account's number":    withClaim("sub", `"1"`),
		"no account":              withClaim("sub", `""`),
		"a login that never was":  withClaim("sid", `"`+strings.Repeat("0", 32)+`"`),
		"no login":                withClaim("sid", `""`),
		"any login":               withClaim("sid", `"%"`),
		"both times moved": func(f *fixture, token string) string {
			moved := unix(start.Unix() - 5)
			p := strings.ReplaceAll(payload(f.t, token), unix(start.Unix()), moved)
			return f.signed(f.head(), p)
		},
		"another login of the account": func(f *fixture, token string) string {
			f.clock.advance(2 * time.Second)
			return withClaim("sid", `"`+f.signIn(f.alice, phone).LoginID+`"`)(f, token)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.store.AddAccount(model.Account{Username: "bob"})
			token := f.signIn(f.alice, laptop).Token
			forged := mutate(f, token)
			if forged == token {
				t.Fatal("the mutation changed nothing")
			}
			for range 2 {
				f.wantIn(forged, "", session.ErrInvalid)
				f.wantIn(token, "", nil)
			}
		})
	}
}

func TestResolveBearsClocksThatDiffer(t *testing.T) { // K-04
	for name, tt := range map[string]struct {
		ahead time.Duration // of the node that issued
		want  error
	}{
		"a node 30 s ahead":                    {30 * time.Second, nil},
		"a node 60 s ahead":                    {60 * time.Second, nil},
		"a node 61 s ahead":                    {61 * time.Second, session.ErrInvalid},
		"a node 30 s behind":                   {-30 * time.Second, nil},
		"a node five minutes behind":           {-5 * time.Minute, nil},
		"a node that is behind by a whole day": {-24 * time.Hour, nil},
		"a node that is behind by a lifetime":  {-48 * time.Hour, session.ErrExpired},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.clock.advance(tt.ahead)
			token := f.signIn(f.alice, laptop).Token
			f.clock.advance(-tt.ahead)
			f.restart()
			f.wantIn(token, laptop, tt.want)
		})
	}
}

func TestResolveTakesNothingElse(t *testing.T) { // K-05
	f := newFixture(t)
	o := f.signIn(f.alice, laptop)
	for name, text := range map[string]string{
		"a device key":     o.DeviceKey,
		"a login id":       o.LoginID,
		"an account's key": f.alice.Key,
		"a static token":   secret.StaticToken(),
		"a static hash":    strings.Repeat("ab", 32),
		"a key of ours":    string(f.ring.Signing().Secret),
		"a kid":            f.ring.Signing().ID,
		"a user name":      "alice",
	} {
		t.Run(name, func(t *testing.T) { f.wantIn(text, "", session.ErrInvalid) })
	}
	if n := f.store.reads.Load(); n != 0 {
		t.Errorf("%d reads, want none", n)
	}
}

func TestResolveFollowsTheKeyring(t *testing.T) { // K-12
	f := newFixture(t)
	old := f.signIn(f.alice, laptop).Token
	oldKid := f.ring.Signing().ID
	if _, err := f.ring.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := f.signIn(f.alice, laptop).Token
	f.wantIn(old, laptop, nil)
	f.wantIn(fresh, laptop, nil)
	if err := f.ring.Remove(t.Context(), oldKid); err != nil {
		t.Fatal(err)
	}
	f.hub.Publish(t.Context(), revocation.Notice{}) // as whoever removes a key does
	f.wantIn(old, laptop, session.ErrInvalid)
	f.wantIn(fresh, laptop, nil)
	f.restart()
	f.wantIn(old, laptop, session.ErrInvalid)
	f.wantIn(fresh, laptop, nil)
}

func TestTokensOutliveARestart(t *testing.T) { // K-12
	f := newFixture(t)
	live, ended := f.signIn(f.alice, laptop), f.signIn(f.alice, phone)
	f.evict(f.caller(live), ended.DeviceKey)
	f.restart()
	f.wantIn(live.Token, laptop, nil)
	f.wantIn(ended.Token, phone, session.ErrInactive)
}

func TestTokensHangOnTheAccountNotOnItsName(t *testing.T) { // K-09
	f := newFixture(t)
	token := f.signIn(f.alice, laptop).Token
	bob := f.store.AddAccount(model.Account{Username: "bob"})
	f.store.ChangeAccount(f.alice.Key, func(a *model.Account) { a.Username = "bob" })
	f.store.ChangeAccount(bob.Key, func(a *model.Account) { a.Username = "alice" })
	for range 2 {
		login, err := f.resolve(token, laptop)
		if err != nil || login.AccountKey != f.alice.Key {
			t.Errorf("Resolve = %+v, %v, want the first account", login, err)
		}
		f.restart()
	}
	f.store.DeleteAccount(f.alice.Key)
	f.hub.Publish(t.Context(), revocation.Notice{AccountKey: f.alice.Key})
	f.store.AddAccount(model.Account{ID: f.alice.ID, Key: secret.ID(), Username: "alice", Epoch: f.alice.Epoch})
	f.wantIn(token, laptop, session.ErrInvalid)
	f.clock.advance(50 * time.Hour)
	f.wantIn(token, laptop, session.ErrExpired)
}

func TestResolveSaysWhenTheDatabaseIsAway(t *testing.T) {
	f := newFixture(t)
	token := f.signIn(f.alice, laptop).Token
	f.store.breakDown(model.ErrUnavailable)
	login, err := f.resolve(token, laptop)
	if !errors.Is(err, model.ErrUnavailable) || login.AccountKey != "" {
		t.Errorf("Resolve = %+v, %v, want ErrUnavailable and nobody", login, err)
	}
	f.store.breakDown(nil)
	f.wantIn(token, laptop, nil)
	f.store.breakDown(model.ErrUnavailable)
	f.wantIn(token, laptop, nil)
}
