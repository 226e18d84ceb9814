package server_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/totp/totptest"
)

// fortress is a server whose clock, rows and log are in the attacker's sight.
type fortress struct {
	*servertest.Server
	clock *servertest.Clock
	log   *logBuffer
	file  string // the database's
	db    *sql.DB
	peers int
}

// besiege opens a server that logs everything.
func besiege(t testing.TB, changes ...func(*config.Config, *server.Options)) *fortress {
	t.Helper()
	f := &fortress{clock: servertest.NewClock(), log: &logBuffer{}}
	setUp := func(c *config.Config, o *server.Options) {
		f.file, c.SiteURL = c.SQLitePath(), "https://login.example"
		o.Now = f.clock.Now
		o.Log = slog.New(keptLog{slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}), f.log})
	}
	f.Server = servertest.Open(t, append([]func(*config.Config, *server.Options){setUp}, changes...)...)
	var err error
	if f.db, err = sql.Open(rawDriver, "file:"+f.file+"?mode=ro"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.db.Close() })
	return f
}

// peer is an address that nobody has used yet.
func (f *fortress) peer() string {
	f.peers++
	return fmt.Sprintf("10.%d.%d.%d", f.peers>>16&255, f.peers>>8&255, f.peers&255)
}

// tryPassword tries to sign in from an address.
func (f *fortress) tryPassword(t testing.TB, username, password, from string) servertest.Reply {
	t.Helper()
	return f.Do(t, servertest.Request{
		Path: "/api/auth/login", From: from,
		Body: map[string]string{"username": username, "password": password},
	})
}

// account is an account's key.
func (f *fortress) account(t testing.TB, name string) string {
	t.Helper()
	a, err := f.App.Accounts.ForSignIn(t.Context(), name)
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return a.Key
}

func (f *fortress) setDisabled(t testing.TB, name string, off bool) {
	t.Helper()
	if err := f.App.Accounts.SetDisabled(t.Context(), f.account(t, name), off); err != nil {
		t.Fatalf("disable %s: %t: %v", name, off, err)
	}
}

// enrol turns the second factor on and returns its secret.
func (f *fortress) enrol(t testing.TB, token string) string {
	t.Helper()
	var made struct{ Secret string }
	f.Do(t, servertest.Request{Method: http.MethodPost, Path: "/api/auth/2fa/generate", Token: token}).Into(t, &made)
	reply := f.Do(t, servertest.Request{Path: "/api/auth/2fa/verify", Token: token, Body: map[string]string{
		"secret": made.Secret, "code": totptest.Code(made.Secret, f.clock.Now()),
	}})
	if reply.Code != http.StatusOK {
		t.Fatalf("enrol: %s", reply.Text)
	}
	f.clock.Advance(30 * time.Second) // the code is spent
	return made.Secret
}

// rows is every row of every table as text, but for when something was seen
// last.
func (f *fortress) rows(t testing.TB) string {
	t.Helper()
	var dump strings.Builder
	for _, table := range f.query(t, `SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'throttle' ORDER BY name`) {
		name := table[0].value
		var lines []string
		for _, row := range f.query(t, `SELECT * FROM "`+name+`"`) {
			var line strings.Builder
			for _, c := range row {
				if c.column != "seen_at" {
					fmt.Fprintf(&line, " %s=%q", c.column, c.value)
				}
			}
			lines = append(lines, name+line.String()+"\n")
		}
		slices.Sort(lines)
		dump.WriteString(strings.Join(lines, ""))
	}
	return dump.String()
}

type cell struct{ column, value string }

// query reads the database beside the server.
func (f *fortress) query(t testing.TB, statement string) [][]cell {
	t.Helper()
	found, err := f.db.QueryContext(t.Context(), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]cell
	for found.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		row := make([]cell, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			row[i] = cell{columns[i], fmt.Sprint(v)}
		}
		all = append(all, row)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// send is Do for requests that Do cannot make.
func (f *fortress) send(r *http.Request) servertest.Reply {
	recorder := httptest.NewRecorder()
	f.App.Handler().ServeHTTP(recorder, r)
	reply := servertest.Reply{Status: recorder.Code, Header: recorder.Header(), Text: recorder.Body.String()}
	var envelope struct {
		Code    int
		Message string
		Msg     string
		Data    json.RawMessage
	}
	if json.Unmarshal(recorder.Body.Bytes(), &envelope) == nil {
		reply.Code, reply.Message, reply.Data = envelope.Code, cmp.Or(envelope.Message, envelope.Msg), envelope.Data
	}
	return reply
}

// insider matches what only our own log may say (H-02).
var insider = regexp.MustCompile(`goroutine|runtime error|nil pointer|panic|\.go\b|\bjson:|strconv|[Uu]nmarshal|` +
	`invalid character|\bEOF\b|SQL|sqlite|gorm|UNIQUE|constraint|SELECT|INSERT|no such (table|column)|database is|` +
	`/tmp|/work|/home|/root|\.db\b|latchkey/|map\[|interface \{|\*[a-z]+\.|\b(int64|uint64|float64|struct|reflect|alist|web)\.|` +
	`\b(int64|uint64|float64|struct)\b|\b(http|url|mime|ssh|hex|tls|io|gzip|argon2|time|net): |illegal base64|%!`)

// cleanFailure says what is wrong with an answer that ought to be a refusal
// (H-01, H-02); "" is nothing.
func cleanFailure(r servertest.Reply) string {
	var keys map[string]json.RawMessage
	switch err := json.Unmarshal([]byte(r.Text), &keys); {
	case r.Status >= http.StatusInternalServerError:
		return "a failure of the server"
	case err != nil:
		return "not JSON"
	case len(keys) == 2 && keys["error"] != nil && keys["error_description"] != nil && r.Status >= http.StatusBadRequest:
		return "" // as RFC 6749 has it
	case len(keys) != 3 || keys["code"] == nil || keys["message"] == nil && keys["msg"] == nil || string(keys["data"]) != "null":
		return "not the envelope of a refusal"
	case (r.Code < http.StatusBadRequest || r.Code >= http.StatusInternalServerError) && (keys["msg"] == nil || r.Code/10000 != 4):
		return "not a 4xx code"
	case r.Message == "" || len(r.Message) > 200:
		return "no message for people"
	case insider.MatchString(r.Message):
		return "a message with inner words: " + insider.FindString(r.Message)
	case r.Header.Get("Content-Type") != "application/json; charset=utf-8":
		return "not called JSON"
	}
	return ""
}

// wantRefusal expects a clean refusal.
func wantRefusal(t testing.TB, what string, r servertest.Reply) {
	t.Helper()
	if wrong := cleanFailure(r); wrong != "" {
		t.Errorf("%s: %s: HTTP %d %.300s", what, wrong, r.Status, r.Text)
	}
}

// wantCode expects a clean refusal with the code.
func wantCode(t testing.TB, what string, r servertest.Reply, code int) {
	t.Helper()
	wantRefusal(t, what, r)
	if r.Code != code {
		t.Errorf("%s: code %d, want %d: %.300s", what, r.Code, code, r.Text)
	}
}

// keptLog is a handler that knows where its lines go.
type keptLog struct {
	slog.Handler

	buffer *logBuffer
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends to the log.
func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is all that was logged.
func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// staticHash is the form in which AList's frontends send a password (contract
// §5.2).
func staticHash(plain string) string {
	sum := sha256.Sum256([]byte(plain + "-https://github.com/alist-org/alist"))
	return hex.EncodeToString(sum[:])
}
