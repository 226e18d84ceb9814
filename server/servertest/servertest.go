// Package servertest opens a whole server for tests of its doors: a temporary
// data folder, a fast password hash, and a client that reads envelopes. It is
// imported by tests only.
package servertest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
)

// AdminPassword is the admin's password on every test server.
const AdminPassword = "correct horse battery"

// hashMemory is a cost in KiB that keeps sign-ins below a millisecond.
const hashMemory = 64

// Server is a whole server without a listener.
type Server struct {
	App *server.App

	check func(testing.TB, *http.Request, *httptest.ResponseRecorder) // judges every reply to Do
}

// Open makes a server. The changes are made to its configuration and options
// before it starts.
func Open(t testing.TB, changes ...func(*config.Config, *server.Options)) *Server {
	t.Helper()
	cfg := config.Defaults()
	cfg.Data = t.TempDir()
	cfg.CacheSize = 10_000
	cfg.SFTP = "" // tests that want the door listen themselves
	cfg.AdminPassword = config.NewSecret(AdminPassword)
	opts := server.Options{HashMemoryKiB: hashMemory}
	for _, change := range changes {
		change(&cfg, &opts)
	}
	app, err := server.Open(t.Context(), cfg, opts)
	if err != nil {
		t.Fatalf("open server: %v", err)
	}
	t.Cleanup(func() {
		if err := app.Close(); err != nil {
			t.Errorf("close server: %v", err)
		}
	})
	s := &Server{App: app}
	s.check = s.Validate
	return s
}

// Clock is a time that only moves when it is told to. It is safe for use by
// one goroutine that moves it and many that read it.
type Clock struct{ at chan time.Time }

// NewClock starts at a whole second.
func NewClock() *Clock {
	c := &Clock{at: make(chan time.Time, 1)}
	c.at <- time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	return c
}

// Now is the time.
func (c *Clock) Now() time.Time {
	at := <-c.at
	c.at <- at
	return at
}

// Advance moves the time on.
func (c *Clock) Advance(d time.Duration) { c.at <- (<-c.at).Add(d) }

// Request is what a client sends. Body may be a string, or anything that
// becomes JSON.
type Request struct {
	Method   string // GET, or POST if there is a body, unless it is given
	Path     string
	Token    string // Authorization as it is
	ClientID string
	Header   map[string]string // an empty value takes the header away
	Body     any
	From     string // the peer's address; 192.0.2.1 unless it is given
}

// Reply is what comes back.
type Reply struct {
	Status  int
	Header  http.Header
	Text    string
	Code    int
	Message string
	Data    json.RawMessage
}

// Into reads the reply's data.
func (r Reply) Into(t testing.TB, data any) {
	t.Helper()
	if err := json.Unmarshal(r.Data, data); err != nil {
		t.Fatalf("read data of %s: %v", r.Text, err)
	}
}

// Do sends a request. A reply that docs/openapi.yaml does not describe is an
// error of the test.
func (s *Server) Do(t testing.TB, r Request) Reply {
	t.Helper()
	recorder := httptest.NewRecorder()
	req := newRequest(t, r)
	s.App.Handler().ServeHTTP(recorder, req)
	s.check(t, req, recorder)
	reply := Reply{Status: recorder.Code, Header: recorder.Header(), Text: recorder.Body.String()}
	var envelope struct {
		Code    int             `json:"code"`
		Message string          `json:"message"`
		Msg     string          `json:"msg"` // as Cloudreve calls it
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &envelope); err == nil {
		reply.Code, reply.Message, reply.Data = envelope.Code, cmp.Or(envelope.Message, envelope.Msg), envelope.Data
	}
	return reply
}

func newRequest(t testing.TB, r Request) *http.Request {
	t.Helper()
	var body io.Reader = http.NoBody
	switch v := r.Body.(type) {
	case nil:
	case string:
		body = strings.NewReader(v)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("encode body: %v", err)
		}
		body = bytes.NewReader(text)
	}
	if r.Method == "" {
		r.Method = http.MethodGet
		if r.Body != nil {
			r.Method = http.MethodPost
		}
	}
	req := httptest.NewRequestWithContext(t.Context(), r.Method, r.Path, body)
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.Token != "" {
		req.Header.Set("Authorization", r.Token)
	}
	if r.ClientID != "" {
		req.Header.Set("Client-Id", r.ClientID)
	}
	for name, value := range r.Header {
		if value == "" {
			req.Header.Del(name)
			continue
		}
		req.Header.Set(name, value)
	}
	if r.From != "" {
		req.RemoteAddr = net.JoinHostPort(r.From, "4711")
	}
	return req
}

// SignedIn is what a sign-in answers.
type SignedIn struct {
	Token     string `json:"token"`
	DeviceKey string `json:"device_key"`
}

// SignIn signs in with the plain password, or ends the test.
func (s *Server) SignIn(t testing.TB, username, password, clientID string) SignedIn {
	t.Helper()
	reply := s.Do(t, Request{
		Path: "/api/auth/login", ClientID: clientID,
		Body: map[string]string{"username": username, "password": password},
	})
	if reply.Code != http.StatusOK {
		t.Fatalf("sign in as %s: %s", username, reply.Text)
	}
	var in SignedIn
	reply.Into(t, &in)
	return in
}

// Admin signs the admin in.
func (s *Server) Admin(t testing.TB, clientID string) SignedIn {
	t.Helper()
	return s.SignIn(t, "admin", AdminPassword, clientID)
}

// AddUser makes an ordinary account with the password AdminPassword and
// returns its key.
func (s *Server) AddUser(t testing.TB, name string) string {
	t.Helper()
	made, err := s.App.Profile.Create(t.Context(), name, AdminPassword)
	if err != nil {
		t.Fatalf("add %s: %v", name, err)
	}
	return made.Key
}

// Key is the key of the account with that name.
func (s *Server) Key(t testing.TB, name string) string {
	t.Helper()
	a, err := s.App.Accounts.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return a.Key
}
