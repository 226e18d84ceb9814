package alist_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/login"
	"latchkey/service/session"
)

const (
	reauthRoute = "/api/auth/reauth"
	notFresh    = "Recent sign-in required"
)

// wantFresh expects that a proof was accepted and counts for 10 minutes.
func (s *site) wantFresh(t testing.TB, what string, got servertest.Reply) {
	t.Helper()
	until := s.clock.Now().Add(10 * time.Minute).Format("2006-01-02T15:04:05.999Z07:00")
	wantBody(t, what, got, succeeded(`{"fresh_until":"`+until+`"}`))
}

func (s *site) reauth(t testing.TB, token string, body any) servertest.Reply {
	t.Helper()
	return s.post(t, token, reauthRoute, body)
}

// To the millisecond: what needs a fresh login works until 10 minutes after the
// sign-in, and after the proof, and not then.
func TestALoginIsFreshForTenMinutes(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	try := func(what string, fresh bool) {
		t.Helper()
		got := s.post(t, in.Token, othersRoute, nil)
		if fresh {
			wantBody(t, what, got, succeeded(`{"ended":0,"logins":0}`))
		} else {
			wantRefused(t, what, got, http.StatusForbidden, notFresh)
		}
	}
	for round, prove := range []func(){
		func() {},
		func() { s.wantFresh(t, "reauth", s.reauth(t, in.Token, object{"password": password})) },
		func() {
			s.wantFresh(t, "reauth with the hash", s.reauth(t, in.Token, object{"password": hashed(password), "hashed": true}))
		},
	} {
		prove()
		what := fmt.Sprintf("proof %d, ", round)
		try(what+"at once", true)
		s.clock.Advance(10*time.Minute - time.Millisecond)
		try(what+"a millisecond before the end", true)
		s.clock.Advance(time.Millisecond)
		try(what+"at the end", false)
		s.clock.Advance(time.Hour + 531*time.Millisecond)
		try(what+"an hour later", false)
	}
	s.wantFresh(t, "reauth while fresh", s.reauth(t, in.Token, object{"password": password}))
	s.clock.Advance(time.Minute)
	s.wantFresh(t, "reauth again", s.reauth(t, in.Token, object{"password": password}))
}

func TestReauthAsksForWhatASignInAsks(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	secret := s.enrol(t, in.Token)
	s.clock.Advance(time.Hour)
	stranger := s.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	for name, tt := range map[string]struct {
		body    object
		code    int
		message string
	}{
		"a wrong password":                   {object{"password": "wrong horse battery", "otp_code": s.code(secret)}, 400, badLogin},
		"the hash for a password":            {object{"password": hashed(password), "otp_code": s.code(secret)}, 400, badLogin},
		"the password for a hash":            {object{"password": password, "hashed": true, "otp_code": s.code(secret)}, 400, badLogin},
		"no code":                            {object{"password": password}, 402, needCode},
		"a null code":                        {object{"password": password, "otp_code": nil, "hashed": nil}, 402, needCode},
		"an empty code":                      {object{"password": password, "otp_code": " "}, 402, needCode},
		"no code, by hash":                   {object{"password": hashed(password), "hashed": true}, 402, needCode},
		"a wrong code":                       {object{"password": password, "otp_code": stranger}, 402, needCode},
		"a wrong password without a code":    {object{"password": "wrong horse battery"}, 400, badLogin},
		"a password that is absurdly long":   {object{"password": strings.Repeat("x", 1025)}, 400, "Password is longer than 1024 bytes"},
		"no password":                        {object{"otp_code": s.code(secret)}, 400, `field "password" is required`},
		"an empty password":                  {object{"password": "", "otp_code": s.code(secret)}, 400, `field "password" is required`},
		"a number for a password":            {object{"password": 1}, 400, `field "password" must be a string`},
		"a word for hashed":                  {object{"password": password, "hashed": "yes"}, 400, `field "hashed" must be true or false`},
		"a list for a code":                  {object{"password": password, "otp_code": []int{1}}, 400, `field "otp_code" must be a code of up to six digits`},
		"somebody else's name changes none":  {object{"password": "x", "username": "guest"}, 400, badLogin},
		"a sign-in's alias for the code":     {object{"password": password, "opt_code": s.code(secret)}, 402, needCode},
		"a date of one's own":                {object{"password": "x", "fresh_at": "2030-01-01T00:00:00Z"}, 400, badLogin},
		"a token of one's own":               {object{"password": "x", "token": s.App.AdminToken()}, 400, badLogin},
		"a login of one's own, wrong secret": {object{"password": "x", "login_id": "1"}, 400, badLogin},
	} {
		wantRefused(t, name, s.reauth(t, in.Token, tt.body), tt.code, tt.message)
		s.clock.Advance(time.Minute) // so that none of them is throttled
	}
	wantRefused(t, "no body", s.reauth(t, in.Token, nil), 400, "request body is empty")
	wantRefused(t, "after all that", s.post(t, in.Token, othersRoute, nil), http.StatusForbidden, notFresh)
	body := object{"password": password, "otp_code": s.code(secret)}
	s.wantFresh(t, "the right ones", s.reauth(t, in.Token, body))
	wantRefused(t, "the same code again", s.reauth(t, in.Token, body), 402, needCode)
	s.clock.Advance(30 * time.Second)
	code := s.code(secret)
	s.signIn(t, object{"username": "admin", "password": password, "otp_code": code})
	wantRefused(t, "a code that signed in", s.reauth(t, in.Token, object{"password": password, "otp_code": code}), 402, needCode)
}

