package sftpd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/service/access"
	"latchkey/service/connection"
	"latchkey/service/fault"
)

// errTerms says that what a connection was opened with is not so any more. The
// client signs in again and is served on the new terms.
var errTerms = fault.New(fault.Unauthenticated, "sftp_terms", "the account's rights have changed")

// welcome serves one connection from its first byte to its last.
func (s *Server) welcome(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer s.survive(ctx)
	hangUp := sync.OnceFunc(func() {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // what the kernel still holds is not sent either
		}
		_ = conn.Close()
	})
	w := s.gate.enter(hangUp)
	defer s.gate.leave(w)
	grace := time.AfterFunc(s.cfg.Grace, hangUp)
	defer grace.Stop()

	spoken, address := s.peer(conn)
	s.gate.locate(w, address)
	inTime, cancel := context.WithTimeout(ctx, s.cfg.Grace)
	defer cancel()
	v := &visitor{server: s, ctx: inTime, address: address}
	sshConn, channels, requests, err := ssh.NewServerConn(spoken, v.config())
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelDebug, "SFTP connection did not sign in", slog.String("address", address), slog.Any("error", err))
		v.refused(ctx)
		return
	}
	if !grace.Stop() || !s.gate.leave(w) {
		return // hung up at this moment
	}
	c, err := s.register(ctx, sshConn, address, hangUp)
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "SFTP connection refused after sign-in", slog.Any("error", err))
		return
	}
	defer s.Connections.Remove(c.Connection)
	c.serve(ctx, channels, requests)
}

// survive keeps one connection's bug from ending the others.
func (s *Server) survive(ctx context.Context) {
	if p := recover(); p != nil {
		s.panicked(ctx, p)
	}
}

func (s *Server) panicked(ctx context.Context, p any) {
	s.Log.LogAttrs(ctx, slog.LevelError, "SFTP connection panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
}

// client is a connection that has signed in.
type client struct {
	*connection.Connection
	entrant

	server  *Server
	account *access.Account // as it was at sign-in
}

// register makes the connection one that endings hang up, and then looks whether
// something had ended before (rulings 1: an ending beats racing sign-ins).
func (s *Server) register(ctx context.Context, conn *ssh.ServerConn, address string, hangUp func()) (*client, error) {
	who, ok := conn.Permissions.ExtraData[entrantKey{}].(entrant)
	if !ok {
		return nil, errors.New("nobody has signed in")
	}
	account, err := s.Accounts.Snapshot(ctx, who.opened.AccountKey)
	if err != nil {
		return nil, err
	}
	c := &client{entrant: who, server: s, account: account}
	c.Connection = connection.New(connection.Info{
		AccountKey: account.Key, DeviceKey: who.opened.DeviceKey, LoginID: who.opened.LoginID, KeyTitle: who.key.Title,
		Client: clientName(conn.ClientVersion()), Address: address, ConnectedAt: s.Now(),
	}, connection.Hooks{Judge: c.standing, HangUp: hangUp}, s.cfg.Open, s.Now)
	if err := s.Connections.Add(c.Connection); err != nil {
		return nil, err
	}
	if err := c.standing(ctx); err != nil {
		s.Connections.Remove(c.Connection)
		return nil, err
	}
	return c, nil
}

// standing fails unless the connection's login lives and all is as it was when
// it signed in: whoever loses a right is hung up, and finds that out by signing
// in again.
func (c *client) standing(ctx context.Context) error {
	if err := c.server.Sessions.Standing(ctx, c.LoginID); err != nil {
		return err
	}
	now, err := c.server.Accounts.Snapshot(ctx, c.AccountKey)
	if err != nil {
		return err
	}
	if now.Disabled || now.IsGuest() || now.MustEnrol() || !mayEnter(now) || !sameRights(now, c.account) {
		return errTerms
	}
	if c.fingerprint == "" {
		return nil
	}
	return c.keyStanding(ctx)
}

// mayEnter reports whether the account may use the door: between signing in and
// being served it may have lost that.
func mayEnter(a *access.Account) bool { return a.RightsAt(a.BasePath)&access.RightSFTP != 0 }

// sameRights reports whether both may do the same to the same files.
func sameRights(a, b *access.Account) bool {
	return a.BasePath == b.BasePath && slices.Equal(a.RoleIDs, b.RoleIDs) && slices.Equal(a.Permissions, b.Permissions)
}

// keyStanding fails unless the key may still sign in, with the limits it had.
func (c *client) keyStanding(ctx context.Context) error {
	key, err := c.server.SSHKeys.ForSignIn(ctx, c.AccountKey, c.fingerprint, c.Address)
	if err != nil {
		return err
	}
	if key.ID != c.key.ID || key.ReadOnly != c.key.ReadOnly || key.Path != c.key.Path {
		return errTerms
	}
	return nil
}
