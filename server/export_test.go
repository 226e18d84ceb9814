package server

import (
	"context"
	"time"

	"latchkey/service/access"
	"latchkey/service/apikey"
)

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

// BeginChangeOfMaster does so many steps of ChangeMaster and stops, as if it
// were killed. It reports whether there are more.
func (a *App) BeginChangeOfMaster(ctx context.Context, fresh []byte, steps int) (more bool, err error) {
	all := a.masterSteps(fresh)
	for _, step := range all[:steps] {
		if err := step(ctx); err != nil {
			return false, err
		}
	}
	return steps < len(all), nil
}

// Follow changes how often the server looks for keys that nobody told it of.
func (a *App) Follow(every time.Duration) { a.limits.follow = every }

// APIKeys are the API keys, for tests of what no door shows.
func (a *App) APIKeys() *apikey.Service { return a.apiKeys }

// Row is a row of the route table.
type Row struct {
	Method, Path string // Method is * for every one
	Scope        access.Scope
}

// Table is the route table.
func (a *App) Table() []Row {
	var rows []Row
	for _, r := range a.table() {
		rows = append(rows, Row{r.method, r.path, r.scope})
	}
	return rows
}
