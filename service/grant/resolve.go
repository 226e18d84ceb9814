package grant

import (
	"context"
	"time"

	"latchkey/service/access"
)

// Known is what an access token turned out to be. It is shared and must not be
// written to.
type Known struct {
	AccountKey string
	LoginID    string
	ClientID   string        // empty: the owner's own
	Names      []string      // what it may do, OpenID Connect's scopes among them
	Scopes     access.Scopes // those of the vocabulary
	ExpiresAt  time.Time
}

// Resolve says what an access token is (lko_ or lks_). Whether its login is live
// is for the sessions to say. It fails with ErrInvalid or ErrExpired; for
// ErrExpired Known is filled in.
func (s *Service) Resolve(ctx context.Context, token string) (Known, error) { panic("soon") }

// State is what introspection tells of a token (RFC 7662).
type State struct {
	Active     bool // all else is empty unless it is
	Refresh    bool // a refresh token
	ClientID   string
	AccountKey string
	LoginID    string
	Scopes     []string
	Resource   string
	IssuedAt   time.Time
	ExpiresAt  time.Time
}

// Look says what state a token is in, whosever it is: callers show an app only
// its own.
func (s *Service) Look(ctx context.Context, token string) (State, error) { panic("soon") }
