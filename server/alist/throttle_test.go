package alist_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"latchkey/server/servertest"
)

const tooMany = "Too many unsuccessful sign-in attempts have been made using an incorrect username or password, Try again later."

// guess signs in from an address with a wrong password.
func (s *site) guess(t testing.TB, username, from string) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{
		Path: plainRoute, From: from, Body: object{"username": username, "password": "wrong horse battery"},
	})
}

func (s *site) signInFrom(t testing.TB, from, clientID string) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{
		Path: plainRoute, From: from, ClientID: clientID, Body: object{"username": "admin", "password": password},
	})
}

func TestGuessesAreStoppedWithTheTimeToWait(t *testing.T) {
	s := open(t)
	for i := range 10 {
		wantRefused(t, fmt.Sprintf("guess %d", i+1), s.guess(t, "admin", "198.51.100.1"), http.StatusBadRequest, badLogin)
	}
	got := s.guess(t, "admin", "198.51.100.1")
	wantRefused(t, "guess 11", got, http.StatusTooManyRequests, tooMany)
	wait, err := strconv.Atoi(got.Header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 3600 {
		t.Fatalf("Retry-After: %q, want seconds", got.Header.Get("Retry-After"))
	}
	wantRefused(t, "the right password", s.signInFrom(t, "198.51.100.1", ""), http.StatusTooManyRequests, tooMany)
	wantRefused(t, "the right password from elsewhere", s.signInFrom(t, "198.51.100.2", ""), http.StatusTooManyRequests, tooMany)
	s.clock.Advance(time.Duration(wait) * time.Second)
	if got := s.signInFrom(t, "198.51.100.2", ""); got.Code != http.StatusOK {
		t.Errorf("the right password after %d s: %s", wait, got.Text)
	}
}

func TestHashRouteSharesTheCountOfGuesses(t *testing.T) {
	s := open(t)
	for range 10 {
		got := s.post(t, "", hashRoute, object{"username": "admin", "password": hashed("wrong horse battery")})
		wantRefused(t, "guess", got, http.StatusBadRequest, badLogin)
	}
	wantRefused(t, "guess by plain password", s.guess(t, "admin", ""), http.StatusTooManyRequests, tooMany)
}

func TestGuessesDoNotShutTheOwnerOut(t *testing.T) {
	s := open(t)
	s.signInFrom(t, "203.0.113.1", "laptop")
	for i := range 30 {
		s.guess(t, "admin", fmt.Sprintf("198.51.100.%d", i+1))
	}
	wantRefused(t, "a stranger", s.signInFrom(t, "198.51.100.99", ""), http.StatusTooManyRequests, tooMany)
	if got := s.signInFrom(t, "203.0.113.1", ""); got.Code != http.StatusOK {
		t.Errorf("the owner from a known address: %s", got.Text)
	}
	if got := s.signInFrom(t, "192.0.2.77", "laptop"); got.Code != http.StatusOK {
		t.Errorf("the owner's known device elsewhere: %s", got.Text)
	}
}

func TestUnknownNamesAreStoppedLikeKnownOnes(t *testing.T) {
	s := open(t)
	for i := range 10 {
		wantRefused(t, "guess", s.guess(t, "nobody", fmt.Sprintf("198.51.100.%d", i+1)), http.StatusBadRequest, badLogin)
	}
	wantRefused(t, "guess 11", s.guess(t, "nobody", "198.51.100.11"), http.StatusTooManyRequests, tooMany)
}

// An address that guesses at one account is stopped at all, and a header does
// not make it another address.
func TestAddressThatGuessesIsStoppedWhateverItClaims(t *testing.T) {
	s := open(t)
	for i := range 15 {
		wantRefused(t, "guess", s.guess(t, fmt.Sprintf("nobody%d", i), "198.51.100.1"), http.StatusBadRequest, badLogin)
	}
	got := s.Do(t, servertest.Request{
		Path: plainRoute, From: "198.51.100.1", Body: object{"username": "admin", "password": password},
		Header: map[string]string{"X-Forwarded-For": "203.0.113.9", "X-Real-Ip": "203.0.113.9"},
	})
	wantRefused(t, "under another address", got, http.StatusTooManyRequests, tooMany)
	if got := s.signInFrom(t, "203.0.113.9", ""); got.Code != http.StatusOK {
		t.Errorf("somebody else: %s", got.Text)
	}
}

// One published client tries the hash of another kind first and then the plain
// password.
func TestClientsThatTryAHashFirstAreNotStopped(t *testing.T) {
	s := open(t)
	for i := range 30 {
		wantRefused(t, "the MD5", s.post(t, "", hashRoute, object{"username": "admin", "password": "5f4dcc3b5aa765d61d8327deb882cf99"}),
			http.StatusBadRequest, badLogin)
		if got := s.signIn(t, object{"username": "admin", "password": password}); got.Code != http.StatusOK {
			t.Fatalf("round %d: %s", i+1, got.Text)
		}
	}
}

// signInWith signs in with the right password and a code.
func (s *site) signInWith(t testing.TB, username, code, from string) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{
		Path: plainRoute, From: from, Body: object{"username": username, "password": password, "otp_code": code},
	})
}
