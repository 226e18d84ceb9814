package alist_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/service/totp/totptest"
)

// replacement is a secret that was issued beside the enrolled one.
func (s *site) replacement(t testing.TB, token string) string {
	t.Helper()
	var made enrolment
	s.post(t, token, generateRoute, object{"replace": true}).Into(t, &made)
	return made.Secret
}

func TestReplacingTakesEffectAtOnce(t *testing.T) { // T-08, T-09
	s := open(t)
	old := s.enrol(t, s.Admin(t, "").Token)
	signIn := func(secret string) object {
		return object{"username": "admin", "password": password, "otp_code": s.code(secret)}
	}
	var caller, other struct{ Token string }
	s.signIn(t, signIn(old)).Into(t, &caller)
	s.clock.Advance(30 * time.Second)
	s.signIn(t, signIn(old)).Into(t, &other)

	wantRefused(t, "generate as AList's page does", s.post(t, caller.Token, generateRoute, nil), http.StatusBadRequest, onAlready)
	wantRefused(t, "generate with replace off", s.post(t, caller.Token, generateRoute, object{"replace": false}), http.StatusBadRequest, onAlready)
	next := s.replacement(t, caller.Token)
	s.clock.Advance(30 * time.Second)
	if got := s.signIn(t, signIn(old)); got.Code != http.StatusOK {
		t.Errorf("the old factor while one is pending: %s", got.Text)
	}
	wantRefused(t, "the pending one", s.signIn(t, signIn(next)), http.StatusPaymentRequired, needCode)
	s.clock.Advance(30 * time.Second)
	proof := object{"code": s.code(next), "secret": next}
	wantDone(t, "verify", s.post(t, caller.Token, verifyRoute, proof))

	s.wantAlive(t, "the caller", caller.Token, "admin")
	s.wantDead(t, "another login", other.Token, inactive)
	wantRefused(t, "the old factor", s.signIn(t, signIn(old)), http.StatusPaymentRequired, needCode)
	wantRefused(t, "the code of the proof", s.signIn(t, signIn(next)), http.StatusPaymentRequired, needCode)
	s.clock.Advance(30 * time.Second)
	if got := s.signIn(t, signIn(next)); got.Code != http.StatusOK {
		t.Errorf("the next code: %s", got.Text)
	}
	wantRefused(t, "verify again", s.post(t, caller.Token, verifyRoute, proof), http.StatusBadRequest, onAlready)
}

// T-08: a stolen token that is not fresh changes nothing, at either step.
func TestReplacingNeedsAFreshLogin(t *testing.T) {
	s := open(t)
	token := s.Admin(t, "").Token
	s.enrol(t, token)
	next := s.replacement(t, token)
	s.clock.Advance(10*time.Minute - 30*time.Second)
	wantRefused(t, "generate", s.post(t, token, generateRoute, object{"replace": true}), http.StatusForbidden, notRecent)
	wantRefused(t, "verify", s.post(t, token, verifyRoute, object{"code": s.code(next), "secret": next}), http.StatusForbidden, notRecent)
	static := s.App.AdminToken()
	wantRefused(t, "generate by the static token", s.post(t, static, generateRoute, object{"replace": true}), http.StatusForbidden, notRecent)
	wantRefused(t, "verify by the static token", s.post(t, static, verifyRoute, object{"code": s.code(next), "secret": next}), http.StatusForbidden, notRecent)
	wantRefused(t, "a text for replace", s.post(t, token, generateRoute, object{"replace": "true"}), http.StatusBadRequest, `field "replace" must be true or false`)
}

func TestDisablingTakesEffectAtOnce(t *testing.T) { // T-09, rulings 21
	s := open(t)
	caller := s.Admin(t, "laptop")
	secret := s.enrol(t, caller.Token)
	codes := s.recoveryCodes(t, caller.Token)
	var other struct{ Token string }
	s.signIn(t, object{"username": "admin", "password": password, "otp_code": s.code(secret)}).Into(t, &other)
	wantDone(t, "disable", s.post(t, caller.Token, disableRoute, nil))
	s.wantAlive(t, "the caller", caller.Token, "admin")
	s.wantDead(t, "another login", other.Token, inactive)
	if got := s.signIn(t, object{"username": "admin", "password": password}); got.Code != http.StatusOK {
		t.Errorf("the password alone: %s", got.Text)
	}
	wantRefused(t, "disable again", s.post(t, caller.Token, disableRoute, nil), http.StatusBadRequest, notOn)

	s.enrol(t, caller.Token)
	wantRefused(t, "the password alone", s.signIn(t, object{"username": "admin", "password": password}), http.StatusPaymentRequired, needCode)
	got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": codes[0]})
	wantRefused(t, "a recovery code of the factor before", got, http.StatusPaymentRequired, needCode)
}

