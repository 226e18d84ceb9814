package sshkey

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/model"
	"latchkey/service/address"
	"latchkey/service/fault"
)

// Why a key that is there does not sign in. Who asks is told no difference to a
// key that is not there; the reason is for the log.
var (
	// ErrSuspended says that the key's device was evicted, and nobody lifted it.
	ErrSuspended = fault.New(fault.Unauthenticated, "ssh_key_suspended", "this key is suspended")
	// ErrKeyExpired says that the key is past its time.
	ErrKeyExpired = fault.New(fault.Unauthenticated, "ssh_key_expired", "this key has expired")
	// ErrAddress says that the key may not come from there.
	ErrAddress = fault.New(fault.Unauthenticated, "ssh_key_address", "this key may not sign in from this address")
)

// ForSignIn is the account's key of the fingerprint, if it may sign in now from
// that address. It fails with ErrNoKey, ErrSuspended, ErrKeyExpired or
// ErrAddress, and proves nothing: the signature is still to come.
func (s *Service) ForSignIn(ctx context.Context, accountKey, fingerprint, from string) (model.SSHKey, error) {
	key, err := s.store.SSHKeyFor(ctx, accountKey, fingerprint)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return model.SSHKey{}, ErrNoKey
	case err != nil:
		return model.SSHKey{}, fmt.Errorf("find SSH key: %w", err)
	case !key.SuspendedAt.IsZero():
		return key, ErrSuspended
	case !key.ExpiresAt.IsZero() && !s.now().Before(key.ExpiresAt.Time):
		return key, ErrKeyExpired
	case !address.Read(key.AllowedIPs).Allow(from):
		return key, ErrAddress
	}
	return key, nil
}

// Used notes that the key proved itself at that time, by a signature that was
// verified. It fails with ErrNoKey if the key was deleted meanwhile, and
// does not bring it back.
func (s *Service) Used(ctx context.Context, key model.SSHKey, at time.Time) error {
	err := s.store.TouchSSHKey(ctx, key.ID, model.At(at))
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoKey
	}
	if err != nil {
		return fmt.Errorf("note use of SSH key %d: %w", key.ID, err)
	}
	return nil
}
