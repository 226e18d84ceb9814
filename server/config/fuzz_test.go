package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"latchkey/server/config"
)

// FuzzLoadFile: whatever is in the file, it either loads into a configuration
// that is valid and prints back to itself, or gives one line for each mistake.
func FuzzLoadFile(f *testing.F) {
	var printed strings.Builder
	if err := config.Defaults().Print(&printed); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		printed.String(), "", "http: a: b\n", "http: *x\n", "? a\n: b\n", "a: |\n  x\n", "{http: ':1', cors_origins: [https://a.b]}",
		"---\n---\n", "<<: *x\n", "trusted_proxies:\n- 10.0.0.1\n- ::1/128\n", "site_url: http://[::1]:80/\n", "data: \"\\u2028\\U0001F600\"\n",
		"\ufeffhttp: :1", "data: !!binary eA==\n", "%YAML 1.2\n---\n", "idle_timeout: 1e3h\ntouch_every: .5s\n", "cache_size: 0x10\n",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "latchkey.yaml") // one for each worker
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := loadBytes(t, path, in)
		if err != nil {
			all, ok := errors.AsType[config.Mistakes](err)
			if !ok || len(all) == 0 || strings.Count(err.Error(), "\n") != len(all)-1 {
				t.Fatalf("not one line for each of %d mistakes: %q", len(all), err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("loaded, but not valid: %v", err)
		}
		again, err := loadBytes(t, path, []byte(text(t, c)))
		if err != nil {
			t.Fatalf("the printed file does not load: %v\n%s", err, text(t, c))
		}
		if text(t, again) != text(t, c) {
			t.Fatalf("printed\n%s\nbut read back\n%s", text(t, c), text(t, again))
		}
	})
}

func loadBytes(t *testing.T, path string, in []byte) (config.Config, error) {
	t.Helper()
	if err := os.WriteFile(path, in, 0o600); err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("latchkey", pflag.ContinueOnError)
	return config.Load(fs, []string{"LATCHKEY_CONFIG=" + path})
}

func text(t *testing.T, c config.Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
