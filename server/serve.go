package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// limits cut silent, dripping and oversized clients (H-04), and commands that
// nobody answers.
type limits struct {
	header      time.Duration // from connecting, or from the last answer's end, to the end of the header
	read        time.Duration // to the end of the body
	write       time.Duration // to the end of the answer
	idle        time.Duration // between requests
	headerBytes int
	command     time.Duration // how long a command waits for a running server
	follow      time.Duration // how often a server looks for keys that nobody told it of
}

func defaultLimits() limits {
	return limits{
		header: 10 * time.Second, read: 30 * time.Second, write: 60 * time.Second, idle: 120 * time.Second,
		headerBytes: 64 << 10, command: 5 * time.Second, follow: time.Minute,
	}
}

// Serve listens and answers until ctx ends, then finishes the requests under
// way and returns nil. Those that take longer than the shutdown timeout are cut
// off, which is no failure: a client must not decide how the server ends. ready, if it is not nil, is told the address once
// requests are answered.
func (a *App) Serve(ctx context.Context, ready func(addr net.Addr)) error {
	listener, err := a.listen(ctx)
	if err != nil {
		return err
	}
	sftpListener, err := a.listenSFTP(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	control, err := a.openControl(ctx)
	if err != nil {
		return errors.Join(err, listener.Close(), closeIfOpen(sftpListener))
	}
	group, ctx := errgroup.WithContext(ctx)
	// What serves the door outlives it, so that the last requests are noted and
	// commands are heard until the last answer.
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return a.Sessions.Run(behind) })
	group.Go(func() error { return a.guesses.Run(behind) })
	group.Go(func() error { return a.Grants.Run(behind) })
	group.Go(func() error { return a.apiKeys.Run(behind) })
	group.Go(func() error { return a.audit.Run(behind) })
	group.Go(func() error { return a.wrapper.Run(ctx) })
	group.Go(func() error { return a.followKeys(behind) })
	group.Go(func() error { return a.Outbox.Run(ctx) })
	group.Go(func() error { return a.serveHTTP(behind, control.listener, control) })
	group.Go(func() error {
		defer stop()
		return a.serveDoors(ctx, listener, sftpListener)
	})
	a.opts.Log.LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("address", listener.Addr().String()))
	if ready != nil {
		ready(listener.Addr())
	}
	err = group.Wait()
	return errors.Join(err, control.remove())
}

// serveDoors answers at both doors until ctx ends and what is under way at both
// is finished. If one fails, the other ends too.
func (a *App) serveDoors(ctx context.Context, web, sftp net.Listener) error {
	doors, ctx := errgroup.WithContext(ctx)
	doors.Go(func() error { return a.serveHTTP(ctx, web, a.handler) })
	if sftp != nil {
		doors.Go(func() error { return a.sftp.Serve(ctx, sftp) })
	}
	return doors.Wait()
}

func closeIfOpen(listener net.Listener) error {
	if listener == nil {
		return nil
	}
	return listener.Close()
}

func (a *App) listen(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.HTTP)
	if err != nil {
		return nil, listenError(a.cfg.HTTP, "--http", err)
	}
	if a.cfg.TLSCert == "" {
		return listener, nil
	}
	cert, err := loadCertificate(a.cfg.TLSCert, a.cfg.TLSKey, a.opts.Now, a.opts.Log)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{
		GetCertificate: cert.forHandshake, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}

// listenError says what to do about the usual reasons.
func listenError(addr, flag string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s: another program does; stop it, or choose another address with %s", addr, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("cannot listen on %s: this machine has no such address; :PORT is all it has", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %s: this user may not; choose a port from 1024 on with %s", addr, flag)
	}
	return fmt.Errorf("listen on %s: %w", addr, err)
}

// serveHTTP answers on the listener until ctx ends and the requests under way
// are answered, or the time for that is up.
func (a *App) serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: a.limits.header,
		ReadTimeout:       a.limits.read,
		WriteTimeout:      a.limits.write,
		IdleTimeout:       a.limits.idle,
		MaxHeaderBytes:    a.limits.headerBytes,
		ErrorLog:          slog.NewLogLogger(a.opts.Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.ShutdownTimeout)
		defer cancel()
		stopped <- server.Shutdown(grace)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	if err := <-stopped; err != nil {
		a.opts.Log.LogAttrs(ctx, slog.LevelWarn, "requests that took too long were cut off",
			slog.Duration("after", a.cfg.ShutdownTimeout))
		return server.Close()
	}
	return nil
}
