package sqlstore_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/model"
	"latchkey/model/sqlstore"
	"latchkey/service/audit"
	"latchkey/service/grant"
	"latchkey/service/keyring"
	"latchkey/service/racetest"
	"latchkey/service/revocation"
	"latchkey/service/session"
)

const (
	envTabs = "LATCHKEY_TEST_TABS_FILE" // the database; without it there is nothing to do
	envTabP = "LATCHKEY_TEST_TABS_PURE"
	testApp = "0a11"
)

// grantsOf are what apps are given in a database, as a server opens it.
func grantsOf(ctx context.Context, db *sqlstore.DB) (*grant.Service, error) {
	ring, err := keyring.Open(ctx, db.Keys(), []byte("0123456789abcdefghijklmnopqrstuv"), moment)
	if err != nil {
		return nil, err
	}
	log, hub := slog.New(slog.DiscardHandler), &revocation.Hub{}
	recorder := audit.New(log)
	sessions := session.New(session.Defaults(), session.Deps{
		Store: db.Logins(), Ring: ring, Hub: hub, Audit: recorder, Log: log, Now: moment,
	})
	return grant.New(grant.Defaults(), grant.Deps{
		Store: db.Grants(), Hub: hub, Now: moment, Log: log, Seal: ring.Seal, Open: ring.Open,
		Record: recorder.Record, Note: recorder.Note,
		App: func(_ context.Context, id string) (grant.App, error) {
			return grant.App{ID: id, Name: "App", Scopes: []string{"openid", "offline_access"}}, nil
		},
		Device: func(accountKey, clientID string) string {
			return sessions.DeviceKey(accountKey, session.OAuthClient(clientID))
		},
		Opening: func(o grant.Opening) model.LoginOpening {
			return sessions.Granted(session.Granting{
				AccountKey: o.AccountKey, Epoch: o.Epoch, ClientID: o.App.ID, App: o.App.Name, Lifetime: o.For, At: o.At,
			})
		},
		Use: func(ctx context.Context, u grant.Use) error {
			_, err := sessions.Use(ctx, session.Use{LoginID: u.LoginID, AccountKey: u.AccountKey})
			return err
		},
	}), nil
}

// family is the tokens that an app was given.
func family(t testing.TB, svc *grant.Service, a model.Account) grant.Tokens {
	t.Helper()
	code, err := svc.Code(t.Context(), grant.Approval{
		ClientID: testApp, AccountKey: a.Key, Epoch: a.Epoch, Scopes: []string{"openid", "offline_access"},
	})
	if err != nil {
		t.Fatalf("Code = %v", err)
	}
	tokens, err := svc.Redeem(t.Context(), grant.Redemption{Code: code, ClientID: testApp})
	if err != nil {
		t.Fatalf("Redeem = %v", err)
	}
	return tokens
}

// refreshAtOnce is the refresh tokens that so many tabs get for one, each once.
func refreshAtOnce(ctx context.Context, svc *grant.Service, tabs int, token string) ([]string, error) {
	var (
		mu   sync.Mutex
		got  []string
		errs []error
	)
	racetest.AtOnce(tabs, func(int) {
		next, err := svc.Refresh(ctx, grant.Refreshing{Token: token, ClientID: testApp})
		mu.Lock()
		defer mu.Unlock()
		got, errs = append(got, next.Refresh), append(errs, err)
	})
	slices.Sort(got)
	return slices.Compact(got), errors.Join(errs...)
}

// TestTabs is the other process: it opens the database, says so, and for every
// line refreshes with the token in it, 25 times at once, and prints what came of
// it.
func TestTabs(t *testing.T) {
	file := os.Getenv(envTabs)
	if file == "" {
		t.Skip("it is the other process of the test beside it, and has nothing to do by itself")
	}
	svc, err := grantsOf(t.Context(), openRaw(t, file, sqlstore.Options{Pure: os.Getenv(envTabP) != ""}))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintln(os.Stdout, "ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		got, err := refreshAtOnce(t.Context(), svc, 25, in.Text())
		if err != nil {
			got = []string{err.Error()}
		}
		_, _ = fmt.Fprintln(os.Stdout, strings.Join(got, " "))
	}
}

// startTabs runs a TestTabs.
func startTabs(t *testing.T, path string, opts sqlstore.Options) *spender {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTabs$")
	cmd.Env = append(os.Environ(), envTabs+"="+path)
	if opts.Pure {
		cmd.Env = append(cmd.Env, envTabP+"=1")
	}
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	p := &spender{cmd: cmd, in: in, out: bufio.NewReader(out)}
	if line := p.line(t); line != "ready" {
		rest, _ := io.ReadAll(p.out)
		t.Fatalf("the other process says %q %s", line, rest)
	}
	return p
}

