package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"latchkey/server/config"
)

const (
	password = "correct horse battery"
	key      = "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"
)

func TestThePrintedFileReadsBack(t *testing.T) {
	for name, args := range map[string][]string{
		"of the defaults": nil,
		"of other values": {
			"--data", "/srv/\"a\" b\\c: #é\u2028\U000e0001", "--http", "[::]:1", "--trusted-proxies", "10.0.0.0/8,::1", "--site-url", "http://x",
			"--cors-origins", "https://a.example,https://b.example", "--token-lifetime", "61s", "--idle-timeout", "5m30s", "--grant-lifetime", "720h",
			"--touch-every", "1s", "--cache-size", "1000", "--hash-workers", "3", "--hash-queue", "1", "--log-level", "debug",
			"--log-format", "json", "--access-log=no", "--shutdown-timeout", "5m",
		},
		"of empty lists": {"--cors-origins", "", "--trusted-proxies", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := mustLoad(t, nil, args...)
			var b strings.Builder
			if err := want.Print(&b); err != nil {
				t.Fatal(err)
			}
			got := mustLoad(t, nil, "--config", write(t, "printed.yaml", b.String()))
			if diff := cmp.Diff(want, got, sameValues); diff != "" {
				t.Errorf("-want +got\n%s\nfrom\n%s", diff, b.String())
			}
		})
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	c := mustLoad(t, []string{"LATCHKEY_ADMIN_PASSWORD=" + password, "LATCHKEY_MASTER_KEY=" + key})
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# LATCHKEY_ADMIN_PASSWORD: (set)", "# LATCHKEY_MASTER_KEY: (set)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("not printed: %s", want)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		fmt.Fprintf(&b, verb, any(c))
		fmt.Fprintf(&b, verb, any(c.MasterKey))
	}
	slog.New(slog.NewTextHandler(&b, nil)).InfoContext(t.Context(), "x", "config", c, "secret", c.AdminPassword)
	slog.New(slog.NewJSONHandler(&b, nil)).InfoContext(t.Context(), "x", "config", c, "secret", c.MasterKey)
	if err := json.NewEncoder(&b).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{password, key, string(c.MasterKeyBytes())} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q is shown in\n%s", secret, b.String())
		}
	}
	if !c.AdminPassword.Equal(config.NewSecret(password)) || c.AdminPassword.Reveal() != password {
		t.Error("the password is not the one that was set")
	}
}

func TestTheReferenceNamesEveryFlag(t *testing.T) {
	var b strings.Builder
	if err := config.Reference(&b); err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("latchkey", pflag.ContinueOnError)
	config.Flags(fs)
	flags := 0
	fs.VisitAll(func(f *pflag.Flag) {
		flags++
		if !strings.Contains(b.String(), "| `--"+f.Name+"` | `LATCHKEY_") || f.Usage == "" {
			t.Errorf("--%s is missing", f.Name)
		}
	})
	if flags != 33 {
		t.Errorf("%d flags, want 33: a new one belongs into the operators' documentation", flags)
	}
	for _, name := range []string{"admin-password", "master-key", "smtp-password", "webhook-secret", "redis"} {
		if fs.Lookup(name) != nil {
			t.Errorf("--%s is a flag", name)
		}
	}
}
