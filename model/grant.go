package model

import (
	"slices"
	"strings"
)

// GrantCode is an authorization code: what its owner approved, until the app
// fetches the tokens (RFC 6749 §4.1.2).
type GrantCode struct {
	Record `gorm:"-"`

	Hash        string `gorm:"primaryKey"` // SHA-256 of the code in hex; the code itself is nowhere
	ClientID    string
	AccountKey  string
	DeviceKey   string // the device that the login will hang on
	Epoch       int64  // the account's when its owner approved
	RedirectURI string
	Scopes      string // with a blank between them
	Challenge   string // PKCE S256; empty: none was sent
	Nonce       string
	Resource    string
	AuthTime    Time
	AMR         string `gorm:"column:amr"` // with a blank between them
	CreatedAt   Time   `gorm:"autoCreateTime:false"`
	ExpiresAt   Time
	UsedAt      Time   // zero until it was exchanged, or burnt
	LoginID     string // what it was exchanged for; empty: nothing
}

// TableName names the table.
func (GrantCode) TableName() string { return "oauth_codes" }

// Grant is what a family of tokens was given: one for each login of an app, and
// for each login of the owner that has a pair of tokens.
type Grant struct {
	Record `gorm:"-"`

	LoginID        string `gorm:"primaryKey"`
	AccountKey     string
	ClientID       string // empty: a pair of the owner's own
	Scopes         string // with a blank between them; refreshing never widens them
	Resource       string
	AuthTime       Time
	AMR            string `gorm:"column:amr"`
	RefreshSeconds int64  // how long a refresh token lives; 0: there is none
	CreatedAt      Time   `gorm:"autoCreateTime:false"`
}

// TableName names the table.
func (Grant) TableName() string { return "oauth_grants" }

// GrantTokenKind says what a token is for.
type GrantTokenKind string

// The kinds of token.
const (
	AccessToken  GrantTokenKind = "access"
	RefreshToken GrantTokenKind = "refresh"
)

// GrantToken is an access or refresh token of a family.
type GrantToken struct {
	Record `gorm:"-"`

	Hash       string `gorm:"primaryKey"` // SHA-256 of the token in hex; the token itself is nowhere
	Kind       GrantTokenKind
	LoginID    string
	AccountKey string
	Scopes     string // of an access token: what it may do; at most the family's
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	ExpiresAt  Time
	RotatedAt  Time   // of a refresh token: when it was used; zero: not yet
	Successor  string // sealed: what it was answered with; empty once the grace is over
}

// TableName names the table.
func (GrantToken) TableName() string { return "oauth_tokens" }

// GrantView is a token with its family, and what became of the login.
type GrantView struct {
	GrantToken `gorm:"embedded"`

	Grant     Grant     `gorm:"embedded;embeddedPrefix:grant_"` // its family's
	DeviceKey string    // of the login
	EndReason EndReason // of the login; empty while it has not ended
	LoginEnds Time      // when the login expires
}

// GrantOpening asks for a login of an app, with its tokens. The whole of it
// happens, or nothing.
type GrantOpening struct {
	Opening LoginOpening
	Grant   Grant
	Tokens  []GrantToken
}

// GrantRotation puts new tokens in the place of a refresh token, unless that
// was done before.
type GrantRotation struct {
	Hash      string // of the refresh token that is used
	LoginID   string
	ClientID  string // empty: the owner's own
	At        Time
	Successor string       // sealed: what the use is answered with
	Tokens    []GrantToken // an access token and the next refresh token
	Keep      GrantKeep
}

// GrantKeep bounds the tokens of a family; the oldest are forgotten.
type GrantKeep struct{ Access, Refresh int }

// GrantConsent is what an account lets an app do without asking again.
type GrantConsent struct {
	Record `gorm:"-"`

	AccountKey string `gorm:"primaryKey"`
	ClientID   string `gorm:"primaryKey"`
	Scopes     string // with a blank between them, in the order of the alphabet
	GivenAt    Time
}

// TableName names the table.
func (GrantConsent) TableName() string { return "oauth_consents" }

// DeviceState says how far a device authorization is.
type DeviceState string

// The states of a device authorization (RFC 8628).
const (
	DevicePending  DeviceState = "pending"  // nobody has decided
	DeviceApproved DeviceState = "approved" // the tokens wait to be fetched
	DeviceDenied   DeviceState = "denied"
	DeviceDone     DeviceState = "done" // the tokens were fetched
)

// DeviceCode is an app on a device without a browser that waits for its owner
// (RFC 8628).
type DeviceCode struct {
	Record `gorm:"-"`

	Hash       string `gorm:"primaryKey"` // SHA-256 of the device code in hex
	UserHash   string // SHA-256 of the user code in hex; unique
	ClientID   string
	Scopes     string
	Resource   string
	Address    string // masked: where the app asked from
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	ExpiresAt  Time
	Interval   int64 `gorm:"column:poll_seconds"` // seconds between two polls
	PolledAt   Time
	State      DeviceState
	AccountKey string `gorm:"column:decided_by"` // empty: nobody has
	DeviceKey  string // the device that the login will hang on
	Epoch      int64  // the account's when its owner decided
	AuthTime   Time
	AMR        string `gorm:"column:amr"`
}

// TableName names the table.
func (DeviceCode) TableName() string { return "oauth_device_codes" }

// DeviceCodeCap bounds the device authorizations under way.
type DeviceCodeCap struct {
	Client int // of one app
	All    int
}

// GrantCleaning says what the background cleaner may take away.
type GrantCleaning struct {
	Now       Time
	ExpiredAt Time // codes and tokens that expired before this are forgotten, and those of logins that ended before it
	AtMost    int  // rows of each kind in one go
}

// UnionScopes is the scopes of both lists, each once, in the order of the
// alphabet. Lists have a blank between two scopes.
func UnionScopes(a, b string) string {
	all := append(strings.Fields(a), strings.Fields(b)...)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}
