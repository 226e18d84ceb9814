package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// secretsOf is what a story used and what a log must not hold, by what it is.
type secretsOf map[string]string

// add notes a password in both of its forms.
func (s secretsOf) add(name, password string) string {
	s[name] = password
	s[name+", hashed"] = staticHash(password)
	return password
}

const (
	privateKeyLine = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW"
	privateKey     = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + privateKeyLine + "\n-----END OPENSSH PRIVATE KEY-----\n"
	// owned is what a client sends to write lines of its own.
	owned = "x\nlevel=ERROR msg=owned"
)

// tellStory does all that a server logs, right and wrong, and returns every
// secret it used.
func tellStory(t *testing.T, f *fortress) secretsOf {
	t.Helper()
	s := secretsOf{"admin token": f.App.AdminToken()}
	do := func(r servertest.Request) servertest.Reply {
		t.Helper()
		return f.unchecked(t, r)
	}
	signIn := func(name, password, from, code string) servertest.Reply {
		body := map[string]string{"username": name, "password": password, "otp_code": code}
		return do(servertest.Request{Path: "/api/auth/login", From: from, ClientID: "desk", Body: body})
	}
	var in servertest.SignedIn
	use := func(name string, r servertest.Reply) string {
		t.Helper()
		if r.Code != http.StatusOK {
			t.Fatalf("%s: %s", name, r.Text)
		}
		r.Into(t, &in)
		s[name] = in.Token
		s[name+", signature"] = in.Token[strings.LastIndex(in.Token, ".")+1:]
		return in.Token
	}
	right := s.add("the password", servertest.AdminPassword)
	wrong := s.add("a wrong password", "Tr0ub4dor&3-wrong")
	next := s.add("the next password", "nine lives of a cat")

	signIn("plain", wrong, "198.51.100.1", "")
	signIn("nobody", wrong, "198.51.100.1", "")
	signIn("locked", right, "198.51.100.1", "")
	signIn(owned, wrong, "198.51.100.1", "")
	signIn("x\u202ey\u2028z\u200b", wrong, "198.51.100.1", "")
	signIn(strings.Repeat("long", 10_000), wrong, "198.51.100.1", "")
	do(servertest.Request{Path: "/api/auth/login", From: "198.51.100.1", Body: map[string]string{"username": s.add("a password typed as a name", "In-The-Wrong-Field-77"), "password": "plain"}})
	do(servertest.Request{Path: "/api/auth/login/hash", From: "198.51.100.1", Body: map[string]string{"username": "plain", "password": staticHash(wrong)}})
	do(servertest.Request{Method: http.MethodPost, Path: "/api/auth/login?Username=plain&Password=" + strings.ReplaceAll(wrong, "&", "%26") + "&OtpCode=314159", From: "198.51.100.1"})
	do(servertest.Request{Path: "/api/auth/login?" + strings.ReplaceAll(wrong, "&", "%26"), From: "198.51.100.1", Body: `{"username":"plain","password":"` + wrong + `"`})
	do(servertest.Request{Path: "/api/auth/login", From: "198.51.100.1", Body: "username=plain&password=%zz" + staticHash(wrong), Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	for i := range 30 {
		signIn(fmt.Sprintf("nobody%d", i), wrong, "198.51.100.2", "")
	}
	token := use("a token", signIn("plain", right, "198.51.100.3", ""))
	device := in.DeviceKey

	// Requests that carry secrets where they do not belong.
	do(servertest.Request{Path: "/api/me?token=" + token + "&" + token, Token: token})
	do(servertest.Request{Path: "/api/me?" + f.App.AdminToken() + "=1"})
	do(servertest.Request{Path: "/api/none?api_key=" + token, Token: token + "x"})
	do(servertest.Request{Path: "/api/me", Token: "Basic " + token})
	do(servertest.Request{Path: "/api/me", Header: map[string]string{"Cookie": "token=" + token, "X-Forwarded-For": token, "User-Agent": "a\x1b[31mb\u202e" + token, "Referer": "https://x/?t=" + token, "X-Request-Id": token}})
	do(servertest.Request{Path: "/api/none/%0a%0dlevel=ERROR%20msg=owned%1b%5b31m"})
	do(servertest.Request{Path: "/api/none/%e2%80%ae%c2%85%c2%9b31m"})
	do(servertest.Request{Path: "/api/none?%0alevel=ERROR+msg=owned=1"})
	do(servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: map[string]string{"session_id": token}})
	do(servertest.Request{Path: "/api/admin/session/list", Token: f.App.AdminToken()})

	// The second factor.
	var made struct{ Secret string }
	do(servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(t, &made)
	s["a TOTP secret"] = made.Secret
	s["a wrong code"] = "271828"
	do(servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: map[string]string{"code": "271828", "secret": made.Secret}})
	s["the code of enrolment"] = totptest.Code(made.Secret, f.clock.Now())
	do(servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: map[string]string{"code": s["the code of enrolment"], "secret": made.Secret}})
	f.clock.Advance(time.Minute)
	signIn("plain", right, "198.51.100.3", "")
	signIn("plain", right, "198.51.100.3", "271828")
	s["a code"] = totptest.Code(made.Secret, f.clock.Now())
	token = use("a token by code", signIn("plain", right, "198.51.100.3", s["a code"]))

	var recovery struct{ Codes []string }
	do(servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/recovery_codes", Token: token}).Into(t, &recovery)
	s["a recovery code"], s["an unused recovery code"] = recovery.Codes[0], recovery.Codes[1]
	use("a token by recovery code", signIn("plain", right, "198.51.100.3", s["a recovery code"]))
	signIn("plain", right, "198.51.100.3", s["a recovery code"])

	// Keys.
	s["a private key"] = privateKeyLine
	do(servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: map[string]string{"title": "oops", "key": privateKey}})
	do(servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: map[string]string{"title": "laptop", "key": goodKey}})
	do(servertest.Request{Path: "/api/me/sshkey/add", Token: token, Body: map[string]string{"title": "laptop", "key": goodKey + " " + wrong}})
	id := f.query(t, "SELECT max(id) FROM ssh_keys")[0][0].value
	do(servertest.Request{Method: http.MethodPost, Path: "/api/me/sshkey/delete?id=" + id, Token: token})

	// Proofs once more.
	f.clock.Advance(time.Minute)
	s["a code for a proof"] = totptest.Code(made.Secret, f.clock.Now())
	for _, proof := range []map[string]any{
		{"password": wrong, "otp_code": "271828"},
		{"password": staticHash(wrong), "hashed": true},
		{"password": right, "otp_code": "271828"},
		{"password": right, "otp_code": s["a code for a proof"]},
		{"password": right, "otp_code": []string{s["a code"]}},
	} {
		do(servertest.Request{Path: "/api/auth/reauth", Token: token, Body: proof})
	}
	do(servertest.Request{Path: "/api/me/password", Token: token, Body: map[string]string{"old_password": wrong, "new_password": next}})
	do(servertest.Request{Path: "/api/me/password", Token: token, Body: map[string]string{"old_password": right, "new_password": right}})
	do(servertest.Request{Method: http.MethodPost, Path: "/api/me/sessions/evict_others", Token: token})

	// Ends of devices and passwords.
	admin := use("the admin's token", signIn("admin", right, "198.51.100.4", ""))
	do(servertest.Request{Path: "/api/me/update", Token: token, Body: map[string]string{"username": "plain", "password": s.add("a weak password", "password1")}})
	do(servertest.Request{Path: "/api/me/update", Token: token, Body: map[string]string{"username": "plain", "password": next, "sso_id": owned}})
	f.clock.Advance(time.Minute)
	s["a code for the next password"] = totptest.Code(made.Secret, f.clock.Now())
	token = use("a token by the next password", signIn("plain", next, "198.51.100.3", s["a code for the next password"]))
	do(servertest.Request{Path: "/api/me/sessions/evict", Token: token, Body: map[string]string{"session_id": device}})
	do(servertest.Request{Path: "/api/admin/session/clean", Token: admin, Body: "{}"})
	do(servertest.Request{Path: "/api/auth/logout", Token: admin})
	if _, err := f.App.RotateKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// loggers are the two forms of the log.
