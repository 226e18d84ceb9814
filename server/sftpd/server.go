package sftpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"latchkey/service/connection"
	"latchkey/service/fault"
	"latchkey/service/session"
)

// Server is the door. It serves once.
type Server struct {
	Deps

	cfg  Config
	keys []HostKey
	root *os.Root
	gate gate
	wg   sync.WaitGroup // everything that serves a connection
}

// New makes the door. Nothing is opened before Open.
func New(cfg Config, d Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Server{Deps: d, cfg: cfg, gate: gate{all: cfg.Waiting, perSource: cfg.WaitingPerSource}}, nil
}

// Open opens the root folder. The keys are what the server proves itself with.
// The caller closes the Server.
func (s *Server) Open(keys []HostKey) error {
	s.keys = keys
	if s.cfg.MakeRoot {
		if err := os.MkdirAll(s.cfg.Root, 0o700); err != nil {
			return fmt.Errorf("make SFTP root: %w", err)
		}
	}
	root, err := os.OpenRoot(s.cfg.Root)
	if errors.Is(err, os.ErrNotExist) {
		whole, _ := filepath.Abs(s.cfg.Root)
		return fmt.Errorf("SFTP root %s is not there: make it, or name another folder with --sftp-root", whole)
	}
	if err != nil {
		return fmt.Errorf("open SFTP root: %w", err)
	}
	s.root = root
	return nil
}

// Close closes what Open opened.
func (s *Server) Close() error {
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

// Serve answers on the listener until ctx ends, then waits for open files, for
// so long as the configuration says, and returns nil. It closes the listener,
// and comes after Open.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	behind, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.wg.Go(func() { s.hold(behind) })
	unhook := context.AfterFunc(ctx, func() { _ = listener.Close() })
	err := s.accept(behind, listener)
	unhook()
	if ctx.Err() != nil {
		err = nil
	}
	_ = listener.Close() // closed already, unless accepting failed
	s.drain(behind)
	stop()
	s.wg.Wait()
	return err
}

// drain ends what is left, open files last.
func (s *Server) drain(ctx context.Context) {
	s.gate.clear()
	if n := s.busy(); n > 0 {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "waiting for files that are open over SFTP",
			slog.Int("connections", n), slog.Duration("at_most", s.cfg.Drain))
	}
	grace, cancel := context.WithTimeout(ctx, s.cfg.Drain)
	defer cancel()
	if n := s.Connections.Drain(grace); n > 0 {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "SFTP transfers that took too long were cut off",
			slog.Int("connections", n), slog.Duration("after", s.cfg.Drain))
	}
}

// busy is how many connections have files open.
func (s *Server) busy() (n int) {
	for _, v := range s.Connections.Views("") {
		if len(v.Transfers) > 0 {
			n++
		}
	}
	return n
}

// acceptAgain is how long a listener rests that has no file descriptor left.
const acceptAgain = 50 * time.Millisecond

func (s *Server) accept(ctx context.Context, listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			s.wg.Go(func() { s.welcome(ctx, conn) })
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serve %s: %w", listener.Addr(), err)
		default:
			s.Log.LogAttrs(ctx, slog.LevelWarn, "accept SFTP connection", slog.Any("error", err))
			select {
			case <-time.After(acceptAgain):
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// hold renews the logins that connections hang on, and ends the connections
// whose logins or keys are over, and those that nobody uses.
func (s *Server) hold(ctx context.Context) {
	tick := time.NewTicker(s.cfg.HoldEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) sweep(ctx context.Context) {
	all := s.Connections.All()
	latest := map[string]session.Held{} // by login: parallel connections share one
	for _, c := range all {
		h := session.Held{LoginID: c.LoginID, DeviceKey: c.DeviceKey, UsedAt: c.UsedAt(), UserAgent: c.Client, Address: c.Address}
		if h.UsedAt.After(latest[c.LoginID].UsedAt) {
			latest[c.LoginID] = h
		}
	}
	held := make([]session.Held, 0, len(latest))
	for _, h := range latest {
		held = append(held, h)
	}
	if _, err := s.Sessions.Hold(ctx, held); err != nil {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "hold SFTP logins", slog.Any("error", err))
	}
	idleSince := s.Now().Add(-s.cfg.Idle)
	for _, c := range all {
		if c.IsIdle(idleSince) || isOver(c.Judge(ctx)) {
			s.end(ctx, c)
		}
	}
}

// isOver reports whether a connection is certain to be over. That the database
// is away for a moment ends nobody's transfer; an ending needs it too.
func isOver(err error) bool {
	return err != nil && fault.Of(err).Kind != fault.Internal && fault.Of(err).Kind != fault.Unavailable
}

// end hangs up without waiting for what is under way.
func (*Server) end(ctx context.Context, c *connection.Connection) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	c.End(ctx)
}
