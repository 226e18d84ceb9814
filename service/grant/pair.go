package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
)

// Pair is a login of the owner's own that is to have tokens. It was opened as
// one that has (session.Opening.PairFor, which Lifetime is for).
type Pair struct {
	AccountKey string
	LoginID    string
	Ends       time.Time // when the login expires
}

// OpenPair makes the tokens of a login that was just opened: an access token
// that stands for it as its session token would, and a refresh token. It fails
// with ErrGrant if the login is over.
func (s *Service) OpenPair(ctx context.Context, p Pair) (Tokens, error) {
	now := model.At(s.Now())
	g := model.Grant{
		LoginID: p.LoginID, AccountKey: p.AccountKey, AuthTime: now,
		RefreshSeconds: int64(s.cfg.PairRefresh / time.Second), CreatedAt: now,
	}
	tokens, rows := s.mint(g, "", now, p.Ends)
	err := s.Store.AddGrant(ctx, g, rows, now)
	if errors.Is(err, model.ErrStale) {
		return Tokens{}, ErrGrant
	}
	if err != nil {
		return Tokens{}, fmt.Errorf("store pair of tokens: %w", err)
	}
	return tokens, nil
}
