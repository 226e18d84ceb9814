package config

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// Config is what one process runs with. Relative paths start at the working
// directory.
type Config struct {
	Data string // folder for the database and keys
	DB   string // sqlite:PATH; empty is latchkey.db in Data

	HTTP           string         // host:port to listen on; an empty host is all interfaces, port 0 any free port
	TLSCert        string         // PEM file; empty serves plain HTTP
	TLSKey         string         // PEM file; set exactly when TLSCert is
	TrustedProxies []netip.Prefix // peers whose X-Forwarded-For is believed; masked, no zones
	SFTP           string         // host:port of the SFTP door; empty is off
	SFTPRoot       string         // folder that all accounts' files lie in; empty is files in Data
	SFTPMax        int            // SFTP connections at once
	SFTPMaxAccount int            // of them, of one account
	SiteURL        string         // scheme://host[:port] as browsers see it, no slash at the end; may be empty
	CORSOrigins    []string       // scheme://host[:port] each, or one "*"; empty lets no other site in

	TokenLifetime time.Duration // of a login, from sign-in
	IdleTimeout   time.Duration // unused for that long, a login is over; 0 is never
	GrantLifetime time.Duration // of what an app was given, and of logins with a pair of tokens, however often they are refreshed
	TouchEvery    time.Duration // how stale "last active" may get
	CacheSize     int           // logins remembered in memory
	HashWorkers   int           // password hashes computed at once; 0 leaves one core free (see Hashers)
	HashQueue     int           // sign-ins that may wait for a hash

	BreachedPasswords string // file of SHA-1 hashes in order; empty checks no new password against one

	LogLevel        slog.Level
	LogFormat       string // "text" or "json"
	AccessLog       bool   // one line per request
	ShutdownTimeout time.Duration

	AuditKeep time.Duration // how old security events in the database get
	AuditLog  string        // file that takes a line for every security event; may be empty

	Notices

	AdminPassword Secret // for the first start; unset has one made up
	MasterKey     Secret // 64 hex digits (see MasterKeyBytes); unset has one kept in Data
	NewMasterKey  Secret // as MasterKey: what is put in its place on request
}

// Defaults is the configuration of a process that was told nothing.
func Defaults() Config {
	return Config{
		Data:            "./data",
		HTTP:            "127.0.0.1:5244",
		SFTP:            "127.0.0.1:5222",
		SFTPMax:         2000,
		SFTPMaxAccount:  64,
		CORSOrigins:     []string{"*"},
		TokenLifetime:   48 * time.Hour,
		GrantLifetime:   year,
		TouchEvery:      time.Minute,
		CacheSize:       1_000_000,
		HashQueue:       64,
		LogLevel:        slog.LevelInfo,
		LogFormat:       "text",
		AccessLog:       true,
		ShutdownTimeout: 30 * time.Second,
		AuditKeep:       2160 * time.Hour,
		Notices:         Notices{SMTPPort: smtpPort, SMTPTLS: smtpStart},
	}
}

// Load is the effective configuration. fs is parsed and has the flags of Flags
// (some may be missing); environ is what os.Environ gives. The error is
// Mistakes and holds every mistake found.
func Load(fs *pflag.FlagSet, environ []string) (Config, error) {
	src := gather(fs, environ)
	c := Defaults()
	bad := append(src.mistakes, src.apply(&c)...)
	bad = append(bad, src.secrets.apply(&c)...)
	if c.DB == "" {
		c.DB = sqlitePrefix + c.SQLitePath()
	}
	bad = append(bad, c.check(src.origin, src.rejected)...)
	if err := bad.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Validate reports every mistake, as Mistakes. It looks at the TLS files but
// not at the data folder.
func (c Config) Validate() error {
	return c.check(func(s setting) origin { return origin{"configuration", s.key()} }, nil).err()
}

// SQLitePath is the database's file.
func (c Config) SQLitePath() string {
	if c.DB == "" {
		return filepath.Join(c.Data, "latchkey.db")
	}
	return strings.TrimPrefix(c.DB, sqlitePrefix)
}

// SFTPFolder is the folder that all accounts' files lie in, and whether it is
// ours to make.
func (c Config) SFTPFolder() (path string, ours bool) {
	if c.SFTPRoot == "" {
		return filepath.Join(c.Data, "files"), true
	}
	return c.SFTPRoot, false
}

// Hashers is how many password hashes may be computed at once: HashWorkers, or
// all cores but one, from 1 to 64.
func (c Config) Hashers() int {
	if c.HashWorkers > 0 {
		return c.HashWorkers
	}
	return min(max(1, runtime.GOMAXPROCS(0)-1), maxHashWorkers)
}
