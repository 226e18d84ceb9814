package alist_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Whoever holds somebody's token may guess at the password that would make it
// fresh, so they must not be able to make the budget whole again.
func TestAStaleTokenLiftsNothing(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	ann := s.SignIn(t, "ann", password, "phone").Token
	s.clock.Advance(10 * time.Minute)
	for range 10 {
		wantRefused(t, "a guess", s.reauth(t, ann, object{"password": "wrong horse battery"}), http.StatusBadRequest, badLogin)
	}
	wantRefused(t, "lift", s.post(t, ann, liftMineRoute, nil), http.StatusForbidden, notFresh)
	wantRefused(t, "one more guess", s.reauth(t, ann, object{"password": "wrong horse battery"}), http.StatusTooManyRequests, tooMany)

	s.clock.Advance(30 * time.Second)
	s.wantFresh(t, "the owner's proof", s.reauth(t, ann, object{"password": password}))
	wantDone(t, "the owner's lift", s.post(t, ann, liftMineRoute, nil))
}

// A fresh token may set another password, which everybody hears of; it must not
// find out the present one in silence, with new ones that are not taken.
func TestAFreshTokenDoesNotGuessThePassword(t *testing.T) {
	for what, tt := range map[string]struct {
		name    string
		plain   func(i int) string
		message string
	}{
		"by passwords that are too weak": {"ann", func(i int) string { return fmt.Sprintf("weak%d", i) }, ""},
		"under a name that is taken":     {"admin", func(i int) string { return fmt.Sprintf("melon harbour %d", i) }, "username already exists"},
	} {
		t.Run(what, func(t *testing.T) {
			s := open(t)
			s.AddUser(t, "ann")
			ann := s.SignIn(t, "ann", password, "phone").Token
			for i := range 10 {
				got := s.post(t, ann, "/api/me/update", object{"username": tt.name, "password": tt.plain(i)})
				if got.Code != http.StatusBadRequest || tt.message != "" && got.Message != tt.message {
					t.Fatalf("guess %d: %s", i+1, got.Text)
				}
			}
			got := s.post(t, ann, "/api/me/update", object{"username": tt.name, "password": password})
			wantRefused(t, "one more", got, http.StatusTooManyRequests, tooMany)
			s.clock.Advance(30 * time.Second)
			wantDone(t, "another password", s.post(t, ann, "/api/me/update", object{"username": "ann", "password": newPassword}))
		})
	}
}

// The owner's new password is no guess: it takes nothing from the budget.
func TestANewPasswordIsNoFailure(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	plain := password
	for i := range 12 {
		ann := s.SignIn(t, "ann", plain, "phone").Token
		plain = fmt.Sprintf("melon harbour %d", i)
		wantChanged(t, "change", s.change(t, ann, object{"new_password": plain}))
		plain += "!"
		wantDone(t, "update", s.post(t, ann, "/api/me/update", object{"username": "ann", "password": plain}))
	}
}
