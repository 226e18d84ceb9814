package server

import "time"

// DefaultLimits are how long a client may take over its header and its body,
// how long a connection may idle, and the bytes of a header.
func DefaultLimits() (header, read, idle time.Duration, headerBytes int) {
	l := defaultLimits()
	return l.header, l.read, l.idle, l.headerBytes
}

// Hurry shortens how long clients may take over their header and their body.
func (a *App) Hurry(header, read time.Duration) { a.limits.header, a.limits.read = header, read }

// GiveUp shortens how long a command waits for a running server.
func (a *App) GiveUp(after time.Duration) { a.limits.command = after }
