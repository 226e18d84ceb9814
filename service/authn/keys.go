package authn

import (
	"context"
	"errors"

	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/apikey"
	"latchkey/service/audit"
	"latchkey/service/throttle"
)

// key is who holds an API key.
func (s *Service) key(ctx context.Context, caller access.Caller, p Presented) (access.Caller, error) {
	known, bad := s.Keys.Resolve(ctx, apikey.Presented{
		Text: p.Text, InURL: p.Place == access.InQuery, Address: p.Address, UserAgent: p.UserAgent,
	})
	switch {
	case errors.Is(bad, apikey.ErrInvalid) && known.ID == 0:
		return access.Caller{}, s.wrongKey(ctx, caller)
	case known.AccountKey == "":
		return access.Caller{}, bad // revoked, or the database is away
	}
	a, err := s.owner(ctx, known.AccountKey, bad)
	if errors.Is(err, account.ErrUnknown) {
		return access.Caller{}, apikey.ErrInvalid
	}
	if err != nil {
		return access.Caller{}, err
	}
	caller.Kind, caller.Account, caller.KeyID, caller.Scopes = access.APIKey, a, known.ID, known.Scopes
	return caller, nil
}

// wrongKey is the answer to a key that there never was. It counts against the
// address alone: nobody knows an account that it could be meant for, and right
// keys from the same address go on working (P-03, decision 16).
func (s *Service) wrongKey(ctx context.Context, caller access.Caller) error {
	if err := s.Throttle.WrongAPIKey(caller.Address); errors.Is(err, throttle.ErrAPIKeys) {
		return err
	}
	s.Audit.Note(access.With(ctx, caller), audit.Event{Kind: audit.APIKeyRefused, Reason: apikey.ErrInvalid.Code})
	return apikey.ErrInvalid
}