func loggers() map[string]func(io.Writer) slog.Handler {
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	return map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, all) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, all) },
	}
}

// The log of everything at debug level holds no secret, and no client writes a
// line or a colour of its own into it (H-13).
func TestLogHoldsNoSecret(t *testing.T) {
	for name, handler := range loggers() {
		t.Run(name, func(t *testing.T) {
			f, codes := town(t, logTo(handler))
			secrets := tellStory(t, f)
			secrets["another TOTP secret"] = codes
			text := f.log.String()
			for what, secret := range secrets {
				held := strings.Contains(text, secret)
				if len(secret) == 6 { // digits that a time or an id may hold by chance
					held = regexp.MustCompile(`(^|[^0-9a-fA-F.])` + secret + `($|[^0-9a-fA-F.])`).MatchString(text)
				}
				if held {
					at := max(strings.Index(text, secret), 0)
					t.Errorf("%s is in the log: %s", what, text[max(at-200, 0):min(at+100, len(text))])
				}
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if whole := regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN) msg=`).MatchString(line) || json.Valid([]byte(line)); !whole {
					t.Errorf("not a line of ours: %.300q", line)
				}
				if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("what a terminal obeys: %.300q", line)
				}
				if len(line) > 2000 {
					t.Errorf("a line of %d bytes: %.300s", len(line), line)
				}
			}
			t.Logf("%d secrets sought in %d lines", len(secrets), strings.Count(text, "\n"))
		})
	}
}

// logTo chooses the form of the fortress's log.
func logTo(handler func(io.Writer) slog.Handler) func(*config.Config, *server.Options) {
	return func(_ *config.Config, o *server.Options) {
		if h, ok := o.Log.Handler().(keptLog); ok {
			o.Log = slog.New(handler(h.buffer))
		}
	}
}

// Each event that matters is there, with who, from where and on which device
// (H-13).
func TestEveryEventIsLogged(t *testing.T) {
	f, _ := town(t, logTo(loggers()["json"]))
	tellStory(t, f)
	plain := f.query(t, "SELECT id FROM accounts WHERE username = 'plain'")[0][0].value
	admin := f.query(t, "SELECT id FROM accounts WHERE username = 'admin'")[0][0].value
	events := auditEvents(t, f.log.String())
	for _, want := range []struct {
		event   string
		account string // "" if nobody is known to have done it
		peer    string
		keys    []string
	}{
		{"signed_in", plain, "198.51.100.3", []string{"device", "username"}},
		{"signed_in", admin, "198.51.100.4", []string{"device", "username"}},
		{"sign_in_refused", plain, "198.51.100.1", []string{"device", "username", "reason"}},
		{"sign_in_refused", plain, "198.51.100.3", []string{"device", "username", "reason"}},
		{"sign_in_refused", "", "198.51.100.1", []string{"reason"}},
		{"sign_in_throttled", "", "198.51.100.2", nil},
		{"two_factor_enabled", plain, "192.0.2.1", []string{"caller_device"}},
		{"ssh_key_added", plain, "192.0.2.1", []string{"caller_device", "fingerprint"}},
		{"ssh_key_deleted", plain, "192.0.2.1", []string{"caller_device", "ssh_key_id"}},
		{"password_changed", plain, "192.0.2.1", []string{"caller_device", "account_key"}},
		{"device_evicted", plain, "192.0.2.1", []string{"caller_device", "device"}},
		{"reauthenticated", plain, "192.0.2.1", []string{"caller_device", "account_key", "device", "login"}},
		{"sign_in_refused", plain, "192.0.2.1", []string{"caller_device", "device", "login", "reason"}},
		{"devices_evicted", plain, "192.0.2.1", []string{"caller_device", "account_key", "devices", "logins"}},
		{"devices_cleaned", admin, "192.0.2.1", []string{"caller_device"}},
		{"signed_out", admin, "192.0.2.1", []string{"caller_device", "login"}},
	} {
		if !slices.ContainsFunc(events, func(e map[string]any) bool {
			id := ""
			if v, ok := e["account_id"]; ok {
				id = fmt.Sprint(v)
			}
			for _, key := range want.keys {
				if v, ok := e[key]; !ok || v == "" {
					return false
				}
			}
			return e["event"] == want.event && id == want.account && e["peer"] == want.peer
		}) {
			t.Errorf("no %s by account %q from %s with %q", want.event, want.account, want.peer, want.keys)
		}
	}
	if t.Failed() {
		for _, e := range events {
			t.Log(e)
		}
	}
}

// auditEvents reads the events of a JSON log.
func auditEvents(t testing.TB, text string) []map[string]any {
	t.Helper()
	var events []map[string]any
	for line := range strings.Lines(text) {
		var event map[string]any
		decoder := json.NewDecoder(bytes.NewReader([]byte(line)))
		if err := decoder.Decode(&event); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if event["msg"] == "audit" {
			events = append(events, event)
		}
	}
	return events
}
