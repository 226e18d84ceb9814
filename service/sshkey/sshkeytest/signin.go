package sshkeytest

import (
	"context"

	"latchkey/model"
)

// SSHKeyFor is sshkey.Store's.
func (s *Store) SSHKeyFor(_ context.Context, accountKey, fingerprint string) (model.SSHKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.own(accountKey) {
		if k.Fingerprint == fingerprint {
			return k, nil
		}
	}
	return model.SSHKey{}, model.ErrNotFound
}

// TouchSSHKey is sshkey.Store's.
func (s *Store) TouchSSHKey(_ context.Context, id int64, at model.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		k := &s.keys[i]
		if k.ID != id {
			continue
		}
		if k.LastUsedAt.Before(at.Time) {
			k.LastUsedAt = at
		}
		if k.VerifiedAt.IsZero() {
			k.VerifiedAt = at
		}
		return nil
	}
	return model.ErrNotFound
}
