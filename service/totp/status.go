package totp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/access"
)

// Status is what an account's owner may know of its second factor.
type Status struct {
	Enabled        bool
	EnrolledAt     time.Time // zero while nothing is enrolled
	CodesLeft      int       // recovery codes that nobody used
	CodesCreatedAt time.Time // when they were made; zero if never
}

// Status describes the caller's second factor. It is ErrGuest for guests.
func (s *Service) Status(ctx context.Context, by access.Caller) (Status, error) {
	if by.Account.IsGuest() {
		return Status{}, ErrGuest
	}
	key := by.Account.Key
	row, err := s.store.TOTP(ctx, key)
	if errors.Is(err, model.ErrNotFound) || err == nil && row.Secret == "" {
		return Status{}, nil
	}
	if err != nil {
		return Status{}, fmt.Errorf("read second factor of %s: %w", key, err)
	}
	codes, err := s.store.RecoveryCodes(ctx, key)
	if err != nil {
		return Status{}, fmt.Errorf("read recovery codes of %s: %w", key, err)
	}
	is := Status{Enabled: true, EnrolledAt: row.EnrolledAt.Time}
	for _, code := range codes {
		is.CodesCreatedAt = code.CreatedAt.Time
		if code.UsedAt.IsZero() {
			is.CodesLeft++
		}
	}
	return is, nil
}
