package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"latchkey/model/sqlstore"
	"latchkey/server/alist"
	"latchkey/server/config"
	"latchkey/server/consent"
	"latchkey/server/courier"
	"latchkey/server/mailed"
	"latchkey/server/newkey"
	"latchkey/server/openid"
	"latchkey/server/sftpd"
	"latchkey/server/signin"
	"latchkey/service/account"
	"latchkey/service/admin"
	"latchkey/service/apikey"
	"latchkey/service/audit"
	"latchkey/service/authn"
	"latchkey/service/client"
	"latchkey/service/connection"
	"latchkey/service/grant"
	"latchkey/service/importer"
	"latchkey/service/keyring"
	"latchkey/service/login"
	"latchkey/service/oauth"
	"latchkey/service/outbox"
	"latchkey/service/password"
	"latchkey/service/profile"
	"latchkey/service/revocation"
	"latchkey/service/secret"
	"latchkey/service/session"
	"latchkey/service/setting"
	"latchkey/service/sshkey"
	"latchkey/service/throttle"
	"latchkey/service/totp"
)

// Options are what an App takes from its surroundings. The zero value is right
// for production.
type Options struct {
	Out   io.Writer        // what the operator reads; nil discards it
	Log   *slog.Logger     // nil discards the log
	Now   func() time.Time // nil is the real clock
	Trace func(sql string) // told of every statement

	SFTP func(*sftpd.Config) // changes the SFTP door's times and limits, for tests that will not wait; nil leaves them

	HashMemoryKiB uint32 // Argon2's memory, for tests that want cheap sign-ins; 0 is the real cost
}

// App is an open server: the services, and the doors before them.
type App struct {
	Accounts *account.Service
	Sessions *session.Service
	Settings *setting.Service
	Profile  *profile.Service
	Admins   *admin.Service
	Apps     *client.Service
	Grants   *grant.Service
	OAuth    *oauth.Service
	Ring     *keyring.Ring
	Outbox   *outbox.Service

	cfg    config.Config
	opts   Options
	dir    *dataDir
	db     *sqlstore.DB
	hub    *revocation.Hub
	audit  *audit.Recorder
	who    *authn.Service
	api    *alist.API
	openid *openid.API

	provider *openid.Provider

	pages *mailed.API

	newKey  *newkey.API
	signin  *signin.API
	consent *consent.API

	mailer   *courier.Mailer // nil: no mail server is configured
	sshKeys  *sshkey.Service
	apiKeys  *apikey.Service
	live     *connection.Registry
	sftp     *sftpd.Server
	imports  *importer.Service
	wrapper  *importer.Wrapper
	guesses  *throttle.Service
	handler  http.Handler
	limits   limits
	serves   bool // not for one command only
	alone    bool // no other process has the folder open
	changed  bool // the keys are sealed under another master key than is configured
	sftpAddr net.Addr
	untold   error          // why a running server did not hear of an ending
	closers  []func() error // run last to first
}

