package config_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"latchkey/server/config"
)

// load runs the loader as the program does: args are parsed first.
func load(t *testing.T, environ []string, args ...string) (config.Config, error) {
	t.Helper()
	fs := pflag.NewFlagSet("latchkey", pflag.ContinueOnError)
	fs.Bool("verbose", false, "a flag that is no setting")
	config.Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatalf("parse %q: %v", args, err)
	}
	return config.Load(fs, environ)
}

// mustLoad wants no mistake.
func mustLoad(t *testing.T, environ []string, args ...string) config.Config {
	t.Helper()
	c, err := load(t, environ, args...)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

// write makes a file that only its owner can read.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantLine wants one mistake whose line has all the parts.
func wantLine(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no mistake, want one with %q", parts)
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		found := true
		for _, part := range parts {
			found = found && strings.Contains(line, part)
		}
		if found {
			return
		}
	}
	t.Errorf("no line with %q in:\n%v", parts, err)
}

var sameValues = cmp.Options{cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })}

func TestWithoutAnySourceTheDefaultsHold(t *testing.T) {
	want := config.Defaults()
	want.DB = "sqlite:data/latchkey.db"
	got := mustLoad(t, []string{"HOME=/root", "LATCHKEYS=1"})
	if diff := cmp.Diff(want, got, sameValues); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if err := config.Defaults().Validate(); err != nil {
		t.Errorf("Validate of the defaults: %v", err)
	}
}

func TestTheStrongerSourceWins(t *testing.T) {
	file := write(t, "latchkey.yaml", "http: :1003\nhash_queue: 3\naccess_log: false\ntoken_lifetime: 3h\n")
	empty := write(t, "empty.yaml", "")
	environ := []string{"LATCHKEY_HTTP=:1002"}
	for name, tt := range map[string]struct {
		environ []string
		args    []string
		want    string
	}{
		"a flag over all others":               {environ, []string{"--http", ":1001", "--config", file}, ":1001"},
		"a flag over a variable":               {environ, []string{"--http", ":1001"}, ":1001"},
		"a flag over the file":                 {nil, []string{"--http", ":1001", "--config", file}, ":1001"},
		"a flag over the default":              {nil, []string{"--http=:1001"}, ":1001"},
		"a flag that repeats the default":      {environ, []string{"--http", "127.0.0.1:5244", "--config", file}, "127.0.0.1:5244"},
		"a variable over the file":             {environ, []string{"--config", file}, ":1002"},
		"a variable over the default":          {environ, nil, ":1002"},
		"the file over the default":            {nil, []string{"--config", file}, ":1003"},
		"the file that a variable names":       {[]string{"LATCHKEY_CONFIG=" + file}, nil, ":1003"},
		"the file of the flag, not variable's": {[]string{"LATCHKEY_CONFIG=" + file}, []string{"--config", empty}, "127.0.0.1:5244"},
		"no file if the flag names none":       {[]string{"LATCHKEY_CONFIG=" + file}, []string{"--config", ""}, "127.0.0.1:5244"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustLoad(t, tt.environ, tt.args...).HTTP; got != tt.want {
				t.Errorf("HTTP = %q, want %q", got, tt.want)
			}
		})
	}
	c := mustLoad(t, environ, "--config", file, "--token-lifetime", "1h")
	if c.HTTP != ":1002" || c.HashQueue != 3 || c.AccessLog || c.TokenLifetime != time.Hour {
		t.Errorf("values of three sources at once: %+v", c)
	}
}

func TestAnOverruledValueIsNotJudged(t *testing.T) {
	file := write(t, "latchkey.yaml", "http: nonsense\n")
	if got := mustLoad(t, []string{"LATCHKEY_HTTP=:1"}, "--config", file).HTTP; got != ":1" {
		t.Errorf("HTTP = %q", got)
	}
}

func TestFlagsThatAreMissingAreNotGiven(t *testing.T) {
	fs := pflag.NewFlagSet("version", pflag.ContinueOnError)
	c, err := config.Load(fs, []string{"LATCHKEY_DATA=/srv"})
	if err != nil || c.Data != "/srv" {
		t.Errorf("Load = %q, %v", c.Data, err)
	}
}

func TestTheDatabaseFollowsTheDataFolder(t *testing.T) {
	for name, tt := range map[string]struct{ environ, want string }{
		"in a data folder that is given":    {"LATCHKEY_DATA=/srv/keys", "/srv/keys/latchkey.db"},
		"where it is said to be":            {"LATCHKEY_DB=sqlite:/var/x.db", "/var/x.db"},
		"in the data folder if it is empty": {"LATCHKEY_DB=", "data/latchkey.db"},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, []string{tt.environ})
			if c.SQLitePath() != tt.want || c.DB != "sqlite:"+tt.want {
				t.Errorf("DB = %q, path %q, want %q", c.DB, c.SQLitePath(), tt.want)
			}
		})
	}
	c := config.Defaults()
	c.Data = "/elsewhere"
	if got := c.SQLitePath(); got != "/elsewhere/latchkey.db" {
		t.Errorf("SQLitePath of a configuration made by hand = %q", got)
	}
}

func TestHashersLeaveOneCoreFree(t *testing.T) {
	c := config.Defaults()
	if got := c.Hashers(); got < 1 || got > 64 {
		t.Errorf("Hashers = %d", got)
	}
	c.HashWorkers = 7
	if got := c.Hashers(); got != 7 {
		t.Errorf("Hashers = %d, want the 7 that were set", got)
	}
}