func TestPasswordsAreComparedExactly(t *testing.T) {
	s := open(t)
	long := strings.Repeat("длинный пароль ", 8) + " end " // over 72 bytes, blanks at its end
	if _, err := s.App.Profile.Create(t.Context(), "alice", long); err != nil {
		t.Fatal(err)
	}
	in := s.SignIn(t, "alice", long, "laptop")
	for name, wrong := range map[string]string{
		"trimmed": strings.TrimSpace(long), "cut at 72 bytes": long[:72], "cut at 64 characters": string([]rune(long)[:64]),
		"in capitals": strings.ToUpper(long), "with a blank more": long + " ", "with a NUL behind": long + "\u0000",
		"composed in another way": strings.ReplaceAll(long, "й", "и\u0306"), "the hash": hashed(long), "empty but for blanks": "   ",
	} {
		code, message := 400, badLogin
		if strings.Contains(wrong, "\u0000") {
			message = "request body must not contain control characters or broken text"
		}
		wantRefused(t, name, s.reauth(t, in.Token, object{"password": wrong}), code, message)
		wantRefused(t, name+", as the old one", s.post(t, in.Token, passwordRoute, object{"old_password": wrong, "new_password": newPassword}), code, message)
		s.clock.Advance(5 * time.Minute)
	}
	s.wantFresh(t, "as it is", s.reauth(t, in.Token, object{"password": long}))
	s.wantFresh(t, "hashed", s.reauth(t, in.Token, object{"password": hashed(long), "hashed": true}))
	wantBody(t, "a change to a longer one", s.post(t, in.Token, passwordRoute, object{"old_password": long, "new_password": long + long[1:]}), succeeded(`{"api_keys":0}`))
	wantRefused(t, "the old one", s.signIn(t, object{"username": "alice", "password": long}), 400, badLogin)
	wantRefused(t, "the new one but for its last blank", s.signIn(t, object{"username": "alice", "password": long + strings.TrimSpace(long)}), 400, badLogin)
	s.SignIn(t, "alice", long+long[1:], "phone")
}

// The owner's device answers to a budget of its own, which strangers cannot use
// up, nor it theirs.
func TestReauthIsThrottledAsASignInOfTheDevice(t *testing.T) {
	s := open(t)
	laptop, phone := s.Admin(t, "laptop"), s.Admin(t, "phone")
	for i := range 30 {
		s.guess(t, "admin", fmt.Sprintf("198.51.100.%d", i+1))
	}
	s.wantFresh(t, "after guesses from elsewhere", s.reauth(t, laptop.Token, object{"password": password}))
	from := func(address, token, plain string) servertest.Reply {
		t.Helper()
		return s.Do(t, servertest.Request{Path: reauthRoute, Token: token, From: address, Body: object{"password": plain}})
	}
	const stolen = "198.51.100.77"
	for i := range 10 {
		wantRefused(t, fmt.Sprintf("guess %d with a stolen token", i+1), from(stolen, laptop.Token, "wrong horse battery"), 400, badLogin)
	}
	got := from(stolen, laptop.Token, password)
	wantRefused(t, "the right password then", got, http.StatusTooManyRequests, tooMany)
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for what, token := range map[string]string{"the owner's other device": phone.Token, "the device at a known address": laptop.Token} {
		s.wantFresh(t, what, from("192.0.2.1", token, password))
	}
	s.clock.Advance(5 * time.Minute)
	s.wantFresh(t, "five minutes later", from(stolen, laptop.Token, password))
}

