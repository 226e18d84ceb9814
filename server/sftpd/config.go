package sftpd

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"latchkey/service/account"
	"latchkey/service/connection"
	"latchkey/service/login"
	"latchkey/service/session"
	"latchkey/service/setting"
	"latchkey/service/sshkey"
)

// Config is what the door is told at start.
type Config struct {
	Root     string         // the folder that all accounts' files lie in
	MakeRoot bool           // make it if it is missing
	Trusted  []netip.Prefix // peers whose PROXY header is believed

	Grace     time.Duration // from connecting to having signed in
	Idle      time.Duration // a connection on which nothing is open or asked for so long ends
	HoldEvery time.Duration // how often connections prove that their logins live
	Drain     time.Duration // how long open files may take when the server stops

	Waiting          int // connections that have not signed in
	WaitingPerSource int // of them, from one address (IPv6: one /64)
	Channels         int // of one connection
	Open             int // files and folders open on one connection
}

// Defaults is a configuration without a root.
func Defaults() Config {
	return Config{
		Grace: 30 * time.Second, Idle: 30 * time.Minute, HoldEvery: time.Minute, Drain: 30 * time.Second,
		Waiting: 300, WaitingPerSource: 50, Channels: 10, Open: 256,
	}
}

// Validate reports every mistake in the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Root == "" {
		errs = append(errs, errors.New("sftp: no root folder"))
	}
	if min(c.Grace, c.Idle, c.HoldEvery, c.Drain) <= 0 {
		errs = append(errs, errors.New("sftp: times must be positive"))
	}
	if min(c.Waiting, c.WaitingPerSource, c.Channels, c.Open) <= 0 {
		errs = append(errs, errors.New("sftp: limits must be positive"))
	}
	return errors.Join(errs...)
}

// Deps are the services behind the door.
type Deps struct {
	Login       *login.Service
	Accounts    *account.Service
	Sessions    *session.Service
	SSHKeys     *sshkey.Service
	Settings    *setting.Service
	Connections *connection.Registry
	Log         *slog.Logger
	Now         func() time.Time
}
