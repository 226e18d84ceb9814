package config_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/server/config"
)

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	file := write(t, "latchkey.yaml", strings.Join([]string{
		"htpp: x",
		"hash_queue: 0",
		"hash_queue: 9",
		"log_level: loud",
		"hash_workers: [1]",
		"admin_password: hunter2hunter2",
		"idle_timeout: 5m",
		"touch_every: 5m",
	}, "\n"))
	_, err := load(t, []string{
		"LATCHKEY_TLS_CRT=1",
		"LATCHKEY_DB=postgres://me:hunter2@host/db",
		"LATCHKEY_SITE_URL=https://me:hunter2@host",
		"LATCHKEY_TOKEN_LIFETIME=48",
		"LATCHKEY_TLS_CERT=/nowhere/at/all",
		"LATCHKEY_ADMIN_PASSWORD=hunter2",
		"LATCHKEY_MASTER_KEY=hunter2",
		"LATCHKEY_SHUTDOWN_TIMEOUT=",
	}, "--config", file, "--http=5244", "--access-log=maybe", "--trusted-proxies=10.0.0.1/8", "--trusted-proxies=bad")

	lines := [][]string{
		{file + " line 1", `"htpp" is unknown`, "did you mean http?"},
		{file + " line 2", `hash_queue "0"`, "too small", "from 1 to 10000"},
		{file + " line 3", "hash_queue", "set in line 2"},
		{file + " line 4", `log_level "loud"`, "debug, info, warn or error"},
		{file + " line 5", "hash_workers", "not plain text"},
		{file + " line 6", "admin_password", "set LATCHKEY_ADMIN_PASSWORD or LATCHKEY_ADMIN_PASSWORD_FILE"},
		{file + " line 8", `touch_every "5m"`, "idle timeout of 5m"},
		{"environment", "LATCHKEY_TLS_CRT is unknown", "did you mean LATCHKEY_TLS_CERT?"},
		{"environment", `LATCHKEY_DB "postgres…"`, "this build serves sqlite only"},
		{"environment", `LATCHKEY_SITE_URL "https://…@host"`, "user name"},
		{"environment", `LATCHKEY_TOKEN_LIFETIME "48"`, "no unit", "from 1m to 8760h"},
		{"environment", `LATCHKEY_TLS_CERT "/nowhere/at/all"`, "does not exist"},
		{"environment", "LATCHKEY_ADMIN_PASSWORD", "too short", "8 to 256 characters"},
		{"environment", "LATCHKEY_MASTER_KEY", "hex"},
		{"environment", `LATCHKEY_SHUTDOWN_TIMEOUT ""`, "is empty", "from 1s to 5m"},
		{"command line", `--http "5244"`, "no port", "host:port"},
		{"command line", `--access-log "maybe"`, "true or false"},
		{"command line", "--trusted-proxies", `"10.0.0.1/8" has bits`, "10.0.0.0/8", `"bad" is neither`},
	}
	for _, parts := range lines {
		wantLine(t, err, parts...)
	}
	all, ok := errors.AsType[config.Mistakes](err)
	if !ok || len(all) != len(lines) {
		t.Errorf("%d mistakes, want %d:\n%v", len(all), len(lines), err)
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a secret is repeated:\n%v", err)
	}
}

func TestNamesThatAreNotOurs(t *testing.T) {
	for name, tt := range map[string]struct {
		variable string
		want     string // empty: it is let be
	}{
		"a misspelt variable":                 {"LATCHKEY_HASH_WOKERS=1", "did you mean LATCHKEY_HASH_WORKERS?"},
		"a misspelt secret":                   {"LATCHKEY_ADMIN_PASWORD=x", "did you mean LATCHKEY_ADMIN_PASSWORD?"},
		"a setting of later work":             {"LATCHKEY_REDIS=:22", "LATCHKEY_REDIS is unknown"},
		"one with dots":                       {"LATCHKEY_A.B=1", "LATCHKEY_A.B is unknown"},
		"the prefix alone":                    {"LATCHKEY_=1", "LATCHKEY_ is unknown"},
		"a port that is not Kubernetes'":      {"LATCHKEY_PORT=5244", "LATCHKEY_PORT is unknown"},
		"a variable of the tests":             {"LATCHKEY_TEST_HEAVY=1", ""},
		"a variable of somebody else":         {"LATCH_HTTP=1", ""},
		"a Kubernetes service's host":         {"LATCHKEY_SERVICE_HOST=10.0.0.1", ""},
		"a Kubernetes service's named port":   {"LATCHKEY_WEB_SERVICE_PORT_HTTP=80", ""},
		"a Kubernetes service's address":      {"LATCHKEY_PORT=tcp://10.0.0.1:80", ""},
		"a part of a Kubernetes service's":    {"LATCHKEY_PORT_80_TCP_ADDR=10.0.0.1", ""},
		"another service's that starts alike": {"LATCHKEY_WEB_PORT=tcp://10.0.0.1:80", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, []string{tt.variable})
			if tt.want == "" {
				if err != nil {
					t.Errorf("Load: %v", err)
				}
				return
			}
			wantLine(t, err, "environment", tt.want)
		})
	}
}

