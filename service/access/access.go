// Package access owns who is calling and what they may do. It decides nothing
// about how a caller proves it.
package access

import (
	"context"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/fault"
)

// ErrNotFresh says that what was asked for needs a fresh proof of identity: a
// sign-in, or a reauthentication, of at most 10 minutes ago.
var ErrNotFresh = fault.New(fault.Forbidden, "not_fresh", "Recent sign-in required")

// CredentialKind says what a caller presented.
type CredentialKind uint8

// The kinds of credential.
const (
	Guest        CredentialKind = iota // none: the guest account
	SessionToken                       // a login's token
	StaticToken                        // the operator's static token
	APIKey                             // a named key of the account, limited to its scopes
	OAuthToken                         // an app's access token, limited to its scopes
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

	RequiresTwoFactor bool // a role of the account wants it to have a second factor

	SSOID string
	Epoch int64

	Email         string // empty: none
	EmailVerified bool

	CreatedAt time.Time
	ChangedAt time.Time // when name or address were last changed
}

// IsAdmin reports whether the account holds the admin role.
func (a *Account) IsAdmin() bool { return slices.Contains(a.RoleIDs, model.RoleAdmin) }

// MustEnrol reports whether the account lacks the second factor that a role of
// it requires.
func (a *Account) MustEnrol() bool { return a.RequiresTwoFactor && !a.TwoFactor }

// IsGuest reports whether the account holds the guest role.
func (a *Account) IsGuest() bool { return slices.Contains(a.RoleIDs, model.RoleGuest) }

// Caller is who a credential turned out to be.
type Caller struct {
	Kind      CredentialKind
	Account   *Account  // never nil in an authenticated request
	DeviceKey string    // SessionToken and OAuthToken
	LoginID   string    // SessionToken and OAuthToken
	KeyID     int64     // APIKey only
	Scopes    Scopes    // APIKey and OAuthToken: what the credential may do
	FreshAt   time.Time // when the owner last proved who they are; zero for all but SessionToken
	Address   string    // the client's address in full: for counting and the log, never for a row
	UserAgent string
	RequestID string // the request's name in the log; empty outside of one
}

// MustEnrol reports whether the caller may do nothing but enrol a second factor.
// Guests cannot have one, and the static token is the operator's, not its
// account's.
func (c Caller) MustEnrol() bool {
	return c.Kind != Guest && c.Kind != StaticToken && c.Account.MustEnrol()
}

// IsDelegated reports whether the caller holds a credential that its owner gave
// to a program: it does no more than its scopes say, and never what takes the
// owner (contract "API keys", scopes).
func (c Caller) IsDelegated() bool { return c.Kind == APIKey || c.Kind == OAuthToken }

// CheckScope is nil if the caller's credential may do what takes the scope. It
// is ErrFirstParty or ErrScope otherwise, which only delegated credentials meet.
func (c Caller) CheckScope(s Scope) error {
	switch {
	case !c.IsDelegated():
		return nil
	case s == FirstParty:
		return ErrFirstParty
	case !c.Scopes.Allow(s):
		return ErrScope.WithText("Missing required permission: " + string(s))
	}
	return nil
}

// CheckOwner is ErrFirstParty for delegated credentials. It stands in the services,
// too, where a route's scope is not seen: whatever changes how somebody signs in,
// or what a credential may do, asks here or CheckFresh.
func (c Caller) CheckOwner() error {
	if c.IsDelegated() {
		return ErrFirstParty
	}
	return nil
}

// freshFor is how long a proof of identity counts as recent (security.md,
// step-up).
const freshFor = 10 * time.Minute

// IsFresh reports whether the caller proved who they are within 10 minutes.
// Only a session token can be fresh.
func (c Caller) IsFresh(now time.Time) bool {
	return c.Kind == SessionToken && !c.FreshAt.IsZero() && now.Before(FreshUntil(c.FreshAt))
}

// CheckFresh is ErrNotFresh unless the caller is fresh, and ErrFirstParty for those
// who can never be. Every flow that needs a fresh caller asks here.
func (c Caller) CheckFresh(now time.Time) error {
	if err := c.CheckOwner(); err != nil {
		return err
	}
	if !c.IsFresh(now) {
		return ErrNotFresh
	}
	return nil
}

// FreshUntil is when a proof of identity stops counting as recent.
func FreshUntil(proven time.Time) time.Time { return proven.Add(freshFor) }

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
