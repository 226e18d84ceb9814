package session_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
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
