package grant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/secret"
)

// End revokes a token of the app (RFC 7009); an empty clientID means the owner's
// own. A refresh token, used or not, ends its family; an access token ends by
// itself, or its login where there is no refresh token. A token that is unknown
// or another app's is no error, and stays as it is. When End returns, nobody is
// let in by what it ended.
func (s *Service) End(ctx context.Context, token, clientID string) error {
	return s.endToken(ctx, token, func(owner string) bool { return owner == clientID })
}

// EndAny is End for a token whosever it is: to hold it is enough to give it up.
func (s *Service) EndAny(ctx context.Context, token string) error {
	return s.endToken(ctx, token, func(string) bool { return true })
}

func (s *Service) endToken(ctx context.Context, token string, mayEnd func(clientID string) bool) error {
	if !IsAccess(token) && !secret.IsBearer(secret.RefreshToken, token) {
		return nil
	}
	t, err := s.Store.Token(ctx, hashOf(token))
	if errors.Is(err, model.ErrNotFound) || err == nil && !mayEnd(t.Grant.ClientID) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find token: %w", err)
	}
	now := model.At(s.Now())
	if t.Kind == model.RefreshToken {
		_, err = s.Store.EndFamily(ctx, t.LoginID, model.EndRevoked, now)
	} else {
		err = s.Store.EndToken(ctx, t.Hash, now)
	}
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	s.announce(ctx, t.AccountKey)
	if t.EndReason != "" {
		return nil
	}
	return s.Record(ctx, audit.Event{
		Kind: audit.TokenRevoked, AccountKey: t.AccountKey, DeviceKey: t.DeviceKey, Detail: appDetail(t.Grant.ClientID),
	})
}

// Leaked ends the login of a token that somebody found: whoever has it may have
// the others of its family. A used refresh token counts, as it does where it is
// sent again. A token that is unknown, or past its time, is no error, and ends
// nothing. When Leaked returns, nobody is let in by the family.
func (s *Service) Leaked(ctx context.Context, token string) error {
	if !IsAccess(token) && !secret.IsBearer(secret.RefreshToken, token) {
		return nil
	}
	t, err := s.Store.Token(ctx, hashOf(token))
	if errors.Is(err, model.ErrNotFound) || err == nil && !t.ExpiresAt.After(s.Now()) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find leaked token: %w", err)
	}
	n, err := s.Store.EndFamily(ctx, t.LoginID, model.EndRevoked, model.At(s.Now()))
	if err != nil {
		return fmt.Errorf("revoke leaked token: %w", err)
	}
	s.announce(ctx, t.AccountKey)
	if n == 0 {
		return nil
	}
	return s.Record(ctx, audit.Event{
		Kind: audit.TokenRevoked, AccountKey: t.AccountKey, DeviceKey: t.DeviceKey,
		Detail: append(appDetail(t.Grant.ClientID), slog.String("why", "leaked")),
	})
}

// EndClient ends all that every account gave an app that was deleted or
// switched off, and forgets their consents. When it returns, nothing of the app
// is let in. It may be called again for the same app, and records nothing: who
// switched the app off is an event of its own.
func (s *Service) EndClient(ctx context.Context, clientID string) error {
	if clientID == "" {
		return nil // the owners' own are nobody's app
	}
	accounts, err := s.Store.EndClient(ctx, clientID, model.At(s.Now()))
	if err != nil {
		return fmt.Errorf("end app %s: %w", clientID, err)
	}
	for _, key := range accounts {
		s.announce(ctx, key)
	}
	return nil
}