// Issue 7, O-07: 50 tabs behind two servers refresh with one token at the same
// moment, 100 rounds: nobody is signed out, one family, one successor.
func TestTabsOfTwoProcessesRefreshAtOnce(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "latchkey.db")
			db := openAt(t, path, opts)
			svc, err := grantsOf(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			setApp(t, db, testApp, true)
			a := createAccount(t, db, 1)
			at := family(t, svc, a)
			both := []*spender{startTabs(t, path, opts), startTabs(t, path, opts)}
			token, rounds := at.Refresh, 100
			if opts.Pure {
				rounds = 20 // it is the same SQL, and slow where races are looked for
			}
			for round := range rounds {
				for _, p := range both {
					if _, err := io.WriteString(p.in, token+"\n"); err != nil {
						t.Fatal(err)
					}
				}
				got := []string{both[0].line(t), both[1].line(t)}
				if got[0] != got[1] || !strings.HasPrefix(got[0], "lkr_") || strings.Contains(got[0], " ") || got[0] == token {
					t.Fatalf("round %d: %q, want the same one successor", round, got)
				}
				token = got[0]
			}
			for _, p := range both {
				if err := errors.Join(p.in.Close(), p.cmd.Wait()); err != nil {
					t.Errorf("the other process ended: %v", err)
				}
			}
			live := column(t, reader(t, db), "SELECT hash FROM oauth_tokens WHERE kind = 'refresh' AND rotated_at IS NULL")
			logins := column(t, reader(t, db), "SELECT id FROM logins WHERE ended_at IS NULL")
			if len(live) != 1 || !slices.Equal(logins, []string{at.LoginID}) {
				t.Errorf("%d unused refresh tokens, live logins %q, want 1 and %q", len(live), logins, at.LoginID)
			}
		})
	}
}

// O-02: 16 exchanges of one code at once make one login, which is over when all
// are answered.
func TestExchangesAtOnceMakeOneLoginAndEndIt(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			db := open(t, opts)
			svc, err := grantsOf(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			setApp(t, db, testApp, true)
			a := createAccount(t, db, 1)
			for range 20 {
				code, err := svc.Code(t.Context(), grant.Approval{ClientID: testApp, AccountKey: a.Key, Scopes: []string{"openid"}})
				if err != nil {
					t.Fatal(err)
				}
				racetest.Once(t, 16, grant.ErrGrant, func(int) error {
					_, err := svc.Redeem(t.Context(), grant.Redemption{Code: code, ClientID: testApp})
					return err
				})
			}
			ends := column(t, reader(t, db), "SELECT end_reason || count(*) FROM logins GROUP BY end_reason")
			if !slices.Equal(ends, []string{"reused20"}) {
				t.Errorf("logins by end: %q, want 20 that ended for the re-use", ends)
			}
		})
	}
}

// Rulings 33: nothing of a token is in the rows.
func TestRowsHoldNoToken(t *testing.T) {
	db := open(t, sqlstore.Options{})
	svc, err := grantsOf(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	setApp(t, db, testApp, true)
	first := family(t, svc, createAccount(t, db, 1))
	second, err := svc.Refresh(t.Context(), grant.Refreshing{Token: first.Refresh, ClientID: testApp})
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range [][]string{
		column(t, reader(t, db), "SELECT hash || successor || scopes FROM oauth_tokens"),
		column(t, reader(t, db), "SELECT hash || nonce || challenge || login_id FROM oauth_codes"),
	} {
		all := strings.Join(rows, "\n")
		for _, secret := range []string{first.Access, first.Refresh, second.Access, second.Refresh} {
			if strings.Contains(all, secret) || strings.Contains(all, secret[4:]) || strings.Contains(all, hex.EncodeToString([]byte(secret))) {
				t.Error("a row holds a token")
			}
		}
	}
	if sealed := column(t, reader(t, db), "SELECT substr(successor, 1, 3) FROM oauth_tokens WHERE successor <> ''"); !slices.Equal(sealed, []string{"v1:"}) {
		t.Errorf("sealed successors: %q, want one", sealed)
	}
}

func BenchmarkRefresh(b *testing.B) { // every app with offline_access, once an hour
	for _, pure := range []bool{false, true} {
		b.Run(fmt.Sprintf("pure=%v", pure), func(b *testing.B) {
			db, err := sqlstore.Open(filepath.Join(b.TempDir(), "latchkey.db"), sqlstore.Options{Pure: pure})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, err := db.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			svc, err := grantsOf(b.Context(), db)
			if err != nil {
				b.Fatal(err)
			}
			setApp(b, db, testApp, true)
			a, err := db.Accounts().CreateAccount(b.Context(), account(1))
			if err != nil {
				b.Fatal(err)
			}
			at := family(b, svc, a)
			for b.Loop() {
				if at, err = svc.Refresh(b.Context(), grant.Refreshing{Token: at.Refresh, ClientID: testApp}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "refreshes/s")
		})
	}
}
