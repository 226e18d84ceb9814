package profile

import (
	"context"
	"errors"
	"fmt"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/login"
	"latchkey/service/totp"
)

// MakeAPIKey makes a key for whoever proves to own an account, without a login,
// and tells the owner of it. It fails as login.Service.ProveOnce and
// apikey.Service.Create do, with totp.ErrRequired, or with ErrOvertaken.
func (s *Service) MakeAPIKey(ctx context.Context, r login.Request, n apikey.Wanted) (text string, key model.APIKey, err error) {
	err = s.Login.ProveOnce(ctx, r, func(a model.Account) error {
		text, key, err = s.makeAPIKey(ctx, a, n)
		return err
	})
	if err != nil {
		return "", model.APIKey{}, err
	}
	s.NewAPIKey(ctx, key)
	return text, key, nil
}

func (s *Service) makeAPIKey(ctx context.Context, a model.Account, n apikey.Wanted) (string, model.APIKey, error) {
	owner, err := s.Accounts.Snapshot(ctx, a.Key)
	if err != nil {
		return "", model.APIKey{}, err
	}
	if owner.Epoch != a.Epoch { // the password that was looked at is not the account's any more
		return "", model.APIKey{}, ErrOvertaken
	}
	if owner.MustEnrol() {
		return "", model.APIKey{}, totp.ErrRequired
	}
	by := access.From(ctx)
	by.Kind, by.Account, by.FreshAt = access.SessionToken, owner, s.Now()
	text, key, err := s.APIKeys.Create(access.With(ctx, by), by, n)
	if errors.Is(err, apikey.ErrEnded) {
		err = ErrOvertaken
	}
	return text, key, err
}

// EvictWithKeys throws one of the caller's devices out and revokes the API keys
// that were made on it. The device goes first, so that it makes none meanwhile;
// where that went well and the rest did not, the same call does the rest. It
// fails with access.ErrFirstParty or as session.Service.Evict does.
func (s *Service) EvictWithKeys(ctx context.Context, by access.Caller, deviceKey string) error {
	if err := by.CheckOwner(); err != nil {
		return err
	}
	if err := s.Sessions.Evict(ctx, by, deviceKey); err != nil {
		return err
	}
	if _, err := s.APIKeys.EndOfDevice(ctx, by, deviceKey); err != nil {
		return fmt.Errorf("evict with API keys: %w", err)
	}
	return nil
}

// EvictAnyWithKeys is EvictWithKeys for an admin, who the caller in ctx must be,
// and anybody's device. It fails with access.ErrFirstParty or as
// session.Service.EvictAny does.
func (s *Service) EvictAnyWithKeys(ctx context.Context, deviceKey string) error {
	by := access.From(ctx)
	if err := by.CheckOwner(); err != nil {
		return err
	}
	if err := s.Sessions.EvictAny(ctx, deviceKey); err != nil {
		return err
	}
	if _, err := s.APIKeys.EndOfAnyDevice(ctx, by, deviceKey); err != nil {
		return fmt.Errorf("evict with API keys: %w", err)
	}
	return nil
}
