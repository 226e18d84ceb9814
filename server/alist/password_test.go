package alist_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/racetest"
)

const (
	passwordRoute = "/api/me/password"
	samePassword  = "New password must differ from the present one"
	overtaken     = "Account has been changed meanwhile, try again"
)

func (s *site) change(t testing.TB, token string, body any) servertest.Reply {
	t.Helper()
	return s.post(t, token, passwordRoute, body)
}

func wantChanged(t testing.TB, what string, got servertest.Reply) {
	t.Helper()
	wantBody(t, what, got, succeeded(`{"api_keys":0}`))
}

// the present password, or a fresh login; every other login ends.
func TestPasswordChangeEndsEveryOtherLogin(t *testing.T) {
	for name, tt := range map[string]struct {
		body  object
		kept  bool
		fresh bool // what the change finds and leaves
	}{
		"with the old one":                        {object{"old_password": password}, true, false},
		"with the old one, keeping the caller":    {object{"old_password": password, "keep_current": true}, true, false},
		"with the old one, not saying whom":       {object{"old_password": password, "keep_current": nil}, true, false},
		"with the old one, keeping nobody":        {object{"old_password": password, "keep_current": false}, false, false},
		"with the old one, by a fresh login":      {object{"old_password": password}, true, true},
		"by a fresh login":                        {object{}, true, true},
		"by a fresh login, naming no old one":     {object{"old_password": nil, "otp_code": nil}, true, true},
		"by a fresh login, with an empty old one": {object{"old_password": "", "otp_code": ""}, true, true},
		"by a fresh login, keeping nobody":        {object{"keep_current": false}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.AddUser(t, "bob")
			caller, twin, other, foreign := s.Admin(t, "laptop"), s.Admin(t, "laptop"), s.Admin(t, ""), s.SignIn(t, "bob", password, "")
			if !tt.fresh {
				s.clock.Advance(time.Hour)
			}
			tt.body["new_password"] = newPassword
			wantChanged(t, "change", s.change(t, caller.Token, tt.body))
			s.wantDead(t, "another login of the device", twin.Token, changed)
			s.wantDead(t, "another device", other.Token, changed)
			s.wantAlive(t, "another account", foreign.Token, "bob")
			s.wantAlive(t, "the static token", s.App.AdminToken(), "admin")
			wantRefused(t, "the old password", s.signIn(t, object{"username": "admin", "password": password}), 400, badLogin)
			if !tt.kept {
				s.wantDead(t, "the caller", caller.Token, changed)
				s.SignIn(t, "admin", newPassword, "laptop")
				return
			}
			s.wantAlive(t, "the caller", caller.Token, "admin")
			if ids := s.devices(t, caller.Token); len(ids) != 1 || ids[0] != caller.DeviceKey {
				t.Errorf("devices %v, want the caller's", ids)
			}
			s.SignIn(t, "admin", newPassword, "phone")
		})
	}
}

// A kept login is fresh if it proved itself for the change, and otherwise as
// fresh as it was.
func TestPasswordChangeLeavesFreshWhoProvedIt(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	try := func(what string, fresh bool) {
		t.Helper()
		want := http.StatusForbidden
		if fresh {
			want = http.StatusOK
		}
		if got := s.post(t, in.Token, othersRoute, nil); got.Code != want {
			t.Errorf("%s: %s, want %d", what, got.Text, want)
		}
	}
	s.clock.Advance(10*time.Minute - time.Millisecond)
	wantChanged(t, "by a fresh login", s.change(t, in.Token, object{"new_password": newPassword}))
	try("in its last millisecond", true)
	s.clock.Advance(time.Millisecond)
	try("after it", false)
	wantChanged(t, "with the old one", s.change(t, in.Token, object{"old_password": newPassword, "new_password": password}))
	try("a proof", true)
	s.clock.Advance(10*time.Minute - time.Millisecond)
	try("a proof, in its last millisecond", true)
	secret := s.enrol(t, in.Token) // takes half a minute, and a code that is no proof
	try("after enrolling a second factor", false)
	wantRefused(t, "without a code", s.change(t, in.Token, object{"old_password": password, "new_password": newPassword}), 402, needCode)
	wantChanged(t, "with a code", s.change(t, in.Token, object{"old_password": password, "new_password": newPassword, "otp_code": s.code(secret)}))
	try("a proof with a code", true)
	s.clock.Advance(9 * time.Minute)
	wantChanged(t, "by a fresh login without a code", s.change(t, in.Token, object{"old_password": newPassword, "new_password": password}))
	s.clock.Advance(time.Minute)
	try("ten minutes after the code", false)
}

// Who enrols a second factor with a stale login shows that they have an
// authenticator, not who they are.
func TestEnrollingIsNoProof(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	s.clock.Advance(time.Hour)
	secret := s.enrol(t, in.Token)
	wantRefused(t, "all others", s.post(t, in.Token, othersRoute, nil), http.StatusForbidden, notFresh)
	wantRefused(t, "a new password", s.change(t, in.Token, object{"new_password": newPassword}), http.StatusForbidden, notFresh)
	s.wantFresh(t, "reauth", s.reauth(t, in.Token, object{"password": password, "otp_code": s.code(secret)}))
	wantChanged(t, "then", s.change(t, in.Token, object{"new_password": newPassword}))
}

