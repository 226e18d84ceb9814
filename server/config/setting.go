package config

import (
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// setting is one row of the table that flags, variables, file keys, checks,
// the printed file and the reference all come from.
type setting struct {
	flag  string // without dashes in front
	usage string // one sentence for help, file and reference
	value
}

// envPrefix begins every variable of ours; testPrefix those of our tests.
const (
	envPrefix  = "LATCHKEY_"
	testPrefix = envPrefix + "TEST_"
)

// key is the setting's name in a file.
func (s setting) key() string { return strings.ReplaceAll(s.flag, "-", "_") }

// env is the setting's variable.
func (s setting) env() string { return envPrefix + strings.ToUpper(s.key()) }

const (
	year           = 8760 * time.Hour
	maxHashWorkers = 64
)

// settings is the table, in the order in which people meet it.
func settings() []setting {
	return slices.Concat(placeSettings(), loginSettings(), auditSettings(), noticeSettings())
}

func placeSettings() []setting {
	return []setting{
		{
			"data", "folder for the database and keys",
			text(func(c *Config) *string { return &c.Data }, folder, "the path of a folder"),
		},
		{
			"db", "database; empty is sqlite:DATA/latchkey.db",
			text(func(c *Config) *string { return &c.DB }, sqliteDSN, "sqlite:PATH, such as sqlite:/var/lib/latchkey/latchkey.db"),
		},
		{
			"http", "address to listen on; :5244 is all interfaces",
			text(func(c *Config) *string { return &c.HTTP }, hostPort, "host:port, such as 127.0.0.1:5244 or :5244"),
		},
		{
			"sftp", "address of the SFTP door; empty turns it off",
			text(func(c *Config) *string { return &c.SFTP }, hostPortOrNone, "host:port, such as 127.0.0.1:5222 or :5222, or nothing"),
		},
		{
			"sftp-root", "folder that all accounts' files lie in; empty is DATA/files",
			text(func(c *Config) *string { return &c.SFTPRoot }, anything, "the path of a folder that is there"),
		},
		{
			"sftp-max-connections", "SFTP connections at once",
			count(func(c *Config) *int { return &c.SFTPMax }, 1, 100_000),
		},
		{
			"sftp-max-per-account", "SFTP connections of one account at once",
			count(func(c *Config) *int { return &c.SFTPMaxAccount }, 1, 100_000),
		},
		{
			"tls-cert", "certificate chain (PEM file) to serve HTTPS with",
			text(func(c *Config) *string { return &c.TLSCert }, certFile, "a PEM file that can be read, or nothing"),
		},
		{
			"tls-key", "private key (PEM file) of the certificate",
			text(func(c *Config) *string { return &c.TLSKey }, keyFile, "a PEM file that only its owner can read, or nothing"),
		},
		{
			"trusted-proxies", "reverse proxies whose X-Forwarded-For (SFTP: PROXY header) is believed",
			list(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }, proxy, showProxy,
				"a list of addresses or CIDRs, such as 127.0.0.1,10.0.0.0/8"),
		},
		{
			"site-url", "address of this server as browsers see it",
			parsed(func(c *Config) *string { return &c.SiteURL }, siteURL, "http:// or https:// with a host, such as https://login.example.org"),
		},
		{
			"cors-origins", "sites whose pages may call the API; * is every site, empty none",
			origins(func(c *Config) *[]string { return &c.CORSOrigins },
				"*, or a list of origins such as https://files.example.org"),
		},
	}
}

func loginSettings() []setting {
	return []setting{
		{
			"token-lifetime", "how long a login lasts",
			span(func(c *Config) *time.Duration { return &c.TokenLifetime }, time.Minute, year),
		},
		{
			"idle-timeout", "end a login that was not used for this long; 0 is never",
			spanOrZero(func(c *Config) *time.Duration { return &c.IdleTimeout }, 5*time.Minute, year),
		},
		{
			"grant-lifetime", "how long an app's access lasts, and a login that has refresh tokens, however often they are refreshed",
			span(func(c *Config) *time.Duration { return &c.GrantLifetime }, time.Hour, 10*year),
		},
		{
			"touch-every", "how stale the time of last use may get",
			span(func(c *Config) *time.Duration { return &c.TouchEvery }, time.Second, 10*time.Minute),
		},
		{
			"cache-size", "logins remembered in memory",
			count(func(c *Config) *int { return &c.CacheSize }, 1000, 1_000_000_000),
		},
		{
			"hash-workers", "password hashes computed at once; 0 is all cores but one",
			count(func(c *Config) *int { return &c.HashWorkers }, 0, maxHashWorkers),
		},
		{
			"hash-queue", "sign-ins that may wait for a password hash",
			count(func(c *Config) *int { return &c.HashQueue }, 1, 10_000),
		},
		{
			"breached-passwords", "SHA-1 hashes of breached passwords, ordered by hash; new passwords must not be among them",
			text(func(c *Config) *string { return &c.BreachedPasswords }, certFile, "a file that can be read, or nothing"),
		},
		{
			"log-level", "least important message that is logged",
			level(func(c *Config) *slog.Level { return &c.LogLevel }),
		},
		{
			"log-format", "form of the log",
			text(func(c *Config) *string { return &c.LogFormat }, logFormat, "text or json").few(),
		},
		{
			"access-log", "log one line per request",
			truth(func(c *Config) *bool { return &c.AccessLog }),
		},
		{
			"shutdown-timeout", "how long requests may take to finish when the server stops",
			span(func(c *Config) *time.Duration { return &c.ShutdownTimeout }, time.Second, 5*time.Minute),
		},
	}
}

func auditSettings() []setting {
	return []setting{
		{
			"audit-keep", "how long security events are kept",
			span(func(c *Config) *time.Duration { return &c.AuditKeep }, 24*time.Hour, 10*year),
		},
		{
			"audit-log", "file that takes every security event as a line of JSON, for fail2ban and the like",
			text(func(c *Config) *string { return &c.AuditLog }, logFile, "the path of a file in a folder that is there, or nothing"),
		},
	}
}

// fileSetting names the file that the other settings may be in.
func fileSetting() setting {
	return setting{flag: "config", usage: "YAML file with these settings, names written with _", value: value{kind: kindText}}
}

// Flags declares every setting's flag. Values are read as text and judged by
// Load, so that all mistakes are told together.
func Flags(fs *pflag.FlagSet) {
	defaults := Defaults()
	fs.Var(&flagText{kind: kindText}, fileSetting().flag, help(fileSetting()))
	for _, s := range settings() {
		f := fs.VarPF(&flagText{text: s.text(defaults), kind: s.kind}, s.flag, "", help(s))
		if s.kind == kindTruth {
			f.NoOptDefVal = "true"
		}
	}
}

func help(s setting) string {
	usage := s.usage
	if s.told {
		usage += ": " + s.want
	}
	return usage + " (" + s.env() + ")"
}

// SecretNames are the variables that secrets come from, in the order in which
// people meet them. The same names with _FILE name a file instead.
func SecretNames() []string {
	var names []string
	for _, s := range secretSettings() {
		names = append(names, s.env)
	}
	return names
}

// flagText is a pflag.Value that takes any text. A list may be given in parts.
type flagText struct {
	text  string
	kind  kind
	given bool
}

// String is the text given, or the default.
func (f *flagText) String() string { return f.text }

// Type is the word for the value in help.
func (f *flagText) Type() string { return string(f.kind) }

// Set takes the text; a list grows with each call.
func (f *flagText) Set(text string) error {
	if f.given && f.kind == kindList {
		text = f.text + "," + text
	}
	f.text, f.given = text, true
	return nil
}