// Open makes a server of the data folder: it takes the folder's lock, or fails
// with ErrRunning if another process keeps it, brings the database to this version, and founds an empty
// one. The caller closes the App.
func Open(ctx context.Context, cfg config.Config, opts Options) (*App, error) {
	a, err := newApp(cfg, opts)
	if err != nil {
		return nil, err
	}
	if err := a.open(ctx, true); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Attach opens the data folder for one command. If a server is running on it,
// the command works beside it, and the server hears of every ending before the
// command's act returns. The caller closes the App; Close fails if the server
// did not hear.
func Attach(ctx context.Context, cfg config.Config, opts Options) (*App, error) {
	a, err := newApp(cfg, opts)
	if err != nil {
		return nil, err
	}
	if err := a.open(ctx, false); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func newApp(cfg config.Config, opts Options) (*App, error) {
	if opts.Out == nil {
		opts.Out = io.Discard
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now //nolint:forbidigo // the real clock
	}
	dir, err := openDataDir(cfg.Data)
	if err != nil {
		return nil, err
	}
	return &App{
		cfg: cfg, opts: opts, dir: dir, hub: &revocation.Hub{}, audit: audit.New(opts.Log), limits: defaultLimits(),
	}, nil
}

func (a *App) open(ctx context.Context, serve bool) error {
	a.serves = serve
	alone, err := a.claim(ctx)
	switch {
	case err != nil:
		return err
	case alone:
		a.alone = true
		a.closers = append(a.closers, a.dir.lock.Unlock)
	case serve:
		return ErrRunning
	default:
		a.hub.Subscribe(a.tellServer)
		a.closers = append(a.closers, func() error { return a.untold })
	}
	if err := a.openStore(ctx); err != nil {
		return err
	}
	if err := a.openAudit(ctx); err != nil {
		return err
	}
	if err := a.openServices(ctx); err != nil {
		return err
	}
	if serve { // a command counts nothing
		if err := a.guesses.Load(ctx); err != nil {
			return err
		}
	}
	if err := a.found(ctx); err != nil {
		return err
	}
	handler, err := a.routes() //nolint:contextcheck // handlers take the context of their request
	a.handler = handler
	return err
}

// openStore opens the database and the keys that its secrets are sealed under.
func (a *App) openStore(ctx context.Context) error {
	path := a.cfg.SQLitePath()
	master, err := a.masterKey(exists(path))
	if err != nil {
		return err
	}
	if a.db, err = sqlstore.Open(path, sqlstore.Options{Trace: a.opts.Trace}); err != nil {
		return err
	}
	a.closers = append(a.closers, a.db.Close)
	if _, err := a.db.Migrate(ctx); err != nil {
		return err
	}
	a.Ring, err = a.openRing(ctx, master)
	return err
}

func (a *App) masterKey(databaseExists bool) ([]byte, error) {
	if key := a.cfg.MasterKeyBytes(); key != nil {
		return key, nil
	}
	return a.dir.masterKey(databaseExists)
}

func (a *App) openServices(ctx context.Context) error {
	var err error
	seal := setting.Sealer{Seal: a.Ring.Seal, Open: a.Ring.Open}
	if a.Settings, err = setting.New(ctx, a.db.Settings(), seal); err != nil {
		return err
	}
	a.hub.Subscribe(a.refresh)
	hasher, err := password.New(a.hasherConfig())
	if err != nil {
		return err
	}
	policy, err := a.openPolicy()
	if err != nil {
		return err
	}
	passwords := a.openImports(hasher)
	sessions := session.Config{
		Lifetime: a.cfg.TokenLifetime, IdleTimeout: a.cfg.IdleTimeout,
		TouchEvery: a.cfg.TouchEvery, CacheSize: a.cfg.CacheSize,
	}
	if err := sessions.Validate(); err != nil {
		return err
	}
	if err := a.openThrottle(ctx); err != nil {
		return err
	}
	a.Accounts = account.New(a.db.Accounts(), a.hub, a.audit, a.opts.Now, a.cfg.CacheSize)
	a.Sessions = session.New(sessions, session.Deps{
		Store: a.db.Logins(), Ring: a.Ring, Hub: a.hub, Audit: a.audit, Log: a.opts.Log,
		Now: a.opts.Now, DeviceTTL: a.Settings.DeviceTTL,
	})
	return a.openFlows(ctx, hasher, policy, passwords)
}

// openFlows opens what strings the services together, and the doors before them.
func (a *App) openFlows(ctx context.Context, hasher *password.Hasher, policy password.Policy, passwords *password.Checker) error {
	factors := totp.New(a.db.TOTP(), a.Ring, a.hub, a.opts.Now, a.audit.Record)
	a.sshKeys = sshkey.New(a.db.SSHKeys(), a.hub, a.opts.Now, a.audit.Record, a.Settings.SSHKeyUnused)
	watcher, err := a.openWatch(hasher, policy, passwords)
	if err != nil {
		return err
	}
	a.openAPIKeys(ctx, watcher)
	logins := login.New(login.Deps{
		Accounts: a.Accounts, Sessions: a.Sessions, Settings: a.Settings, Hasher: hasher, Passwords: passwords,
		Factors: factors, Throttle: a.guesses, SSHKeys: a.sshKeys, Audit: a.audit, Upgrade: a.wrapper.Upgrade,
		NewDevice: watcher.NewDevice,
	})
	a.Profile = profile.New(profile.Deps{
		Accounts: a.Accounts, Hasher: hasher, Policy: policy, Passwords: passwords, Factors: factors, Throttle: a.guesses,
		Audit: a.audit, Now: a.opts.Now, Login: logins, Sessions: a.Sessions, Settings: a.Settings, SSHKeys: a.sshKeys,
		APIKeys: a.apiKeys, NewAPIKey: watcher.APIKeyMade,
	})
	if a.newKey, err = a.openNewKey(); err != nil {
		return err
	}
	if err := a.openApps(); err != nil {
		return err
	}
	if err := a.openGrants(watcher); err != nil {
		return err
	}
	a.openOAuth(logins)
	a.who = authn.New(authn.Deps{
		Accounts: a.Accounts, Sessions: a.Sessions, Settings: a.Settings, Keys: a.apiKeys, Tokens: a.Grants, Throttle: a.guesses, Audit: a.audit,
	})
	a.Admins = admin.New(admin.Deps{
		Accounts: a.Accounts, Settings: a.Settings, Hasher: hasher, Policy: policy, Factors: factors, Throttle: a.guesses, Apps: a.Apps,
		Audit: a.audit, EmailSet: watcher.EmailSet, Now: a.opts.Now,
	})
	a.openid = openid.New(openid.Deps{Admin: a.Admins, Apps: a.Apps})
	a.live = connection.NewRegistry(connection.Limits{All: a.cfg.SFTPMax, PerAccount: a.cfg.SFTPMaxAccount})
	a.hub.Subscribe(a.live.Heed) // after those who remember: it asks them
	a.api = alist.New(alist.Deps{
		Admin: a.Admins, Accounts: a.Accounts, Login: logins, Profile: a.Profile, Sessions: a.Sessions,
		Settings: a.Settings, Factors: factors, SSHKeys: a.sshKeys, Audit: a.audit, Watch: watcher, Connections: a.live,
		APIKeys: a.apiKeys, Leaks: a.newLeaks(), KeyLink: a.keyLink,
	})
	if err := a.openBrowse(logins); err != nil {
		return err
	}
	return a.openSFTP(logins, a.sshKeys)
}

func (a *App) hasherConfig() password.Config {
	cfg := password.Defaults()
	cfg.Workers, cfg.Queue = a.cfg.Hashers(), a.cfg.HashQueue
	if a.opts.HashMemoryKiB != 0 {
		cfg.MemoryKiB = a.opts.HashMemoryKiB
	}
	return cfg
}

// refresh reads again what one notice says may all have changed.
func (a *App) refresh(ctx context.Context, n revocation.Notice) {
	if n != (revocation.Notice{}) {
		return
	}
	if err := a.reread(ctx); err != nil {
		a.opts.Log.LogAttrs(ctx, slog.LevelError, "refresh", slog.Any("error", err))
	}
}

// reread reads keys and settings again.
func (a *App) reread(ctx context.Context) error {
	return errors.Join(a.Ring.Refresh(ctx), a.Settings.Reload(ctx))
}

// found fills an empty database and tells the operator the admin's password,
// this once.
func (a *App) found(ctx context.Context) error {
	if a.Settings.Get(setting.KeyToken) == "" {
		if err := a.Settings.Save(ctx, map[string]string{setting.KeyToken: secret.StaticToken()}); err != nil {
			return err
		}
	}
	empty, err := a.Accounts.Empty(ctx)
	if err != nil || !empty {
		return err
	}
	plain, given := a.cfg.AdminPassword.Reveal(), true
	if plain == "" {
		plain, given = a.RandomPassword(), false
	}
	if err := a.Profile.Found(ctx, plain); err != nil {
		return fmt.Errorf("set up the admin's password (LATCHKEY_ADMIN_PASSWORD): %w", err)
	}
	return a.greet(plain, given)
}

func (a *App) greet(plain string, given bool) error {
	if given {
		plain = "(as given in LATCHKEY_ADMIN_PASSWORD)"
	}
	_, err := fmt.Fprintf(a.opts.Out, `Latchkey is set up in %s

  name      admin
  password  %s

This is shown once. To choose another password:  latchkey admin set-password%s
`, a.dir.path, plain, a.dataFlag())
	return err
}

// dataFlag is what a command needs to find the folder.
func (a *App) dataFlag() string {
	if a.cfg.Data == config.Defaults().Data {
		return ""
	}
	return " --data " + a.cfg.Data
}

// Handler is the HTTP doors.
func (a *App) Handler() http.Handler { return a.handler }

// Close closes what Open opened, in reverse order.
func (a *App) Close() error {
	var errs []error
	for _, closeIt := range slices.Backward(a.closers) {
		errs = append(errs, closeIt())
	}
	a.closers = nil
	return errors.Join(errs...)
}
