package totptest

import (
	"context"
	"slices"

	"latchkey/model"
)

// RecoveryCodes lists the account's codes.
func (s *Store) RecoveryCodes(_ context.Context, accountKey string) ([]model.RecoveryCode, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.codes[accountKey]), nil
}

// RenewRecoveryCodes replaces the account's codes.
func (s *Store) RenewRecoveryCodes(_ context.Context, accountKey, byLogin string, codes []model.RecoveryCode) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isLive(byLogin) {
		return model.ErrStale
	}
	if s.rows[accountKey].Secret == "" {
		return model.ErrNotFound
	}
	s.codes[accountKey] = slices.Clone(codes)
	return nil
}

// UseRecoveryCode marks a code as used.
func (s *Store) UseRecoveryCode(_ context.Context, accountKey, hash string, at model.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used, left := false, int64(0)
	for i, c := range s.codes[accountKey] {
		switch {
		case !c.UsedAt.IsZero():
		case c.Hash == hash:
			s.codes[accountKey][i].UsedAt = at
			used = true
		default:
			left++
		}
	}
	if !used {
		return 0, model.ErrStale
	}
	return left, nil
}
