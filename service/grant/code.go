package grant

import (
	"context"
	"time"
)

// Approval is what an account let an app have.
type Approval struct {
	ClientID    string
	AccountKey  string
	Epoch       int64 // the account's when its owner approved
	Scopes      []string
	RedirectURI string // where the code goes
	Challenge   string // PKCE S256; empty: none
	Nonce       string
	Resource    string
	AuthTime    time.Time
	AMR         []string
}

// Redemption is an app that fetches the tokens for a code. The app has proven
// who it is.
type Redemption struct {
	Code        string
	ClientID    string
	RedirectURI string // empty: not sent
	Verifier    string // empty: not sent
	Address     string // the client's, in full
	UserAgent   string
}

// Code makes a code for what was approved: it works once, within 60 seconds.
func (s *Service) Code(ctx context.Context, a Approval) (string, error) { panic("soon") }

// Redeem exchanges a code for tokens under a new login. It fails with ErrGrant.
func (s *Service) Redeem(ctx context.Context, r Redemption) (Tokens, error) { panic("soon") }
