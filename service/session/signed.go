package session

import (
	"context"
	"fmt"
	"time"

	"latchkey/model"
)

// switchFor bounds how long after a new key was made the old one may have
// signed a token: a server reads new keys once a minute even if nobody told it,
// and clocks may step.
const switchFor = time.Hour

// SignedUntil is when the last token expires that may have been signed by a key
// whose successor was made at that instant; zero if all have. Until then the
// key is needed to tell what became of a login. Nobody needs to know for how
// long logins live, now or then: the rows say it.
func (s *Service) SignedUntil(ctx context.Context, successorAt time.Time) (time.Time, error) {
	last, err := s.store.LastExpiry(ctx, model.At(successorAt.Add(switchFor)))
	if err != nil {
		return time.Time{}, fmt.Errorf("find the last expiry: %w", err)
	}
	if last.IsZero() || s.now().After(last.Add(clockLeeway)) {
		return time.Time{}, nil
	}
	return last.Time, nil
}
