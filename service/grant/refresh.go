package grant

import "context"

// Refreshing is a refresh token that is used. Unless AnyClient, the app has
// proven who it is.
type Refreshing struct {
	Token     string
	ClientID  string   // empty: the owner's own program
	AnyClient bool     // take it whosever it is (rulings 33)
	Scopes    []string // narrower ones for the new access token; nil: the family's
	Address   string   // the client's, in full
	UserAgent string
}

// Refresh puts new tokens in the place of a refresh token. It fails with
// ErrGrant or ErrScope.
func (s *Service) Refresh(ctx context.Context, r Refreshing) (Tokens, error) { panic("soon") }