func TestPasswordChangeRefusals(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	in := s.Admin(t, "laptop")
	s.clock.Advance(time.Hour)
	token := in.Token
	for name, tt := range map[string]struct {
		token   string
		body    any
		code    int
		message string
	}{
		"a wrong old one":                {token, object{"old_password": "wrong horse battery", "new_password": newPassword}, 400, badLogin},
		"the hash for an old one":        {token, object{"old_password": hashed(password), "new_password": newPassword}, 400, badLogin},
		"no old one":                     {token, object{"new_password": newPassword}, 403, notFresh},
		"no old one, with a code":        {token, object{"new_password": newPassword, "otp_code": "123456"}, 403, notFresh},
		"an empty old one":               {token, object{"old_password": "", "new_password": newPassword}, 403, notFresh},
		"the same":                       {token, object{"old_password": password, "new_password": password}, 400, samePassword},
		"two that are wrong alike":       {token, object{"old_password": newPassword, "new_password": newPassword}, 400, samePassword},
		"a short one":                    {token, object{"old_password": password, "new_password": "short"}, 400, "Password too weak: use at least 8 characters"},
		"a new one of 1025 bytes":        {token, object{"old_password": password, "new_password": strings.Repeat("x", 1025)}, 400, "Password is longer than 1024 bytes"},
		"an old one of 1025 bytes":       {token, object{"old_password": strings.Repeat("x", 1025), "new_password": newPassword}, 400, "Password is longer than 1024 bytes"},
		"no new one":                     {token, object{"old_password": password}, 400, `field "new_password" is required`},
		"an empty new one":               {token, object{"old_password": password, "new_password": ""}, 400, `field "new_password" is required`},
		"a number":                       {token, object{"old_password": password, "new_password": 12345678}, 400, `field "new_password" must be a string`},
		"a word for keep_current":        {token, object{"old_password": password, "new_password": newPassword, "keep_current": "no"}, 400, `field "keep_current" must be true or false`},
		"no body":                        {token, nil, 400, "request body is empty"},
		"the static token":               {s.App.AdminToken(), object{"old_password": password, "new_password": newPassword}, 403, notFresh},
		"the static token, no old one":   {s.App.AdminToken(), object{"new_password": newPassword}, 403, notFresh},
		"a guest":                        {"", object{"old_password": "guest", "new_password": newPassword}, 403, notFresh},
		"a guest without a new one":      {"", object{}, 400, `field "new_password" is required`},
		"garbage for a token":            {"garbage", object{"old_password": password, "new_password": newPassword}, 401, invalid},
		"somebody else's name, mine":     {token, object{"username": "guest", "new_password": newPassword}, 403, notFresh},
		"rights on the way, stale login": {token, object{"role": []int{2}, "fresh": true, "new_password": newPassword}, 403, notFresh},
	} {
		wantRefused(t, name, s.change(t, tt.token, tt.body), tt.code, tt.message)
	}
	s.wantAlive(t, "the caller", token, "admin")
	s.wantFresh(t, "reauth", s.reauth(t, token, object{"password": password}))
	wantRefused(t, "the present one, by a fresh login", s.change(t, token, object{"new_password": password}), 400, samePassword)
	wantRefused(t, "a weak one, by a fresh login", s.change(t, token, object{"new_password": "password1"}), 400, "Password too weak: it is among the best-known passwords")
	s.Admin(t, "phone")
}

// A code is not spent on a password that cannot be chosen.
func TestAWeakPasswordSpendsNoCode(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	secret := s.enrol(t, in.Token)
	s.clock.Advance(time.Hour)
	body := object{"old_password": password, "new_password": "short", "otp_code": s.code(secret)}
	wantRefused(t, "a weak one", s.change(t, in.Token, body), 400, "Password too weak: use at least 8 characters")
	body["new_password"] = newPassword
	wantChanged(t, "a good one with the same code", s.change(t, in.Token, body))
}

func TestWrongOldPasswordsAreLimited(t *testing.T) {
	s := open(t)
	in, other := s.Admin(t, "laptop"), s.Admin(t, "phone")
	from := func(token, old string) servertest.Reply {
		t.Helper()
		body := object{"old_password": old, "new_password": newPassword}
		return s.Do(t, servertest.Request{Path: passwordRoute, Token: token, From: "198.51.100.7", Body: body})
	}
	for range 10 { // fresh or not
		wantRefused(t, "a guess", from(in.Token, "wrong horse battery"), 400, badLogin)
		s.clock.Advance(time.Second)
	}
	wantRefused(t, "one more", from(in.Token, "wrong horse battery"), http.StatusTooManyRequests, tooMany)
	wantRefused(t, "the right one", from(in.Token, password), http.StatusTooManyRequests, tooMany)
	wantChanged(t, "the owner's other device", from(other.Token, password))
}

