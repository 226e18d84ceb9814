package oauth

import (
	"time"

	"latchkey/model"
	"latchkey/service/client"
)

// App is a registered app as people are shown it.
type App struct {
	ID       string
	Name     string
	Icon     string // an https URL or an Iconify name; may be empty
	Homepage string // may be empty
	Public   bool   // it has no secret: anybody can say to be it
}

func appOf(c model.OAuthClient) App {
	return App{ID: c.ID, Name: c.Name, Icon: c.Icon, Homepage: c.Homepage, Public: !c.Confidential}
}

// Request is an app's request for access whose client and redirect URI were
// found right. It is made by Begin only.
type Request struct {
	App         App
	Issuer      string // the server's address
	RedirectURI string // as the app sent it
	Scopes      []string
	Texts       []client.ScopeText // of Scopes, in their order
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
	App      App
	UserCode string // as it is shown: XXXX-XXXX
	Scopes   []string
	Texts    []client.ScopeText
	Grants   time.Duration // as in Request
	Address  string        // masked: where the app asked from, which its owner may recognise
	Since    time.Time
}
