package server

import "time"

// Limits are what a client may take.
type Limits struct {
	Header, Read, Idle time.Duration
	HeaderBytes        int
}

// DefaultLimits are those of a real server.
func DefaultLimits() Limits {
	l := defaultLimits()
	return Limits{l.header, l.read, l.idle, l.headerBytes}
}

// Hurry shortens how long clients may take over their header and their body.
func (a *App) Hurry(header, read time.Duration) { a.limits.header, a.limits.read = header, read }

// GiveUp shortens how long a command waits for a running server.
func (a *App) GiveUp(after time.Duration) { a.limits.command = after }
