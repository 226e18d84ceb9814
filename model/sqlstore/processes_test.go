package sqlstore_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/model/sqlstore"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/keyring"
	"latchkey/service/keyring/keyringtest"
	"latchkey/service/racetest"
	"latchkey/service/revocation"
	"latchkey/service/totp"
	"latchkey/service/totp/totptest"
)

// What another process of this test is told in its environment.
const (
	envFile    = "LATCHKEY_TEST_SPENDER_FILE" // the database; without it there is nothing to do
	envMaster  = "LATCHKEY_TEST_SPENDER_MASTER"
	envPure    = "LATCHKEY_TEST_SPENDER_PURE"
	envAccount = "LATCHKEY_TEST_SPENDER_ACCOUNT"
	envCode    = "LATCHKEY_TEST_SPENDER_CODE"
	envTimes   = "LATCHKEY_TEST_SPENDER_TIMES"
)

// moment is when codes are spent: the middle of a step.
func moment() time.Time { return time.Date(2026, 3, 1, 12, 0, 15, 0, time.UTC) }

// factors are the second factors of a database, as a server opens them.
func factors(ctx context.Context, db *sqlstore.DB, master []byte) (*totp.Service, error) {
	ring, err := keyring.Open(ctx, db.Keys(), master, moment)
	if err != nil {
		return nil, err
	}
	record := func(context.Context, audit.Event) error { return nil }
	return totp.New(db.TOTP(), ring, &revocation.Hub{}, moment, record), nil
}

// TestSpender is the other process: it opens the database, says so, waits for a
// line, spends the code as often as it is told to, all at once, prints how often
// that worked, and waits to be ended.
func TestSpender(t *testing.T) {
	file := os.Getenv(envFile)
	if file == "" {
		t.Skip("it is the other process of the tests beside it, and has nothing to do by itself")
	}
	master, err := hex.DecodeString(os.Getenv(envMaster))
	if err != nil {
		t.Fatal(err)
	}
	times, err := strconv.Atoi(os.Getenv(envTimes))
	if err != nil {
		t.Fatal(err)
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }
	svc, err := factors(t.Context(), openRaw(t, file, sqlstore.Options{Pure: os.Getenv(envPure) != ""}), master)
	if err != nil {
		t.Fatal(err)
	}
	say("ready")
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	var fine atomic.Int64
	racetest.AtOnce(times, func(int) {
		err := svc.Check(t.Context(), os.Getenv(envAccount), os.Getenv(envCode))
		switch {
		case err == nil:
			fine.Add(1)
		case !errors.Is(err, totp.ErrWrongCode):
			say("Check = %v", err)
		}
	})
	say("spent %d", fine.Load())
	_, _ = io.Copy(io.Discard, in) // until it is ended
}

// spender is a TestSpender that runs.
type spender struct {
	cmd *osexec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// vault is a database on disk with an enrolled account, that nobody has open.
type vault struct {
	path, account string
	opts          sqlstore.Options
	master        []byte
	code          string // a one-time code that was not used
	recovery      []string
}

func newVault(t *testing.T, opts sqlstore.Options) vault {
	t.Helper()
	v := vault{path: filepath.Join(t.TempDir(), "latchkey.db"), opts: opts, master: keyringtest.Master(), account: account(1).Key}
	v.open(t, func(db *sqlstore.DB, svc *totp.Service) {
		createAccount(t, db, 1)
		login := fmt.Sprintf("%032x", 1)
		openLogin(t, db, v.account, login)
		by := access.Caller{
			Kind: access.SessionToken, LoginID: login, FreshAt: moment(),
			Account: &access.Account{Key: v.account, Username: "ann", RoleIDs: []int64{3}},
		}
		made, err := svc.Generate(t.Context(), by, "Files")
		if err != nil {
			t.Fatalf("Generate = %v", err)
		}
		if err := svc.Confirm(t.Context(), by, made.Secret, totptest.Code(made.Secret, moment().Add(-30*time.Second))); err != nil {
			t.Fatalf("Confirm = %v", err)
		}
		if v.recovery, err = svc.RenewRecoveryCodes(t.Context(), by); err != nil {
			t.Fatalf("RenewRecoveryCodes = %v", err)
		}
		v.code = totptest.Code(made.Secret, moment())
	})
	return v
}

// open does something with the database and closes it again.
func (v vault) open(t *testing.T, do func(*sqlstore.DB, *totp.Service)) {
	t.Helper()
	db, err := sqlstore.Open(v.path, v.opts)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatalf("Migrate = %v", err)
	}
	svc, err := factors(t.Context(), db, v.master)
	if err != nil {
		t.Fatal(err)
	}
	do(db, svc)
}

