package server_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"latchkey/server/cli"
)

// TestMain makes the test binary the program where a script calls it.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"latchkey": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		os.Exit(cli.Run(ctx, os.Args[1:], cli.Surroundings{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()}))
	}})
}

// TestScripts tells the stories in testdata/script. Beside testscript's own
// commands they have:
//
//	serve [VAR=value…] [flag…]       start a server on any free port; $ADDR is where it is
//	sigterm                           end it with SIGTERM; the status must be 0
//	kill9                            end it with SIGKILL
//	fails STATUS [argument…]         run a command that must end with the status
//	login NAME PASSWORD VAR [CLIENT-ID]
//	http [-c CLIENT-ID] METHOD PATH [TOKEN|- [BODY]]
//	capture VAR PATTERN              set VAR to the pattern's group in the last standard output
//	mode OCTAL PATH…                 check permissions
//
// serve, sigterm, kill9 and http leave what came out in stdout and stderr.
func TestScripts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs signals and file modes")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Deadline:            time.Now().Add(15 * time.Minute), // for all of them, with the race detector, on a busy machine
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			s := &story{}
			env.Values[storyKey{}] = s
			env.Defer(func() {
				if s.server != nil {
					s.server.kill()
				}
			})
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": told((*story).serve), "sigterm": withServer((*story).sigterm), "kill9": withServer((*story).kill9),
			"fails": told((*story).fails), "login": withServer((*story).login), "http": withServer((*story).http),
			"capture": told((*story).capture), "mode": told((*story).mode),
		},
	})
}

// story is one script's server.
type story struct{ server *program }

type storyKey struct{}

// told makes a command of a method. None of them can be negated.
func told(act func(s *story, ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		s, ok := ts.Value(storyKey{}).(*story)
		if !ok || neg {
			ts.Fatalf("this command cannot be used like that")
		}
		ts.Check(act(s, ts, args))
	}
}

// withServer makes a command of a method that needs the server.
func withServer(act func(s *story, ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return told(func(s *story, ts *testscript.TestScript, args []string) error {
		if s.server == nil {
			return errors.New("no server is running")
		}
		return act(s, ts, args)
	})
}

var errUse = errors.New("see TestScripts for how to use this command")

func (s *story) serve(ts *testscript.TestScript, args []string) error {
	if s.server != nil {
		return errors.New("a server is running")
	}
	variables := 0
	for variables < len(args) && strings.HasPrefix(args[variables], "LATCHKEY_") {
		variables++
	}
	path, err := exec.LookPath("latchkey")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.Background(), path, append([]string{"--http", "127.0.0.1:0", "--sftp", ""}, args[variables:]...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(withoutSettings(), args[:variables]...)
	if s.server, err = launch(context.Background(), cmd); err != nil {
		return err
	}
	_, addr, _ := strings.Cut(s.server.url, "://")
	ts.Setenv("ADDR", addr)
	s.print(ts)
	return nil
}

func (s *story) print(ts *testscript.TestScript) {
	_, _ = fmt.Fprint(ts.Stdout(), s.server.out)
	_, _ = fmt.Fprint(ts.Stderr(), s.server.err)
}

func (s *story) sigterm(ts *testscript.TestScript, _ []string) error {
	err := s.server.stop()
	s.print(ts)
	s.server = nil
	return err
}

func (s *story) kill9(ts *testscript.TestScript, _ []string) error {
	s.server.kill()
	s.print(ts)
	s.server = nil
	return nil
}

func (*story) fails(ts *testscript.TestScript, args []string) error {
	want, err := strconv.Atoi(args[0])
	if err != nil {
		return errUse
	}
	err = ts.Exec("latchkey", args[1:]...)
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return fmt.Errorf("it succeeded, want status %d", want)
	case !ok || exit.ExitCode() != want:
		return fmt.Errorf("want status %d: %w", want, err)
	}
	return nil
}

func (s *story) login(ts *testscript.TestScript, args []string) error {
	if len(args) < 3 || len(args) > 4 {
		return errUse
	}
	clientID := ""
	if len(args) == 4 {
		clientID = args[3]
	}
	token, _, err := s.server.signIn(context.Background(), args[0], args[1], clientID)
	ts.Setenv(args[2], token)
	return err
}

func (s *story) http(ts *testscript.TestScript, args []string) error {
	var c call
	if len(args) > 1 && args[0] == "-c" {
		c.clientID, args = args[1], args[2:]
	}
	if len(args) < 2 || len(args) > 4 {
		return errUse
	}
	c.method, c.path = args[0], args[1]
	if len(args) > 2 && args[2] != "-" {
		c.token = args[2]
	}
	if len(args) > 3 {
		c.body = args[3]
	}
	a, err := s.server.call(context.Background(), c)
	if err == nil {
		_, err = fmt.Fprintf(ts.Stdout(), "%d %s\n", a.Status, a.Text)
	}
	return err
}

func (*story) capture(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errUse
	}
	pattern, err := regexp.Compile(`(?m)` + args[1])
	if err != nil {
		return err
	}
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		return fmt.Errorf("no match for %s", args[1])
	}
	ts.Setenv(args[0], found[1])
	return nil
}

func (*story) mode(ts *testscript.TestScript, args []string) error {
	want, err := strconv.ParseUint(args[0], 8, 32)
	if err != nil {
		return errUse
	}
	for _, path := range args[1:] {
		info, err := os.Stat(ts.MkAbs(path))
		if err != nil {
			return err
		}
		if got := info.Mode().Perm(); got != os.FileMode(want) {
			return fmt.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	return nil
}
