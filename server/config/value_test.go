package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/config"
)

// printed is the line of a setting in the printed configuration.
func printed(t *testing.T, c config.Config, key string) string {
	t.Helper()
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(b.String(), "\n") {
		if text, ok := strings.CutPrefix(line, key+": "); ok {
			return text
		}
	}
	t.Fatalf("no line for %s", key)
	return ""
}

func TestValuesAsTheyAreRead(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"HTTP", ":5244", `":5244"`},
		{"HTTP", " 0.0.0.0:0 ", `"0.0.0.0:0"`},
		{"HTTP", "[::1]:65535", `"[::1]:65535"`},
		{"HTTP", "my-host.lan:80", `"my-host.lan:80"`},
		{"TOKEN_LIFETIME", "90m", "1h30m"},
		{"TOKEN_LIFETIME", "8760h", "8760h"},
		{"TOKEN_LIFETIME", "60s", "1m"},
		{"IDLE_TIMEOUT", "0", "0"},
		{"IDLE_TIMEOUT", "0s", "0"},
		{"IDLE_TIMEOUT", "5m", "5m"},
		{"TOUCH_EVERY", "1500ms", "1.5s"},
		{"CACHE_SIZE", "2_000_000", "2000000"},
		{"HASH_WORKERS", "64", "64"},
		{"ACCESS_LOG", "off", "false"},
		{"ACCESS_LOG", "TRUE", "true"},
		{"LOG_LEVEL", "WARN", `"warn"`},
		{"LOG_FORMAT", "json", `"json"`},
		{"TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,::1,fd00::/8,", `["10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"]`},
		{"TRUSTED_PROXIES", "::ffff:10.0.0.1", `["10.0.0.1"]`},
		{"TRUSTED_PROXIES", "", `[]`},
		{"CORS_ORIGINS", "", `[]`},
		{"CORS_ORIGINS", "https://A.example:443,http://[0::1]:8080", `["https://a.example", "http://[::1]:8080"]`},
		{"SITE_URL", "https://login.example.org:8443/", `"https://login.example.org:8443"`},
		{"SITE_URL", "", `""`},
		{"DB", "sqlite:/a b/ü\\x.db", `"sqlite:/a b/ü\\x.db"`},
	} {
		t.Run(tt.name+" "+tt.in, func(t *testing.T) {
			c := mustLoad(t, []string{"LATCHKEY_" + tt.name + "=" + tt.in})
			if got := printed(t, c, strings.ToLower(tt.name)); got != tt.want {
				t.Errorf("read as %s, want %s", got, tt.want)
			}
		})
	}
}

func TestValuesThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"DATA", "", "is empty"},
		{"HTTP", "", "is empty"},
		{"HTTP", "http://x:1", "is a URL"},
		{"HTTP", "::1:5244", "[::1]:5244"},
		{"HTTP", ":65536", "from 0 to 65535"},
		{"HTTP", ":+80", "from 0 to 65535"},
		{"HTTP", ":http", "from 0 to 65535"},
		{"HTTP", "a b:1", "neither an address nor a name"},
		{"DB", "mysql://me:pw@host/db", "this build serves sqlite only"},
		{"DB", "host=x password=pw", "does not begin with sqlite:"},
		{"DB", "data/x.db", "does not begin with sqlite:"},
		{"DB", "sqlite:", "has no path"},
		{"DB", "sqlite:///x.db", "slashes"},
		{"DB", "sqlite::memory:", "forget"},
		{"DB", "sqlite:x.db?mode=ro", "?"},
		{"TOKEN_LIFETIME", "59s", "too short"},
		{"TOKEN_LIFETIME", "8761h", "too long"},
		{"TOKEN_LIFETIME", "2d", "is not a duration"},
		{"TOKEN_LIFETIME", "-1h", "too short"},
		{"IDLE_TIMEOUT", "4m", "too short"},
		{"TOUCH_EVERY", "11m", "too long"},
		{"SHUTDOWN_TIMEOUT", "6m", "too long"},
		{"CACHE_SIZE", "999", "too small"},
		{"CACHE_SIZE", "1e6", "whole number"},
		{"HASH_WORKERS", "65", "too large"},
		{"HASH_QUEUE", "10001", "too large"},
		{"ACCESS_LOG", "", "is empty"},
		{"LOG_FORMAT", "xml", "text or json"},
		{"LOG_LEVEL", "", "debug, info"},
		{"TRUSTED_PROXIES", "0.0.0.0/0", "trusts everybody"},
		{"TRUSTED_PROXIES", "fe80::1%eth0", "neither an address nor a CIDR"},
		{"TRUSTED_PROXIES", "nginx", "neither an address nor a CIDR"},
		{"TRUSTED_PROXIES", "::ffff:10.0.0.0/104", "IPv6 form"},
		{"CORS_ORIGINS", "https://a.example/", "after the host"},
		{"CORS_ORIGINS", "https://*.example", "neither an address nor a name"},
		{"CORS_ORIGINS", "null", "not an http"},
		{"CORS_ORIGINS", "a.example", "not an http"},
		{"SITE_URL", "https://a.example/login", "after the host"},
		{"SITE_URL", "https://a.example?", "after the host"},
		{"SITE_URL", "https://a.example#", "after the host"},
		{"SITE_URL", "https://a.example:99999", "0 to 65535"},
		{"SITE_URL", "https://a.example:", "0 to 65535"},
		{"SITE_URL", "https://", "no host"},
		{"BREACHED_PASSWORDS", "/nowhere/breached.txt", "/nowhere/breached.txt"},
		{"BREACHED_PASSWORDS", "/", "expected a file that can be read, or nothing"},
	} {
		t.Run(tt.name+" "+tt.in, func(t *testing.T) {
			_, err := load(t, []string{"LATCHKEY_" + tt.name + "=" + tt.in})
			wantLine(t, err, "environment: LATCHKEY_"+tt.name, tt.want)
			if err != nil && strings.Contains(err.Error(), "pw") {
				t.Errorf("a password is repeated: %v", err)
			}
		})
	}
}

func TestListsInAFile(t *testing.T) {
	want := mustLoad(t, []string{"LATCHKEY_TRUSTED_PROXIES=10.0.0.1,10.1.0.0/16"})
	for name, file := range map[string]string{
		"as lines":       "trusted_proxies:\n  - 10.0.0.1\n  - 10.1.0.0/16\n",
		"in brackets":    "trusted_proxies: [10.0.0.1, '10.1.0.0/16']\n",
		"as one text":    "trusted_proxies: 10.0.0.1, 10.1.0.0/16 # office\n",
		"in braces":      "{trusted_proxies: [10.0.0.1, 10.1.0.0/16]}\n",
		"from an editor": "\ufefftrusted_proxies: 10.0.0.1,10.1.0.0/16\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := mustLoad(t, nil, "--config", write(t, "c.yaml", file))
			if diff := cmp.Diff(want, got, sameValues); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	got := mustLoad(t, nil, "--trusted-proxies", "10.0.0.1", "--trusted-proxies=10.1.0.0/16")
	if diff := cmp.Diff(want, got, sameValues); diff != "" {
		t.Errorf("a flag given twice: -want +got\n%s", diff)
	}
}

func TestABareFlagIsTrue(t *testing.T) {
	if !mustLoad(t, []string{"LATCHKEY_ACCESS_LOG=no"}, "--access-log").AccessLog {
		t.Error("--access-log is false")
	}
}
