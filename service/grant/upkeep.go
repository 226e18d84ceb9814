package grant

import (
	"context"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/behind"
)

const (
	// keptDead is how long a dead token's row is kept, so that its holder is told
	// what became of it.
	keptDead    = time.Hour
	cleanAtMost = 500
)

// Run drops successors whose grace is over, within a second, and forgets what
// nobody needs, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return behind.Upkeep{Of: "grant", Flush: s.Flush, Clean: s.Clean, Log: s.Log}.Run(ctx)
}

// Flush drops the successors whose grace is over. Without any refresh lately it
// asks no database.
func (s *Service) Flush(ctx context.Context) error {
	if !s.sealed.Swap(false) {
		return nil
	}
	left, err := s.Store.DropSuccessors(ctx, model.At(s.Now().Add(-graceFor)), cleanAtMost)
	if left || err != nil {
		s.sealed.Store(true)
	}
	if err != nil {
		return fmt.Errorf("drop successors: %w", err)
	}
	return nil
}

// Clean forgets codes, tokens and device authorizations that nobody needs, and
// drops successors that another process left.
func (s *Service) Clean(ctx context.Context) error {
	s.sealed.Store(true)
	now := s.Now()
	for {
		n, err := s.Store.Clean(ctx, model.GrantCleaning{
			Now: model.At(now), ExpiredAt: model.At(now.Add(-keptDead)), AtMost: cleanAtMost,
		})
		if err != nil {
			return fmt.Errorf("clean grants: %w", err)
		}
		if n < cleanAtMost {
			return nil
		}
	}
}
