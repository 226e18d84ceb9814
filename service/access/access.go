// Package access owns who is calling and what they may do. It decides nothing
// about how a caller proves it.
package access

import (
	"context"
	"slices"
	"time"

	"latchkey/model"
)

// CredentialKind says what a caller presented.
type CredentialKind uint8

// The kinds of credential.
const (
	Guest        CredentialKind = iota // none: the guest account
	SessionToken                       // a login's token
	StaticToken                        // the operator's static token
)

// Account is a snapshot of the account that is calling. It is shared between
// requests and must not be written to.
type Account struct {
	Key         string // immutable
	ID          int64  // on the wire
	Username    string
	BasePath    string
	RoleIDs     []int64
	RoleNames   []string // in the order of RoleIDs
	Permission  int64
	Permissions []model.PathScope // the union of the roles' scopes, by path
	Disabled    bool
	TwoFactor   bool
	SSOID       string
	Epoch       int64

	Email         string // empty: none
	EmailVerified bool
}

// IsAdmin reports whether the account holds the admin role.
func (a *Account) IsAdmin() bool { return slices.Contains(a.RoleIDs, model.RoleAdmin) }

// IsGuest reports whether the account holds the guest role.
func (a *Account) IsGuest() bool { return slices.Contains(a.RoleIDs, model.RoleGuest) }

// Caller is who a credential turned out to be.
type Caller struct {
	Kind      CredentialKind
	Account   *Account  // never nil in an authenticated request
	DeviceKey string    // SessionToken only
	LoginID   string    // SessionToken only
	FreshAt   time.Time // when the owner last proved who they are; zero for all but SessionToken
	Address   string    // the client's address in full: for counting and the log, never for a row
	UserAgent string
}

// freshFor is how long a proof of identity counts as recent (security.md,
// step-up).
const freshFor = 10 * time.Minute

// IsFresh reports whether the caller proved who they are within 10 minutes.
// Only a session token can be fresh.
func (c Caller) IsFresh(now time.Time) bool {
	return c.Kind == SessionToken && !c.FreshAt.IsZero() && now.Before(c.FreshAt.Add(freshFor))
}

type callerKey struct{}

// With is ctx carrying the caller.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From is the caller that With put there, or the zero Caller.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
