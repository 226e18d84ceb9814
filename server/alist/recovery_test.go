package alist_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
	"latchkey/service/racetest"
)

const (
	recoveryRoute = "/api/auth/2fa/recovery_codes"
	statusRoute   = "/api/auth/2fa/status"
	disableRoute  = "/api/auth/2fa/disable"

	notRecent = "Recent sign-in required"
	notOn     = "2FA is not enabled"
	onAlready = "2FA is already enabled"
	noGuest   = "Guest user can not generate 2FA code"
)

func (s *site) recoveryCodes(t testing.TB, token string) []string {
	t.Helper()
	var made struct{ Codes []string }
	s.post(t, token, recoveryRoute, nil).Into(t, &made)
	if len(made.Codes) != 10 {
		t.Fatalf("%d codes, want 10", len(made.Codes))
	}
	return made.Codes
}

func (s *site) wantStatus(t testing.TB, what, token, data string) {
	t.Helper()
	wantBody(t, what, s.get(t, token, statusRoute), `{"code":200,"message":"success","data":`+data+`}`)
}

// T-10: shown once, ten of them, and not stored by anybody on the way.
func TestRecoveryCodesAreShownOnce(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	s.enrol(t, token)
	got := s.post(t, token, recoveryRoute, nil) // no body and no Content-Type
	form := regexp.MustCompile(`^\{"code":200,"message":"success","data":\{"codes":\[("[0-9a-z]{4}(-[0-9a-z]{4}){3}",?){10}\]\}\}$`)
	if got.Status != http.StatusOK || !form.MatchString(got.Text) {
		t.Errorf("HTTP %d %s, want %s", got.Status, got.Text, form)
	}
	for path, got := range map[string]servertest.Reply{
		recoveryRoute: got, statusRoute: s.get(t, token, statusRoute), disableRoute: s.post(t, token, disableRoute, "{}"),
	} {
		if cache := got.Header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("%s: Cache-Control %q, want no-store", path, cache)
		}
	}
}

// A recovery code signs in by every way that takes a code (T-10).
func TestRecoveryCodeSignsIn(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	s.enrol(t, token)
	codes := s.recoveryCodes(t, token)
	form := map[string]string{"Content-Type": formType}
	spaced := strings.ReplaceAll(codes[5], "-", "+")
	requests := []servertest.Request{
		{Path: plainRoute, Body: object{"username": "admin", "password": password, "otp_code": codes[0]}},
		{Path: plainRoute, Body: object{"username": "admin", "password": password, "opt_code": strings.ToUpper(codes[1])}},
		{Path: hashRoute, Body: object{"username": "admin", "password": hashed(password), "otp_code": " " + codes[2] + " "}},
		{Path: plainRoute, Header: form, Body: "username=admin&password=" + passwordInQuery + "&otp_code=" + codes[3]},
		{Path: hashRoute, Header: form, Body: "Username=admin&Password=" + hashed(password) + "&OtpCode=" + codes[4]},
		{Path: plainRoute + "?Username=admin&Password=" + passwordInQuery + "&OtpCode=" + spaced},
	}
	for i, r := range requests {
		r.Method = http.MethodPost
		if got := s.Do(t, r); got.Code != http.StatusOK {
			t.Errorf("request %d with a recovery code: %s", i, got.Text)
		}
		wantRefused(t, fmt.Sprintf("request %d with the same code", i), s.Do(t, r), http.StatusPaymentRequired, needCode)
	}
	s.wantStatus(t, "after six uses", token, `{"enabled":true,"enrolled_at":"2026-11-20T12:00:00Z","recovery_codes_left":4,"recovery_codes_created_at":"2026-11-20T12:00:30Z"}`)
	in := s.signIn(t, object{"username": "admin", "password": "wrong horse battery", "otp_code": codes[6]})
	wantRefused(t, "a wrong password with a right recovery code", in, http.StatusBadRequest, badLogin)
	if got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": codes[6]}); got.Code != http.StatusOK {
		t.Errorf("the code that a wrong password did not spend: %s", got.Text)
	}
}

// A login that a recovery code made is fresh: whoever lost their phone can
// replace the factor in the same minute (rulings 22).
func TestRecoveredOwnerReplacesTheFactor(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	s.enrol(t, token)
	codes := s.recoveryCodes(t, token)
	s.clock.Advance(24 * time.Hour)
	wantRefused(t, "the old login", s.post(t, token, generateRoute, object{"replace": true}), http.StatusForbidden, notRecent)
	var in servertest.SignedIn
	s.signIn(t, object{"username": "admin", "password": password, "otp_code": codes[0]}).Into(t, &in)
	made := s.replacement(t, in.Token)
	wantDone(t, "verify", s.post(t, in.Token, verifyRoute, object{"code": s.code(made), "secret": made}))
	s.wantDead(t, "the old login", token, inactive)
	got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": codes[1]})
	wantRefused(t, "a recovery code of the replaced factor", got, http.StatusPaymentRequired, needCode)
}

