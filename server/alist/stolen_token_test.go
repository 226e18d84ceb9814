package alist_test

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"latchkey/server/servertest"
)

// Whoever holds somebody's token may guess at the password that would make it
// fresh, so they must not be able to make the budget whole again.
func TestAStaleTokenDoesNotLiftItsOwnGuesses(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	ann := s.SignIn(t, "ann", password, "phone").Token
	s.clock.Advance(10 * time.Minute)
	for range 10 {
		wantRefused(t, "a guess", s.reauth(t, ann, object{"password": "wrong horse battery"}), http.StatusBadRequest, badLogin)
	}
	wantDone(t, "lift", s.post(t, ann, liftMineRoute, nil))
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

// T-08, rulings 20: what needs a proof at /api/me and /api/auth is not to be had
// without one at /api/admin, for the admin's own account.
func TestAdminsProveThemselvesForTheirOwnAccount(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	token := s.Admin(t, "desk").Token
	secret := s.enrol(t, token)
	const own, others = 2, 3
	self := func(more object) object {
		body := object{"id": own, "username": "admin", "email": "", "password": ""}
		maps.Copy(body, more)
		return body
	}
	s.clock.Advance(10 * time.Minute)
	for what, body := range map[string]object{
		"a password":        {"password": newPassword},
		"an address":        {"email": "mallory@example.org", "email_verified": true},
		"an address, alone": {"email": "mallory@example.org"},
	} {
		wantRefused(t, what, s.post(t, token, userUpdateRoute, self(body)), http.StatusForbidden, notFresh)
	}
	wantRefused(t, "cancel", s.post(t, token, fmt.Sprintf("%s?id=%d", cancelRoute, own), nil), http.StatusForbidden, notFresh)
	wantRefused(t, "lift", s.post(t, token, liftRoute, object{"username": "Admin"}), http.StatusForbidden, notFresh)
	wantDone(t, "lift somebody else", s.post(t, token, liftRoute, object{"username": "ann"}))
	wantDone(t, "nothing of importance", s.post(t, token, userUpdateRoute, self(object{"sso_id": "x"})))
	wantDone(t, "somebody else's password", s.post(t, token, userUpdateRoute, object{"id": others, "username": "ann", "password": newPassword}))
	wantDone(t, "somebody else's factor", s.post(t, token, fmt.Sprintf("%s?id=%d", cancelRoute, others), nil))
	wantDone(t, "by the static token", s.act(t, userUpdateRoute, self(object{"email": "admin@example.org"})))

	s.wantFresh(t, "the proof", s.reauth(t, token, object{"password": password, "otp_code": s.code(secret)}))
	wantRefused(t, "a factor that is on", s.signIn(t, object{"username": "admin", "password": password}), http.StatusPaymentRequired, needCode)
	wantDone(t, "cancel, proven", s.post(t, token, fmt.Sprintf("%s?id=%d", cancelRoute, own), nil))
	wantDone(t, "a password, proven", s.post(t, token, userUpdateRoute, object{"id": own, "username": "admin", "password": newPassword}))
}

// Any signed-in device lets unknown places try again, where its owner may be
// (ruling 26).
func TestAStaleTokenLiftsWhatUnknownPlacesDid(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	ann := s.SignIn(t, "ann", password, "phone").Token
	s.clock.Advance(time.Hour)
	try := func(plain string, i int) servertest.Reply {
		return s.Do(t, servertest.Request{
			Path: plainRoute, From: fmt.Sprintf("198.51.100.%d", i), Body: object{"username": "ann", "password": plain},
		})
	}
	for i := range 10 {
		wantRefused(t, "a guess", try("wrong horse battery", i), http.StatusBadRequest, badLogin)
	}
	wantRefused(t, "the owner from elsewhere", try(password, 10), http.StatusTooManyRequests, tooMany)
	wantDone(t, "lift", s.post(t, ann, liftMineRoute, nil))
	if got := try(password, 10); got.Code != http.StatusOK {
		t.Errorf("the owner from elsewhere, afterwards: %s", got.Text)
	}
}

// A fresh token lifts, but not again and again: its holder would guess on.
func TestOwnersLiftAFewTimes(t *testing.T) {
	s := open(t)
	s.AddUser(t, "ann")
	ann := s.SignIn(t, "ann", password, "phone").Token
	for i := range 3 {
		for range 10 {
			wantRefused(t, "a guess", s.reauth(t, ann, object{"password": "wrong horse battery"}), http.StatusBadRequest, badLogin)
		}
		wantDone(t, fmt.Sprintf("lift %d", i+1), s.post(t, ann, liftMineRoute, nil))
	}
	got := s.post(t, ann, liftMineRoute, nil)
	wantRefused(t, "one more lift", got, http.StatusTooManyRequests, tooMany)
	if after := got.Header.Get("Retry-After"); after != "1200" {
		t.Errorf("Retry-After is %q, want 1200", after)
	}
	wantDone(t, "by an admin", s.post(t, s.App.AdminToken(), liftRoute, object{"username": "ann"}))
	wantDone(t, "afterwards", s.post(t, ann, liftMineRoute, nil))
}