func TestAHopelessNameGetsNoSuggestion(t *testing.T) {
	_, err := load(t, []string{"LATCHKEY_REDIS=x"}, "--config", write(t, "c.yaml", "sftp: 1\n"+strings.Repeat("a", 300)+": 1\n"))
	if err == nil || strings.Contains(err.Error(), "did you mean") {
		t.Errorf("Load: %v", err)
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		args, environ []string
		want          []string
	}{
		"missing, named by a flag":     {[]string{"--config", filepath.Join(dir, "no.yaml")}, nil, []string{"command line: --config", "no.yaml", "does not exist"}},
		"missing, named by a variable": {nil, []string{"LATCHKEY_CONFIG=" + filepath.Join(dir, "no.yaml")}, []string{"environment: LATCHKEY_CONFIG", "no.yaml", "does not exist"}},
		"a folder":                     {[]string{"--config", dir}, nil, []string{"--config", "is not a file"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, append(tt.environ, "LATCHKEY_HTTP=x"), tt.args...)
			wantLine(t, err, tt.want...)
			wantLine(t, err, "LATCHKEY_HTTP")
		})
	}
}

func TestMalformedYAML(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"two colons":             {"data: x\nhttp: a: b\n", "line 2"},
		"a tab":                  {"trusted_proxies:\n\t- 10.0.0.1\n", "line 2"},
		"an open quote":          {"data: x\nhttp: \"x\n", "line 2"},
		"a bare star":            {"data: x\ncors_origins: *\n", "line 2"},
		"no mapping":             {"hello\n", "line 1"},
		"a list":                 {"- http\n", "line 1"},
		"a second document":      {"data: x\n---\nhttp: :1\n", "second document"},
		"a mapping as value":     {"http:\n  port: 5244\n", "http has a value that is not plain text"},
		"a list in a list":       {"trusted_proxies: [[10.0.0.1]]\n", "trusted_proxies has a value"},
		"an alias":               {"data: &a x\nhttp: *a\n", "http has a value"},
		"a number as a name":     {"1: 2\n", "is unknown"},
		"a merge":                {"<<: {http: :1}\n", "is unknown"},
		"a control character":    {"data: \"a\\u0007\"\n", "control character"},
		"text that is not UTF-8": {"# ü\ndata: a\xff\n", "line 2: is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "latchkey.yaml", tt.file)
			_, err := load(t, nil, "--config", path)
			wantLine(t, err, path, tt.want)
			for _, word := range []string{"interface", "map[", "struct", "ast.", "unmarshal", "int"} {
				if err != nil && strings.Contains(strings.TrimPrefix(err.Error(), path), " "+word) {
					t.Errorf("the text says %q: %v", word, err)
				}
			}
		})
	}
}

func TestValidateReportsEveryMistake(t *testing.T) {
	c := config.Defaults()
	c.Data, c.HTTP, c.TokenLifetime, c.HashQueue = "", "x", time.Second, -1
	c.CORSOrigins = []string{"*", "https://a.example"}
	c.SiteURL = "https://UPPER.example"
	c.LogLevel = 3
	c.TLSKey = "/nowhere"
	c.AdminPassword, c.MasterKey = config.NewSecret("admin123"), config.NewSecret("00")
	err := c.Validate()
	for _, part := range []string{
		"data", `http "x"`, `token_lifetime "1s"`, `hash_queue "-1"`, "cors_origins", `has to be written "https://upper.example"`,
		"log_level", "tls_key", "LATCHKEY_ADMIN_PASSWORD is among the first", "LATCHKEY_MASTER_KEY has not 64",
	} {
		wantLine(t, err, "configuration", part)
	}
	if all, _ := errors.AsType[config.Mistakes](err); len(all) != 10 {
		t.Errorf("%d mistakes, want 10:\n%v", len(all), err)
	}
}
