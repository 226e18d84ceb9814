package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits that cut silent, dripping and oversized clients (security.md H-04).
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 30 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = 120 * time.Second
	maxHeaderBytes = 64 << 10
)

// Serve listens and answers until ctx ends, then finishes the requests under
// way and returns nil. ready, if it is not nil, is told the address once
// requests are answered.
func (a *App) Serve(ctx context.Context, ready func(addr net.Addr)) error {
	listener, err := a.listen(ctx)
	if err != nil {
		return err
	}
	control, err := a.openControl(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	group, ctx := errgroup.WithContext(ctx)
	// The upkeep outlives the doors, so that the last requests are noted too.
	upkeep, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return a.Sessions.Run(upkeep) })
	group.Go(func() error {
		defer stop()
		doors, ctx := errgroup.WithContext(ctx)
		doors.Go(func() error { return a.serveHTTP(ctx, listener, a.handler) })
		doors.Go(func() error { return a.serveHTTP(ctx, control.listener, control) })
		return doors.Wait()
	})
	a.opts.Log.LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("address", listener.Addr().String()))
	if ready != nil {
		ready(listener.Addr())
	}
	err = group.Wait()
	return errors.Join(err, control.remove())
}

func (a *App) listen(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", a.cfg.HTTP)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a.cfg.HTTP, err)
	}
	if a.cfg.TLSCert == "" {
		return listener, nil
	}
	cert, err := tls.LoadX509KeyPair(a.cfg.TLSCert, a.cfg.TLSKey)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load TLS certificate: %w", err), listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}), nil
}

// serveHTTP answers on the listener until ctx ends and the requests under way
// are answered, or the time for that is up.
func (a *App) serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
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
		return errors.Join(fmt.Errorf("finish requests: %w", err), server.Close())
	}
	return nil
}