// T-09: what an admin cancels and an owner enrols counts at once, whatever is
// remembered of the account.
func TestEnrollingAndCancellingTakeEffectAtOnce(t *testing.T) {
	s := open(t)
	s.AddUser(t, "alice")
	admin := s.Admin(t, "").Token
	for range 3 {
		alice := s.SignIn(t, "alice", password, "").Token
		s.wantAlive(t, "alice", alice, "alice")
		s.enrol(t, alice)
		s.recoveryCodes(t, alice)
		if me := s.get(t, alice, "/api/me"); !strings.Contains(me.Text, `"otp":true`) {
			t.Errorf("/api/me after enrolling: %s", me.Text)
		}
		wantRefused(t, "the password alone", s.signIn(t, object{"username": "alice", "password": password}), http.StatusPaymentRequired, needCode)
		wantDone(t, "cancel", s.post(t, admin, cancelRoute+"?id=3", nil))
		s.wantDead(t, "alice's login", alice, inactive)
		got := s.signIn(t, object{"username": "alice", "password": password})
		if got.Code != http.StatusOK {
			t.Errorf("the password alone after cancelling: %s", got.Text)
		}
		var in struct{ Token string }
		got.Into(t, &in)
		s.wantStatus(t, "after cancelling", in.Token, `{"enabled":false,"enrolled_at":null,"recovery_codes_left":0,"recovery_codes_created_at":null}`)
	}
}

func TestClockThatIsOffIsToldAtEnrolmentOnly(t *testing.T) {
	var log bytes.Buffer
	s := open(t, func(_ *config.Config, o *server.Options) { o.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	token := s.Admin(t, "").Token
	secret := s.generate(t, token).Secret
	late := func() string { return totptest.Code(secret, s.clock.Now().Add(-3*time.Minute)) }
	wantRefused(t, "verify", s.post(t, token, verifyRoute, object{"code": late(), "secret": secret}), http.StatusBadRequest,
		"Invalid 2FA code: the clock of your device is about 3 minutes behind, set it to automatic")
	wantDone(t, "verify", s.post(t, token, verifyRoute, object{"code": s.code(secret), "secret": secret}))
	s.clock.Advance(10 * time.Minute)
	log.Reset()
	got := s.signIn(t, object{"username": "admin", "password": password, "otp_code": late()})
	wantRefused(t, "sign-in", got, http.StatusPaymentRequired, needCode)
	var event struct {
		Event   string
		Reason  string
		Seconds int `json:"clock_ahead_seconds"`
	}
	if err := json.Unmarshal([]byte(lineWith(log.String(), `"sign_in_refused"`)), &event); err != nil {
		t.Fatalf("no event in %s: %v", &log, err)
	}
	if event.Reason != "clock_drift" || event.Seconds != -180 {
		t.Errorf("the log has %+v, want that the clock is 180 s behind", event)
	}
}

// The log has who used a recovery code, from where, and how many are left; not
// the code (T-10).
func TestUsedRecoveryCodeIsInTheLog(t *testing.T) {
	var log bytes.Buffer
	s := open(t, func(_ *config.Config, o *server.Options) { o.Log = slog.New(slog.NewJSONHandler(&log, nil)) })
	token := s.Admin(t, "").Token
	s.enrol(t, token)
	code := s.recoveryCodes(t, token)[0]
	s.signIn(t, object{"username": "admin", "password": password, "otp_code": code})
	var event struct {
		Peer    string
		Account string `json:"account_key"`
		Left    int    `json:"codes_left"`
	}
	if err := json.Unmarshal([]byte(lineWith(log.String(), `"recovery_code_used"`)), &event); err != nil {
		t.Fatalf("no event in %s: %v", &log, err)
	}
	if event.Peer == "" || event.Account != s.key(t, "admin") || event.Left != 9 {
		t.Errorf("the log has %+v, want the account, its address and 9 codes left", event)
	}
	if plain := strings.ReplaceAll(code, "-", ""); strings.Contains(strings.ReplaceAll(log.String(), "-", ""), plain) {
		t.Error("the code is in the log")
	}
	if lineWith(log.String(), `"recovery_codes_renewed"`) == "" {
		t.Error("the renewal is not in the log")
	}
}

// lineWith is the first line of the text that has the part.
func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}