// start runs another process, and returns when it has the database open.
func (v vault) start(t *testing.T, code string, times int) *spender {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSpender$")
	cmd.Env = append(os.Environ(), envFile+"="+v.path, envMaster+"="+hex.EncodeToString(v.master),
		envAccount+"="+v.account, envCode+"="+code, envTimes+"="+strconv.Itoa(times))
	if v.opts.Pure {
		cmd.Env = append(cmd.Env, envPure+"=1")
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &spender{cmd: cmd, in: in, out: bufio.NewReader(out)}
	if line := p.line(t); line != "ready" {
		t.Fatalf("the other process says %q", line)
	}
	return p
}

func (p *spender) line(t *testing.T) string {
	t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the other process said %q and ended: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// release lets it spend.
func (p *spender) release(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		t.Fatal(err)
	}
}

// spent is how often the code worked.
func (p *spender) spent(t *testing.T) int {
	t.Helper()
	line := p.line(t)
	n, err := strconv.Atoi(strings.TrimPrefix(line, "spent "))
	if err != nil {
		t.Fatalf("the other process says %q", line)
	}
	return n
}

// codes are one of each kind.
func (v vault) codes() map[string]string {
	return map[string]string{"one-time code": v.code, "recovery code": v.recovery[0]}
}

// T-01, T-02, T-10: 1,000 uses of one code at once, from two processes on one
// database, and one success.
func TestCodeWorksOnceInTwoProcesses(t *testing.T) {
	const each = 500
	for name, opts := range drivers(t) {
		v := newVault(t, opts)
		for kind, code := range v.codes() {
			t.Run(name+", "+kind, func(t *testing.T) {
				both := []*spender{v.start(t, code, each), v.start(t, code, each)}
				for _, p := range both {
					p.release(t)
				}
				total := 0
				for _, p := range both {
					total += p.spent(t)
				}
				for _, p := range both {
					if err := errors.Join(p.in.Close(), p.cmd.Wait()); err != nil {
						t.Errorf("the other process ended: %v", err)
					}
				}
				if total != 1 {
					t.Errorf("%d of %d uses succeeded, want 1", total, 2*each)
				}
			})
		}
	}
}

// T-02: what was answered stays spent, whatever becomes of the process.
func TestSpentCodeStaysSpentAfterAKill(t *testing.T) {
	for name, opts := range drivers(t) {
		v := newVault(t, opts)
		for kind, code := range v.codes() {
			t.Run(name+", "+kind, func(t *testing.T) {
				p := v.start(t, code, 1)
				p.release(t)
				if n := p.spent(t); n != 1 {
					t.Fatalf("the code worked %d times, want 1", n)
				}
				if err := p.cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				if err := p.cmd.Wait(); err == nil {
					t.Fatal("the process ended by itself")
				}
				v.open(t, func(_ *sqlstore.DB, svc *totp.Service) {
					if err := svc.Check(t.Context(), v.account, code); !errors.Is(err, totp.ErrWrongCode) {
						t.Errorf("Check after the kill = %v, want %v", err, totp.ErrWrongCode)
					}
				})
			})
		}
		v.open(t, func(_ *sqlstore.DB, svc *totp.Service) {
			if err := svc.Check(t.Context(), v.account, v.recovery[1]); err != nil {
				t.Errorf("Check of another code = %v", err)
			}
		})
	}
}
