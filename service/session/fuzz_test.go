package session_test

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"latchkey/service/session"
)

// FuzzVerify: a text is let in only if it is exactly the token that was
// issued, or was signed with the true key over the one spelling of claims that
// agree with the row, and then the account's name and the token's own id are
// all that can differ. Nothing panics. In head and body, $kid, $sub, $sid,
// $iat, $exp and $jti stand for what the real token holds.
func FuzzVerify(f *testing.F) {
	fix := newFixture(f)
	o := fix.signIn(fix.alice, laptop)
	parts := strings.Split(o.Token, ".")
	jti := regexp.MustCompile(`"jti":"([0-9a-f]{32})"`).FindStringSubmatch(payload(f, o.Token))[1]
	expand := strings.NewReplacer(
		"$kid", fix.ring.Signing().ID, "$sub", fix.alice.Key, "$sid", o.LoginID, "$jti", jti, "$iat", strconv.FormatInt(start.Unix(), 10),
		"$exp", strconv.FormatInt(o.ExpiresAt.Unix(), 10), "$head", parts[0], "$body", parts[1], "$sum", parts[2],
	).Replace
	const (
		head = `{"alg":"HS256","kid":"$kid","typ":"JWT"}`
		body = `{"username":"alice","sub":"$sub","sid":"$sid","iat":$iat,"nbf":$iat,"exp":$exp,"jti":"$jti"}`
	)
	f.Add("$head.$body.$sum", false, "", "")
	f.Add("$head.$body.$sum\n", false, "", "")
	f.Add("$head.$body.$sum=", false, "", "")
	f.Add("$head.$body.", false, "", "")
	f.Add("..", false, "", "")
	f.Add("", true, head, body)
	f.Add("", true, strings.Replace(head, "HS256", "none", 1), body)
	f.Add("", true, head, strings.Replace(body, `"exp":$exp`, `"exp":1e300`, 1))
	f.Add("", true, head, strings.Replace(body, `"sub"`, `"Sub"`, 1))
	f.Add("", true, head, strings.Replace(body, "alice", "\u2028<bob>", 1))
	f.Add("=", true, head, body)
	legal := regexp.MustCompile(`^\{"username":"(?:[^"\\]|\\.)*",` + regexp.QuoteMeta(expand(`"sub":"$sub","sid":"$sid","iat":$iat,"nbf":$iat,"exp":$exp,`)) +
		`"jti":"(?:[^"\\]|\\.)*"\}$`)
	f.Fuzz(func(t *testing.T, text string, sign bool, head, body string) {
		text, head, body = expand(text), expand(head), expand(body)
		if sign {
			text = fix.signed(head, body) + text
		}
		login, err := fix.Resolve(t.Context(), session.Presented{Token: text})
		switch {
		case err == nil && text == o.Token:
		case err == nil && (!sign || text != fix.signed(fix.head(), body) || !legal.MatchString(body)):
			t.Fatalf("let in: %q, head %q, body %q", text, head, body)
		case err == nil && login.ID != o.LoginID:
			t.Fatalf("let in as %+v", login)
		case err != nil && text == o.Token:
			t.Fatalf("the real token was refused: %v", err)
		case err != nil && !errors.Is(err, session.ErrInvalid) && !errors.Is(err, session.ErrExpired):
			t.Fatalf("Resolve(%q) = %v", text, err)
		}
	})
}

// FuzzDeviceKey: the key is 32 hex digits, the same each time, and another one
// for any other Client-Id or account.
func FuzzDeviceKey(f *testing.F) {
	fix := newFixture(f)
	f.Add(uint64(1), uint64(2), "a", "b")
	f.Add(uint64(1), uint64(1), "", "\x00")
	f.Add(uint64(0), uint64(16), "00", "0")
	f.Add(uint64(1), uint64(1), "\u00e9", "e\u0301")
	f.Add(uint64(1), uint64(1), strings.Repeat("x", 256), strings.Repeat("x", 255))
	shape := regexp.MustCompile(`^[0-9a-f]{32}$`)
	f.Fuzz(func(t *testing.T, m, n uint64, a, b string) {
		first, second := fmt.Sprintf("%032x", m), fmt.Sprintf("%032x", n)
		key := fix.DeviceKey(first, a)
		if !shape.MatchString(key) || key != fix.DeviceKey(first, a) {
			t.Fatalf("DeviceKey(%s, %q) = %q", first, a, key)
		}
		if other := fix.DeviceKey(second, b); (other == key) != (m == n && a == b) {
			t.Fatalf("(%s, %q) has %s, (%s, %q) has %s", first, a, key, second, b, other)
		}
	})
}
