package alist_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// The texts that clients look for, and those that several tests expect.
const (
	password  = servertest.AdminPassword
	badLogin  = "username or password is incorrect"
	needCode  = "Invalid 2FA code"
	invalid   = "token is invalidated"
	inactive  = "session inactive"
	expired   = "token is expired"
	disabled  = "Current user is disabled, replace please"
	changed   = "Password has been changed, login please"
	noGuests  = "Guest user is disabled, login please"
	noSession = "failed find session: record not found"
	done      = `{"code":200,"message":"success","data":null}`
	jsonType  = "application/json; charset=utf-8"
	formType  = "application/x-www-form-urlencoded"
)

// object is the body of a request.
type object map[string]any

// site is a server whose time stands still until it is moved.
type site struct {
	*servertest.Server
	clock *servertest.Clock
}

func open(t testing.TB, changes ...func(*config.Config, *server.Options)) *site {
	t.Helper()
	clock := servertest.NewClock()
	atTime := func(_ *config.Config, o *server.Options) { o.Now = clock.Now }
	return &site{Server: servertest.Open(t, append(changes, atTime)...), clock: clock}
}

// get asks for a path with a token, which may be empty.
func (s *site) get(t testing.TB, token, path string) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{Path: path, Token: token})
}

// post sends a body, or none if it is nil.
func (s *site) post(t testing.TB, token, path string, body any) servertest.Reply {
	t.Helper()
	return s.Do(t, servertest.Request{Method: http.MethodPost, Path: path, Token: token, Body: body})
}

// enableGuest lets everybody in as the guest.
func (s *site) enableGuest(t testing.TB) {
	t.Helper()
	s.setDisabled(t, "guest", false)
}

func (s *site) setDisabled(t testing.TB, name string, off bool) {
	t.Helper()
	if err := s.App.Accounts.SetDisabled(t.Context(), s.key(t, name), off); err != nil {
		t.Fatalf("disable %s: %t: %v", name, off, err)
	}
}

// key is the account's key.
func (s *site) key(t testing.TB, name string) string {
	t.Helper()
	a, err := s.App.Accounts.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return a.Key
}

func (s *site) save(t testing.TB, settings map[string]string) {
	t.Helper()
	if err := s.App.Settings.Save(t.Context(), settings); err != nil {
		t.Fatalf("save settings: %v", err)
	}
}

// enrol turns the second factor on and returns its secret. The code that was
// needed for it is spent; the next one is good.
func (s *site) enrol(t testing.TB, token string) string {
	t.Helper()
	var made struct{ Secret string }
	s.post(t, token, "/api/auth/2fa/generate", nil).Into(t, &made)
	wantDone(t, "enrol", s.post(t, token, "/api/auth/2fa/verify", object{"code": s.code(made.Secret), "secret": made.Secret}))
	s.clock.Advance(30 * time.Second)
	return made.Secret
}

// code is what an authenticator shows now.
func (s *site) code(secret string) string { return totptest.Code(secret, s.clock.Now()) }

// signIn tries to sign in as AList's frontends do, in plain words.
func (s *site) signIn(t testing.TB, body object) servertest.Reply {
	t.Helper()
	return s.post(t, "", "/api/auth/login", body)
}

// hashed is the form in which AList's frontends send a password (contract
// §5.2).
func hashed(plain string) string {
	sum := sha256.Sum256([]byte(plain + "-https://github.com/alist-org/alist"))
	return hex.EncodeToString(sum[:])
}

// refusal is the whole body of a failure.
func refusal(code int, message string) string {
	text, err := json.Marshal(message)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"code":%d,"message":%s,"data":null}`, code, text)
}

// wantBody compares a handled answer byte by byte.
func wantBody(t testing.TB, what string, got servertest.Reply, body string) {
	t.Helper()
	wantAnswer(t, what, got, http.StatusOK, body)
}

func wantAnswer(t testing.TB, what string, got servertest.Reply, status int, body string) {
	t.Helper()
	if got.Status != status {
		t.Errorf("%s: HTTP status %d, want %d", what, got.Status, status)
	}
	if kind := got.Header.Get("Content-Type"); kind != jsonType {
		t.Errorf("%s: Content-Type %q, want %q", what, kind, jsonType)
	}
	if diff := cmp.Diff(body, got.Text); diff != "" {
		t.Errorf("%s: wrong body (-want +got):\n%s", what, diff)
	}
}

func wantDone(t testing.TB, what string, got servertest.Reply) {
	t.Helper()
	wantBody(t, what, got, done)
}

// wantRefused expects a failure as AList words it: HTTP 200, the code inside.
func wantRefused(t testing.TB, what string, got servertest.Reply, code int, message string) {
	t.Helper()
	wantBody(t, what, got, refusal(code, message))
}

// wantAlive expects that the token opens the account.
func (s *site) wantAlive(t testing.TB, what, token, username string) {
	t.Helper()
	if got := s.get(t, token, "/api/me"); got.Status != http.StatusOK || !strings.Contains(got.Text, `"username":"`+username+`"`) {
		t.Errorf("%s: /api/me answers %d %s, want that of %s", what, got.Status, got.Text, username)
	}
}

// wantDead expects that the token is refused for the reason.
func (s *site) wantDead(t testing.TB, what, token, reason string) {
	t.Helper()
	wantRefused(t, what, s.get(t, token, "/api/me"), http.StatusUnauthorized, reason)
}

// devices is the ids of the devices that a token's owner sees, oldest first.
func (s *site) devices(t testing.TB, token string) []string {
	t.Helper()
	var rows []struct {
		ID string `json:"session_id"`
	}
	s.get(t, token, "/api/me/sessions").Into(t, &rows)
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids
}
