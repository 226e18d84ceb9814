package server_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

// A restart of the whole server forgives no guess: of an account, an address, a
// known device, or a code (F-07).
func TestARestartForgivesNoGuess(t *testing.T) {
	folder, clock := t.TempDir(), servertest.NewClock()
	open := func() *fortress {
		return &fortress{clock: clock, Server: servertest.Open(t, func(c *config.Config, o *server.Options) {
			c.Data, o.Now = folder, clock.Now
		})}
	}
	f := open()
	for _, name := range []string{"plain", "careful", "phoned"} {
		f.AddUser(t, name)
	}
	f.enrol(t, f.SignIn(t, "careful", servertest.AdminPassword, "desk").Token)
	f.SignIn(t, "phoned", servertest.AdminPassword, "phone")
	ask := func(what, name, password, from, clientID, code string, n, want int) {
		t.Helper()
		for range n {
			reply := f.Do(t, servertest.Request{Path: "/api/auth/login", From: from, ClientID: clientID, Body: map[string]string{
				"username": name, "password": password, "otp_code": code,
			}})
			if wantRefusal(t, what, reply); reply.Code != want {
				t.Fatalf("%s: %s, want code %d", what, reply.Text, want)
			}
		}
	}
	const wrong, right = "wrong", servertest.AdminPassword
	for i := range 10 {
		ask("a guess", "plain", wrong, fmt.Sprintf("198.51.100.%d", i), "", "", 1, 400)
		ask("a guess on the phone", "phoned", wrong, fmt.Sprintf("203.0.113.%d", i), "phone", "", 1, 400)
	}
	for i := range 15 {
		ask("a guess at nobody", fmt.Sprintf("nobody%d", i), wrong, "192.0.2.66", "", "", 1, 400)
	}
	ask("a wrong code", "careful", right, "192.0.2.99", "", "000000", 5, 402)
	for _, ending := range []string{"before", "after a restart"} {
		ask("the account "+ending, "plain", right, "198.51.100.99", "", "", 1, 429)
		ask("the known device "+ending, "phoned", right, "198.51.100.98", "phone", "", 1, 429)
		ask("the address "+ending, "somebody", wrong, "192.0.2.66", "", "", 1, 429)
		ask("the code "+ending, "careful", right, "192.0.2.99", "", "000000", 1, 429)
		if ending == "before" {
			if err := f.App.Close(); err != nil {
				t.Fatal(err)
			}
			f = open()
		}
	}
	clock.Advance(time.Hour)
	f.SignIn(t, "plain", right, "")
}

// Ten thousand wrong passwords from five hundred addresses: the attacker has as
// many looked at as the budget says, and the owner's device gets in at the first
// try, with nobody's help.
func TestTenThousandGuessesDoNotShutTheOwnerOut(t *testing.T) {
	f := besiege(t, func(c *config.Config, _ *server.Options) { c.AccessLog = false })
	f.AddUser(t, "owner")
	f.SignIn(t, "owner", servertest.AdminPassword, "phone")
	checked, begun := 0, f.clock.Now()
	for i := range 10_000 {
		reply := f.unchecked(t, servertest.Request{
			Path: "/api/auth/login", From: fmt.Sprintf("10.1.%d.%d", i%500/250, i%250),
			Body: map[string]string{"username": "owner", "password": fmt.Sprintf("guess %d", i)},
		})
		switch reply.Code {
		case http.StatusBadRequest:
			checked++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("guess %d: %s", i, reply.Text)
		}
		if f.clock.Advance(time.Second); i%1000 == 999 {
			f.SignIn(t, "owner", servertest.AdminPassword, "phone")
		}
	}
	budget := 10 + int(f.clock.Now().Sub(begun)/(6*time.Minute))
	if checked < 10 || checked > budget {
		t.Errorf("%d guesses were looked at, want 10 and one more each 6 minutes: at most %d", checked, budget)
	}
	if noted := strings.Count(f.log.String(), "reason=credentials_wrong"); noted != checked {
		t.Errorf("%d guesses were looked at, the log knows of %d", checked, noted)
	}
	elsewhere := servertest.Request{
		Path: "/api/auth/login", From: "198.51.100.7", ClientID: "phone",
		Body: map[string]string{"username": "owner", "password": servertest.AdminPassword},
	}
	if reply := f.Do(t, elsewhere); reply.Code != http.StatusOK {
		t.Errorf("the owner's phone on the road: %s", reply.Text)
	}
	t.Logf("%d of 10000 guesses were looked at, at most %d may be", checked, budget)
}

// A refusal asks the database the same questions about a name that nobody has
// as about one that somebody has, whether it is looked at or not.
func TestRefusalsAskTheSameQuestions(t *testing.T) {
	var (
		mu    sync.Mutex
		asked []string
	)
	values := regexp.MustCompile("\"[^\"]*\"|'[^']*'|-?[0-9]+")
	f := besiege(t, func(_ *config.Config, o *server.Options) {
		o.Trace = func(statement string) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, values.ReplaceAllString(statement, "?"))
		}
	})
	f.AddUser(t, "somebody")
	f.SignIn(t, "somebody", servertest.AdminPassword, "phone")
	f.App.Profile.Throttle.Close(t.Context()) // writes what the sign-in left
	guess := func(name, from string) (code int, statements []string) {
		mu.Lock()
		asked = nil
		mu.Unlock()
		reply := f.unchecked(t, servertest.Request{
			Path: "/api/auth/login", From: from, ClientID: "phone", Body: map[string]string{"username": name, "password": "wrong"},
		})
		mu.Lock()
		defer mu.Unlock()
		return reply.Code, slices.Clone(asked)
	}
	var first []string
	for i := range 12 {
		want := http.StatusBadRequest
		if i >= 10 {
			want = http.StatusTooManyRequests
		}
		known, about := guess("somebody", f.peer())
		unknown, aboutNobody := guess("nobody", f.peer())
		if known != want || unknown != want {
			t.Fatalf("guess %d: codes %d and %d, want %d", i+1, known, unknown, want)
		}
		if diff := cmp.Diff(about, aboutNobody); diff != "" {
			t.Errorf("guess %d (-somebody +nobody):\n%s", i+1, diff)
		}
		if i == 0 {
			first = about
		}
	}
	t.Logf("a refusal is %d statements: %s", len(first), strings.Join(first, "; "))
}

// While the database takes no writes nobody is let in, nobody is counted, and
// everybody is told so (F-05).
func TestNobodySignsInWhileNothingCanBeStored(t *testing.T) {
	f := besiege(t)
	other, err := sql.Open(rawDriver, "file:"+f.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	locked, err := other.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = locked.ExecContext(t.Context(), "DELETE FROM throttle")
	}
	if err != nil {
		t.Fatal(err)
	}
	codes := inParallel(10, func(int) servertest.Reply {
		return f.tryPassword(t, "admin", servertest.AdminPassword, "198.51.100.9")
	})
	if codes[http.StatusServiceUnavailable] != 10 {
		t.Errorf("while the database is locked: %v, want 503", codes)
	}
	if err := locked.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := firstRefusal(t, 20, func(int) servertest.Reply { return f.tryPassword(t, "admin", "wrong", "198.51.100.9") }); n != 11 {
		t.Errorf("the first 429 afterwards comes at guess %d, want 11: the outage was nobody's guess", n)
	}
}