func TestReauthWithoutACodeIsNoFailure(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	secret := s.enrol(t, in.Token)
	for range 25 {
		wantRefused(t, "without a code", s.reauth(t, in.Token, object{"password": password}), 402, needCode)
	}
	s.wantFresh(t, "with one", s.reauth(t, in.Token, object{"password": password, "otp_code": s.code(secret)}))
	for i := 0; ; i++ {
		s.clock.Advance(time.Minute)
		got := s.reauth(t, in.Token, object{"password": password, "otp_code": "abcdef"})
		if got.Code == http.StatusTooManyRequests {
			break
		}
		wantRefused(t, "a wrong code", got, 402, needCode)
		if i > 30 {
			t.Fatal("wrong codes are not limited")
		}
	}
}

// presented is the caller as a door finds it.
func (s *site) presented(t *testing.T, in servertest.SignedIn) access.Caller {
	t.Helper()
	l, err := s.App.Sessions.Resolve(t.Context(), session.Presented{Token: in.Token})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.App.Accounts.Snapshot(t.Context(), l.AccountKey)
	if err != nil {
		t.Fatal(err)
	}
	return access.Caller{Kind: access.SessionToken, Account: a, DeviceKey: l.DeviceKey, LoginID: l.ID, FreshAt: l.FreshAt, Address: "192.0.2.1"}
}

// The caller's end came between the check of the token and the proof: the answer
// is what the token gets from now on (rulings 19), and nothing has changed.
func TestWhoEndedMeanwhileProvesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(t *testing.T, s *site, in servertest.SignedIn)
		want string
	}{
		"evicted": {func(t *testing.T, s *site, in servertest.SignedIn) {
			t.Helper()
			wantDone(t, "evict", s.post(t, in.Token, evictRoute, object{"session_id": in.DeviceKey}))
		}, inactive},
		"disabled": {func(t *testing.T, s *site, _ servertest.SignedIn) { t.Helper(); s.setDisabled(t, "alice", true) }, disabled},
		"deleted": {func(t *testing.T, s *site, _ servertest.SignedIn) {
			t.Helper()
			if err := s.App.Accounts.Delete(t.Context(), s.key(t, "alice")); err != nil {
				t.Fatal(err)
			}
		}, invalid},
		"expired": {func(t *testing.T, s *site, _ servertest.SignedIn) { t.Helper(); s.clock.Advance(48 * time.Hour) }, expired},
		"password touched, not changed": {func(t *testing.T, s *site, _ servertest.SignedIn) {
			t.Helper()
			if err := s.App.Profile.SetPassword(t.Context(), s.key(t, "alice"), password); err != nil {
				t.Fatal(err)
			}
		}, changed},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.AddUser(t, "alice")
			in := s.SignIn(t, "alice", password, "laptop")
			by := s.presented(t, in)
			tt.end(t, s, in)
			refused := func(what string, err error) {
				t.Helper()
				if f := fault.Of(err); f.Kind != fault.Unauthenticated || f.Text != tt.want {
					t.Errorf("%s = %v, want %s", what, err, tt.want)
				}
			}
			_, err := s.App.Profile.Login.Reauthenticate(t.Context(), by, login.Proof{Password: password})
			refused("Reauthenticate", err)
			refused("Ended", s.App.Profile.Login.Ended(t.Context(), by))
			err = s.App.Profile.Login.Prove(t.Context(), by, login.Proof{Password: password}, func(a model.Account) error {
				_, err := s.App.Sessions.Freshen(t.Context(), by, a.Epoch)
				return err
			})
			refused("Prove", err)
			s.wantDead(t, "its token", in.Token, tt.want)
		})
	}
}

// Tokens of whatever kind that are no login's can never be fresh (K-05).
func TestOnlyALoginCanBeProven(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	in := s.Admin(t, "laptop")
	by := s.presented(t, in)
	for name, token := range map[string]string{"the static token": s.App.AdminToken(), "a guest": ""} {
		wantRefused(t, name, s.reauth(t, token, object{"password": password}), http.StatusForbidden, notFresh)
		wantRefused(t, name+" with a wrong password", s.reauth(t, token, object{"password": "x"}), http.StatusForbidden, notFresh)
	}
	for name, token := range map[string]string{"garbage": "garbage", "a device key": in.DeviceKey, "a login's id": by.LoginID, "a hash": hashed(password)} {
		wantRefused(t, name, s.reauth(t, token, object{"password": password}), http.StatusUnauthorized, invalid)
	}
	for kind := range access.CredentialKind(20) {
		other := by
		other.Kind = kind
		if kind == access.SessionToken {
			continue
		}
		want := access.ErrNotFresh
		if other.IsDelegated() {
			want = access.ErrFirstParty
		}
		if _, err := s.App.Profile.Login.Reauthenticate(t.Context(), other, login.Proof{Password: password}); !errors.Is(err, want) {
			t.Errorf("credential kind %d: %v, want %v", kind, err, want)
		}
	}
}
