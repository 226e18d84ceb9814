package oauth

import (
	"time"
)

// App is a registered app as people are shown it.
type App struct {
	ID       string
	Name     string
	Icon     string // an https URL or an Iconify name; may be empty
	Homepage string // may be empty
	Public   bool   // it has no secret: anybody can say to be it
}

// ScopeText is a scope in words.
type ScopeText struct {
	Name string
	Text string
}

// Request is an app's request for access whose client and redirect URI were
// found right. It is made by Begin only.
type Request struct {
	App         App
	Issuer      string
	RedirectURI string // as the app sent it, or its only one
	Sent        bool   // the app sent the redirect URI
	Scopes      []string
	Texts       []ScopeText // of Scopes, in their order
	State       string
	Challenge   string // of PKCE, S256; empty where an admin made it optional
	Nonce       string
	Resource    string // RFC 8707; may be empty
	LoginHint   string // what the app believes the account's name to be; never trusted

	PromptNone    bool // no page may be shown
	PromptLogin   bool // the owner signs in again, whatever their login
	PromptConsent bool // the owner is asked again, whatever they said before

	MaxAge *time.Duration // how long ago the owner may have proven who they are; nil: any time
	Grants time.Duration  // how long the app keeps access without asking again: the life of a refresh token, or of an access token without offline_access
}

// Question is what a device waits for an answer to.
type Question struct {
	App       App
	UserCode  string // as it is shown: XXXX-XXXX
	Scopes    []string
	Texts     []ScopeText
	Grants    time.Duration // as in Request
	ExpiresAt time.Time
}
