package grant

import "context"

// Pair is a login of the owner's own that is to have tokens. It was opened as
// one that has (session.Opening.Pair).
type Pair struct {
	AccountKey string
	LoginID    string
}

// OpenPair makes the tokens of a login that was just opened: an access token
// that stands for it as its session token would, and a refresh token. It fails
// with ErrGrant if the login is over.
func (s *Service) OpenPair(ctx context.Context, p Pair) (Tokens, error) { panic("soon") }

// Run takes away what nobody needs any more, until ctx ends.
func (s *Service) Run(ctx context.Context) error { panic("soon") }
