package cli_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/server/cli"
)

// ran is what a command line came to.
type ran struct {
	status   int
	out, err string
}

// run carries out a command line on a folder of its own.
func run(t *testing.T, ctx context.Context, s cli.Surroundings, args ...string) ran { //nolint:revive // the test first, as everywhere
	t.Helper()
	var out, err bytes.Buffer
	if s.In == nil {
		s.In = strings.NewReader("")
	}
	if s.Out == nil {
		s.Out = &out
	}
	s.Err = &err
	status := cli.Run(ctx, args, s)
	return ran{status, out.String(), err.String()}
}

func TestStatusAndWords(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	for name, tt := range map[string]struct {
		args    string
		environ []string
		status  int
		out     string // part of standard output; the other one is empty then
		err     string // part of standard error
	}{
		"the version is printed":                    {"version", nil, 0, "latchkey ", ""},
		"help is what was asked for":                {"--help", nil, 0, "Available Commands:", ""},
		"help on a command is, too":                 {"help keys", nil, 0, "rotate", ""},
		"an unknown command is a mistake":           {"frobnicate", nil, 2, "", `unknown command "frobnicate"`},
		"a misspelt one is suggested":               {"migrat", nil, 2, "", "did you mean migrate?"},
		"a group alone asks which":                  {"keys", nil, 2, "", "which one? change-master, list, remove, rotate"},
		"a word too many is a mistake":              {"keys list all", nil, 2, "", `"all" is too much`},
		"an unknown flag is a mistake":              {"version --loud", nil, 2, "", "unknown flag: --loud\nSee latchkey version --help"},
		"a wrong value is":                          {"config print --http 5244", nil, 2, "", `--http "5244" has no port`},
		"so is a variable":                          {"config print", []string{"LATCHKEY_LOG_LEVEL=loud"}, 2, "", `LATCHKEY_LOG_LEVEL "loud" is not a level`},
		"a flag is stronger than its variable":      {"config print --log-level warn", []string{"LATCHKEY_LOG_LEVEL=error"}, 0, `log_level: "warn"`, ""},
		"variables of others are nobody's business": {"config print", []string{"LATCH=1", "HOME=/"}, 0, `log_level: "info"`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, t.Context(), cli.Surroundings{Environ: append(tt.environ, "LATCHKEY_DATA="+folder)}, strings.Fields(tt.args)...)
			if got.status != tt.status || !strings.Contains(got.out, tt.out) || !strings.Contains(got.err, tt.err) {
				t.Errorf("status %d\n%s\n%s", got.status, got.out, got.err)
			}
			if (tt.out == "") != (got.out == "") || (tt.err == "") != (got.err == "") {
				t.Errorf("printed to the wrong place:\n%s\n%s", got.out, got.err)
			}
		})
	}
}

func TestPasswordIsOneLineOfStandardInput(t *testing.T) {
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		in     string
		status int
		err    string
	}{
		"a line":                           {"orchard-lantern-7\n", 0, ""},
		"a line as Windows ends it":        {"orchard-lantern-7\r\n", 0, ""},
		"a line that does not end":         {"orchard-lantern-7", 0, ""},
		"only the first of two":            {"orchard-lantern-7\nshort\n", 0, ""},
		"blanks are a line, too":           {"       \n", 1, "it is blank"},
		"nothing":                          {"", 2, "no password came: write it to standard input, in one line"},
		"an empty line":                    {"\n", 1, "Password too weak: it is blank"},
		"one that is too short":            {"short\n", 1, "Password too weak: use at least 8 characters"},
		"one that everybody tries":         {"password1\n", 1, "Password too weak: it is among the best-known passwords"},
		"one that is longer than sensible": {strings.Repeat("long", 300), 1, "Password is longer than 1024 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := cli.Surroundings{In: strings.NewReader(tt.in), Environ: []string{"LATCHKEY_ADMIN_PASSWORD=tractor-orange-42"}}
			got := run(t, t.Context(), s, "admin", "set-password", "--data", folder)
			if got.status != tt.status || !strings.Contains(got.err, tt.err) {
				t.Errorf("status %d\n%s\n%s", got.status, got.out, got.err)
			}
			if strings.Contains(got.out+got.err, "orchard") {
				t.Errorf("the password is shown:\n%s\n%s", got.out, got.err)
			}
		})
	}
}

// A random password that could not be printed is lost; that must not look like
// success.
func TestUnprintedPasswordIsAFailure(t *testing.T) {
	folder := t.TempDir()
	for _, args := range []string{"admin random-password", "user add ann", "admin token", "keys list", "keys rotate", "version", "config print"} {
		got := run(t, t.Context(), cli.Surroundings{Out: full{}}, append(strings.Fields(args), "--data", folder)...)
		if got.status != 1 || !strings.Contains(got.err, "latchkey: no space left") {
			t.Errorf("%s: status %d\n%s", args, got.status, got.err)
		}
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

var _ io.Writer = full{}

// A stop signal that comes while the server starts is no failure.
func TestStoppedBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := run(t, ctx, cli.Surroundings{}, "--data", t.TempDir(), "--http", "127.0.0.1:0", "--sftp", "")
	if got.status != 0 || strings.Contains(got.err, "latchkey:") {
		t.Errorf("status %d\n%s\n%s", got.status, got.out, got.err)
	}
}
