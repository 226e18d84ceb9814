package alist_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	throttledRoute = "/api/admin/throttle/list"
	liftRoute      = "/api/admin/throttle/lift"
	liftMineRoute  = "/api/me/throttle/lift"
)

// besieged is a server on which somebody guessed at ann until unknown places
// were shut out, and then at nobody until their address was.
func besieged(t testing.TB) *site {
	t.Helper()
	s := open(t)
	s.AddUser(t, "ann")
	for i := range 15 {
		name := "ann"
		if i >= 10 {
			name = fmt.Sprintf("not a user %d", i)
		}
		wantRefused(t, "guess", s.guess(t, name, "2001:db8:1:2::7"), http.StatusBadRequest, badLogin)
	}
	return s
}

func (s *site) throttled(t testing.TB) string {
	t.Helper()
	got := s.get(t, s.App.AdminToken(), throttledRoute)
	if got.Code != http.StatusOK {
		t.Fatalf("list: %s", got.Text)
	}
	return string(got.Data)
}

const (
	annRow = `{"kind":"account","user_id":3,"username":"ann","address":"","blocked_until":"2026-11-20T12:06:00Z","failures":10}`
	netRow = `{"kind":"address","user_id":0,"username":"","address":"2001:db8:1:2::/64","blocked_until":"2026-11-20T12:00:20Z","failures":15}`
)

func TestAdminsSeeWhoIsThrottled(t *testing.T) {
	s := besieged(t)
	if diff := cmp.Diff("["+netRow+","+annRow+"]", s.throttled(t)); diff != "" {
		t.Errorf("the list (-want +got):\n%s", diff)
	}
	s.clock.Advance(20 * time.Second)
	if strings.Contains(s.throttled(t), `"kind":"address"`) {
		t.Error("the address is listed when it may try again")
	}
	s.clock.Advance(time.Hour)
	if got := s.throttled(t); got != "[]" {
		t.Errorf("an hour later the list is %s", got)
	}
}

func TestAdminsLiftAccountsAndAddresses(t *testing.T) {
	s := besieged(t)
	admin := s.App.AdminToken()
	wantDone(t, "lift the address", s.post(t, admin, liftRoute, object{"address": "2001:db8:1:2::1"}))
	if diff := cmp.Diff("["+annRow+"]", s.throttled(t)); diff != "" {
		t.Errorf("the list without the address (-want +got):\n%s", diff)
	}
	wantRefused(t, "another guess", s.guess(t, "not a user", "2001:db8:1:2::7"), http.StatusBadRequest, badLogin)
	wantDone(t, "lift ann", s.post(t, admin, liftRoute, object{"username": "ANN", "address": nil}))
	if got := s.throttled(t); got != "[]" {
		t.Errorf("the list without ann is %s", got)
	}
	wantRefused(t, "another guess at ann", s.guess(t, "ann", "198.51.100.1"), http.StatusBadRequest, badLogin)
}

func TestLiftingNeedsSomebodyToLift(t *testing.T) {
	s := open(t)
	const which = `one of the fields "username" and "address" is required`
	for name, tt := range map[string]struct {
		body    any
		code    int
		message string
	}{
		"nothing":               {nil, 400, "request body is empty"},
		"neither":               {object{}, 400, which},
		"both":                  {object{"username": "admin", "address": "192.0.2.1"}, 400, which},
		"nobody's name":         {object{"username": "nobody"}, 404, "failed find user: record not found"},
		"what is no address":    {object{"address": "nowhere"}, 400, "address must be an IPv4 or IPv6 address"},
		"a network":             {object{"address": "192.0.2.0/24"}, 400, "address must be an IPv4 or IPv6 address"},
		"a number for a name":   {object{"username": 1}, 400, `field "username" must be a string`},
		"a list for an address": {object{"address": []int{1}}, 400, `field "address" must be a string`},
	} {
		t.Run(name, func(t *testing.T) {
			wantRefused(t, name, s.post(t, s.App.AdminToken(), liftRoute, tt.body), tt.code, tt.message)
		})
	}
}

func TestOwnersLiftTheirOwnAccount(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	phone := s.SignIn(t, "ann", password, "phone")
	for i := range 10 {
		s.guess(t, "ann", fmt.Sprintf("198.51.100.%d", i))
		s.guess(t, "admin", fmt.Sprintf("198.51.100.%d", i))
	}
	wantRefused(t, "ann elsewhere", s.guess(t, "ann", "203.0.113.1"), http.StatusTooManyRequests, tooMany)
	wantDone(t, "lift", s.post(t, phone.Token, liftMineRoute, nil))
	wantRefused(t, "ann elsewhere, afterwards", s.guess(t, "ann", "203.0.113.1"), http.StatusBadRequest, badLogin)
	wantRefused(t, "another account, afterwards", s.guess(t, "admin", "203.0.113.1"), http.StatusTooManyRequests, tooMany)
}

func TestOnlyTheSignedInLiftTheirOwnAccount(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	ann := s.SignIn(t, "ann", password, "phone").Token
	wantRefused(t, "the static token", s.post(t, s.App.AdminToken(), liftMineRoute, nil), http.StatusForbidden, "Sign in to lift the limits of your account")
	wantRefused(t, "nobody", s.post(t, "", liftMineRoute, nil), http.StatusUnauthorized, noGuests)
	wantRefused(t, "garbage", s.post(t, "garbage", liftMineRoute, nil), http.StatusUnauthorized, invalid)
	wantRefused(t, "ann as an admin", s.post(t, ann, liftRoute, object{"username": "ann"}), http.StatusForbidden, "You are not an admin")
	wantRefused(t, "ann's look", s.get(t, ann, throttledRoute), http.StatusForbidden, "You are not an admin")
	s.enableGuest(t)
	wantRefused(t, "the guest", s.post(t, "", liftMineRoute, nil), http.StatusForbidden, "Guest user can not update profile")
}

// T-05: wrong codes after the right password are limited, per place and in all;
// a missing code is none.
func TestWrongCodesAreStopped(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	secret := s.enrol(t, s.SignIn(t, "ann", password, "phone").Token)
	try := func(code, from string) (int, string) {
		t.Helper()
		got := s.signInWith(t, "ann", code, from)
		return got.Code, got.Text
	}
	for range 30 {
		if code, text := try("", "198.51.100.1"); code != http.StatusPaymentRequired {
			t.Fatalf("a missing code: %s", text)
		}
	}
	for i := range 5 {
		if code, text := try("000000", "198.51.100.1"); code != http.StatusPaymentRequired {
			t.Fatalf("wrong code %d from one address: %s", i+1, text)
		}
	}
	if code, text := try(s.code(secret), "198.51.100.1"); code != http.StatusTooManyRequests {
		t.Errorf("the right code after five wrong ones: %s", text)
	}
	if code, text := try(s.code(secret), "198.51.100.2"); code != http.StatusOK {
		t.Errorf("the right code from elsewhere: %s", text)
	}
	looked := 5
	for i := range 40 {
		if code, _ := try("000000", fmt.Sprintf("203.0.113.%d", i+1)); code == http.StatusPaymentRequired {
			looked++
		}
	}
	if looked > 20 || looked <= 5 { // they count as failures of the account, too
		t.Errorf("%d wrong codes were looked at, want at most 20", looked)
	}
}
