package apikey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

// Leaked ends a text that somebody found: its key is revoked; or, if it is the
// one before the last rotation, it alone ends. A text that is no key's, or whose
// key is dead already, is no error: who reports it is told no difference.
func (s *Service) Leaked(ctx context.Context, text string) error {
	if !secret.IsBearer(secret.APIKey, text) {
		return nil
	}
	hash, _ := stored(text)
	key, err := s.Store.RevokeAPIKeyText(ctx, hash, model.At(s.Now()))
	if errors.Is(err, model.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("revoke leaked API key: %w", err)
	}
	err = s.tell(ctx, audit.APIKeyRevoked, key, slog.String("why", string(model.RevokedLeaked)),
		slog.Bool("replaced_text", key.RevokedAt.IsZero()))
	s.Deps.Leaked(ctx, key)
	return err
}

// EndOfDevice revokes the keys that the caller's account made on a device, and
// returns how many when nothing can use them any more.
func (s *Service) EndOfDevice(ctx context.Context, by access.Caller, deviceKey string) (int, error) {
	return s.endOfDevice(ctx, by.Account.Key, deviceKey)
}

// EndOfAnyDevice is EndOfDevice for an admin and anybody's device. For everybody
// else no device has keys.
func (s *Service) EndOfAnyDevice(ctx context.Context, by access.Caller, deviceKey string) (int, error) {
	if !by.Account.IsAdmin() {
		return 0, nil
	}
	return s.endOfDevice(ctx, "", deviceKey)
}

func (s *Service) endOfDevice(ctx context.Context, accountKey, deviceKey string) (int, error) {
	if deviceKey == "" {
		return 0, nil // keys that were made on none
	}
	keys, err := s.Store.RevokeDeviceAPIKeys(ctx, accountKey, deviceKey, model.At(s.Now()))
	if err != nil {
		return 0, fmt.Errorf("revoke API keys of a device: %w", err)
	}
	var errs []error
	for _, key := range keys {
		errs = append(errs, s.tell(ctx, audit.APIKeyRevoked, key, slog.String("why", string(model.RevokedDevice))))
	}
	return len(keys), errors.Join(errs...)
}