// K-10: not the time of day decides, or a token of the same second would live.
func TestTokensOfTheSameInstantDieWithThePassword(t *testing.T) {
	s := open(t)
	old, caller := s.Admin(t, "phone"), s.Admin(t, "laptop")
	wantChanged(t, "change", s.change(t, caller.Token, object{"old_password": password, "new_password": newPassword}))
	next := s.SignIn(t, "admin", newPassword, "phone")
	s.wantDead(t, "the token from before", old.Token, changed)
	s.wantAlive(t, "the caller's", caller.Token, "admin")
	s.wantAlive(t, "the token from after", next.Token, "admin")
	wantChanged(t, "another in the same instant", s.change(t, next.Token, object{"old_password": newPassword, "new_password": password, "keep_current": false}))
	for what, token := range map[string]string{"the first": old.Token, "the caller's": caller.Token, "the next": next.Token} {
		s.wantDead(t, what, token, changed)
	}
	s.wantAlive(t, "a sign-in after all", s.Admin(t, "laptop").Token, "admin")
}

// Of changes that all know the old password, one counts: then it is the old one
// no more.
func TestOfParallelChangesOneCounts(t *testing.T) {
	s := open(t)
	for round := range 10 {
		name := fmt.Sprintf("user%d", round)
		s.AddUser(t, name)
		tokens := []string{s.SignIn(t, name, password, "laptop").Token, s.SignIn(t, name, password, "phone").Token}
		replies := make([]servertest.Reply, 6)
		racetest.AtOnce(len(replies), func(i int) {
			replies[i] = s.change(t, tokens[i%2], object{"old_password": password, "new_password": fmt.Sprintf("%s %d", newPassword, i)})
		})
		won := -1
		for i, got := range replies {
			switch got.Text {
			case succeeded(`{"api_keys":0}`):
				if won >= 0 {
					t.Errorf("changes %d and %d both count", won, i)
				}
				won = i
			case refusal(400, badLogin), refusal(401, changed):
			default:
				t.Errorf("change %d: %s", i, got.Text)
			}
		}
		if won < 0 {
			t.Fatal("no change counts")
		}
		s.wantAlive(t, "the winner", tokens[won%2], name)
		s.wantDead(t, "the other device", tokens[1-won%2], changed)
		s.SignIn(t, name, fmt.Sprintf("%s %d", newPassword, won), "tablet")
	}
}

func TestOfParallelChangesByAFreshLoginTheLastCounts(t *testing.T) {
	s := open(t)
	in := s.Admin(t, "laptop")
	replies := make([]servertest.Reply, 8)
	racetest.AtOnce(len(replies), func(i int) {
		replies[i] = s.change(t, in.Token, object{"new_password": fmt.Sprintf("%s %d", newPassword, i)})
	})
	epoch, opens := s.stored(t, "admin").Epoch, 0
	for i, got := range replies {
		switch got.Text {
		case succeeded(`{"api_keys":0}`):
			epoch--
		case refusal(400, overtaken):
		default:
			t.Errorf("change %d: %s", i, got.Text)
		}
		reply := s.signIn(t, object{"username": "admin", "password": fmt.Sprintf("%s %d", newPassword, i)})
		if reply.Code == http.StatusOK {
			opens++
			if got.Text != succeeded(`{"api_keys":0}`) {
				t.Errorf("the password of change %d opens, which was refused: %s", i, got.Text)
			}
		}
	}
	if opens != 1 || epoch != 0 {
		t.Errorf("%d of the passwords open, %d changes were not answered, want 1 and 0", opens, epoch)
	}
	s.wantAlive(t, "the caller", in.Token, "admin")
}

// no token of the old password outlives the answer, and list and tokens
// agree.
func TestSignInsRacingAPasswordChange(t *testing.T) {
	s := open(t)
	for round := range 8 {
		name := fmt.Sprintf("user%d", round)
		s.AddUser(t, name)
		caller := s.SignIn(t, name, password, "laptop")
		var (
			mu     sync.Mutex
			tokens []string
		)
		racetest.AtOnce(9, func(i int) {
			if i == 8 {
				wantChanged(t, "change", s.change(t, caller.Token, object{"old_password": password, "new_password": newPassword}))
				return
			}
			body := object{"username": name, "password": password}
			got := s.Do(t, servertest.Request{Path: plainRoute, ClientID: fmt.Sprintf("device%d", i%3), Body: body, From: fmt.Sprintf("198.51.100.%d", i+1)})
			var in servertest.SignedIn
			switch {
			case got.Code == http.StatusOK:
				got.Into(t, &in)
				mu.Lock()
				defer mu.Unlock()
				tokens = append(tokens, in.Token)
			case got.Text != refusal(400, badLogin):
				t.Errorf("a sign-in under way: %s", got.Text)
			}
		})
		for _, token := range tokens {
			s.wantDead(t, "a token of the old password", token, changed)
		}
		s.wantAlive(t, "the caller", caller.Token, name)
		if ids := s.devices(t, caller.Token); len(ids) != 1 || ids[0] != caller.DeviceKey {
			t.Errorf("devices %v, want the caller's", ids)
		}
	}
}