func TestStatusOfTheSecondFactor(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	const off = `{"enabled":false,"enrolled_at":null,"recovery_codes_left":0,"recovery_codes_created_at":null}`
	s.wantStatus(t, "without one", token, off)
	s.generate(t, token)
	s.wantStatus(t, "with a pending one", token, off)
	s.enrol(t, token)
	s.wantStatus(t, "with one", token, `{"enabled":true,"enrolled_at":"2026-11-20T12:00:00Z","recovery_codes_left":0,"recovery_codes_created_at":null}`)
	s.recoveryCodes(t, token)
	on := `{"enabled":true,"enrolled_at":"2026-11-20T12:00:00Z","recovery_codes_left":10,"recovery_codes_created_at":"2026-11-20T12:00:30Z"}`
	s.wantStatus(t, "with codes", token, on)
	s.wantStatus(t, "to the static token, the admin's too", s.App.AdminToken(), on)
	wantDone(t, "disable", s.post(t, token, disableRoute, nil))
	s.wantStatus(t, "without it again", token, off)
}

func TestRefusalsOfRecoveryAndDisabling(t *testing.T) {
	s := open(t)
	s.enableGuest(t)
	s.AddUser(t, "alice")
	alice := s.SignIn(t, "alice", password, "").Token
	admin := s.Admin(t, "").Token
	s.enrol(t, admin)
	s.clock.Advance(5 * time.Minute)
	for _, path := range []string{recoveryRoute, disableRoute} {
		wantRefused(t, path+" of a guest", s.post(t, "", path, nil), http.StatusForbidden, noGuest)
		wantRefused(t, path+" without a factor", s.post(t, alice, path, nil), http.StatusBadRequest, notOn)
		wantRefused(t, path+" by the static token", s.post(t, s.App.AdminToken(), path, nil), http.StatusForbidden, notRecent)
		wantRefused(t, path+" with garbage for a token", s.post(t, "garbage", path, nil), http.StatusUnauthorized, invalid)
		wantRefused(t, path+" with a list", s.post(t, admin, path, "[]"), http.StatusBadRequest, "request body must be a JSON object")
	}
	wantRefused(t, "status of a guest", s.get(t, "", statusRoute), http.StatusForbidden, noGuest)
	wantRefused(t, "status with garbage for a token", s.get(t, "garbage", statusRoute), http.StatusUnauthorized, invalid)
	s.clock.Advance(5 * time.Minute)
	for _, path := range []string{recoveryRoute, disableRoute} {
		wantRefused(t, path+" ten minutes after the sign-in", s.post(t, admin, path, nil), http.StatusForbidden, notRecent)
	}
	s.wantStatus(t, "after all that", admin, `{"enabled":true,"enrolled_at":"2026-11-20T12:00:00Z","recovery_codes_left":0,"recovery_codes_created_at":null}`)
}

// T-10: recovery codes are limited together with one-time codes, for all
// addresses together (T-05).
func TestGuessedRecoveryCodesAreStopped(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	secret := s.enrol(t, token)
	codes := s.recoveryCodes(t, token)
	guesses := 0
	for ; guesses < 30; guesses++ {
		wrong := []string{"000000", fmt.Sprintf("zzzz-zzzz-zzzz-%04d", guesses)}[guesses%2]
		got := s.Do(t, servertest.Request{
			Path: plainRoute, From: fmt.Sprintf("198.51.%d.1", guesses), Body: object{"username": "admin", "password": password, "otp_code": wrong},
		})
		if got.Code == http.StatusTooManyRequests {
			break
		}
		wantRefused(t, "a guess", got, http.StatusPaymentRequired, needCode)
	}
	if guesses > 20 {
		t.Errorf("%d codes could be guessed, want at most 20", guesses)
	}
	for name, code := range map[string]string{"a right recovery code": codes[0], "a right code": s.code(secret)} {
		got := s.Do(t, servertest.Request{
			Path: plainRoute, From: "198.51.200.1", Body: object{"username": "admin", "password": password, "otp_code": code},
		})
		wantRefused(t, name+" from elsewhere", got, http.StatusTooManyRequests, tooMany)
	}
}

// T-10.
func TestParallelSignInsWithOneRecoveryCodeSucceedOnce(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	s.enrol(t, token)
	code := s.recoveryCodes(t, token)[0]
	replies := make([]servertest.Reply, 8)
	racetest.AtOnce(len(replies), func(i int) {
		replies[i] = s.signIn(t, object{"username": "admin", "password": password, "otp_code": code})
	})
	fine := 0
	for _, got := range replies {
		switch got.Code {
		case http.StatusOK:
			fine++
		case http.StatusPaymentRequired, http.StatusTooManyRequests:
		default:
			t.Errorf("answered %s", got.Text)
		}
	}
	if fine != 1 {
		t.Errorf("%d sign-ins succeeded, want 1", fine)
	}
}
