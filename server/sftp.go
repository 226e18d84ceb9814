package server

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"latchkey/server/sftpd"
	"latchkey/service/login"
	"latchkey/service/sshkey"
)

func (a *App) openSFTP(signIn *login.Service, keys *sshkey.Service) error {
	cfg := sftpd.Defaults()
	cfg.Root, cfg.MakeRoot = a.cfg.SFTPFolder()
	cfg.Trusted, cfg.Drain = a.cfg.TrustedProxies, a.cfg.ShutdownTimeout
	if a.opts.SFTP != nil {
		a.opts.SFTP(&cfg)
	}
	var err error
	a.sftp, err = sftpd.New(cfg, sftpd.Deps{
		Login: signIn, Accounts: a.Accounts, Sessions: a.Sessions, SSHKeys: keys, Settings: a.Settings,
		Connections: a.live, Log: a.opts.Log, Now: a.opts.Now,
	})
	return err
}

// HostKeys are the keys that the SFTP door proves itself with. Those that are
// missing are made.
func (a *App) HostKeys() ([]sftpd.HostKey, error) { return sftpd.HostKeys(a.dir.path) }

// ServeSFTP answers on the listener until ctx ends, finishes open files within
// the shutdown timeout, and returns nil. It may be called once.
func (a *App) ServeSFTP(ctx context.Context, listener net.Listener) error {
	if err := a.prepareSFTP(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	return a.sftp.Serve(ctx, listener)
}

// prepareSFTP does all that can fail before anybody is told that the door is
// open.
func (a *App) prepareSFTP(ctx context.Context) error {
	keys, err := a.HostKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		a.opts.Log.LogAttrs(ctx, slog.LevelInfo, "SSH host key",
			slog.String("type", key.Signer.PublicKey().Type()), slog.String("fingerprint", key.Fingerprint()))
	}
	a.closers = append(a.closers, a.sftp.Close)
	return a.sftp.Open(keys)
}

// SFTPAddr is where the SFTP door is once Serve says that it is ready; nil if it
// is turned off.
func (a *App) SFTPAddr() net.Addr { return a.sftpAddr }

// listenSFTP is nil without an error if the door is turned off.
func (a *App) listenSFTP(ctx context.Context) (net.Listener, error) {
	if a.cfg.SFTP == "" {
		return nil, nil //nolint:nilnil // no listener is a configuration
	}
	if err := a.prepareSFTP(ctx); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.SFTP)
	if err != nil {
		return nil, listenError(a.cfg.SFTP, "--sftp", err)
	}
	a.sftpAddr = listener.Addr()
	a.opts.Log.LogAttrs(ctx, slog.LevelInfo, "listening for SFTP", slog.String("address", listener.Addr().String()))
	return listener, nil
}
