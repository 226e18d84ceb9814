package grant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
)

// Consent is what an account lets an app do without asking again.
type Consent struct {
	ClientID string
	Scopes   []string
	GivenAt  time.Time
}

// Consented reports whether the account let the app do all of it before.
func (s *Service) Consented(ctx context.Context, accountKey, clientID string, scopes []string) (bool, error) {
	c, err := s.Store.Consent(ctx, accountKey, clientID)
	if errors.Is(err, model.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find consent: %w", err)
	}
	asked := model.UnionScopes("", strings.Join(scopes, " "))
	return both(asked, strings.Fields(c.Scopes)) == asked, nil
}

// Consent remembers that the caller lets the app do that, besides what it may
// already: tokens that were given before are not touched. It fails with
// access.ErrFirstParty unless the caller signed in, or with ErrAccount.
func (s *Service) Consent(ctx context.Context, by access.Caller, clientID string, scopes []string) error {
	if by.Kind != access.SessionToken {
		return access.ErrFirstParty
	}
	err := s.Store.AddConsent(ctx, model.GrantConsent{
		AccountKey: by.Account.Key, ClientID: clientID, Scopes: strings.Join(scopes, " "), GivenAt: model.At(s.Now()),
	})
	if errors.Is(err, model.ErrStale) {
		return ErrAccount
	}
	if err != nil {
		return fmt.Errorf("store consent: %w", err)
	}
	return nil
}

// Consents lists the apps that the caller lets do something, by id.
func (s *Service) Consents(ctx context.Context, by access.Caller) ([]Consent, error) {
	rows, err := s.Store.Consents(ctx, by.Account.Key)
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	list := make([]Consent, len(rows))
	for i, row := range rows {
		list[i] = Consent{ClientID: row.ClientID, Scopes: strings.Fields(row.Scopes), GivenAt: row.GivenAt.Time}
	}
	return list, nil
}

// Withdraw forgets the consent and ends the app's logins of the caller's
// account, with their tokens, at once. It fails with access.ErrFirstParty unless
// the caller signed in, or with ErrNoConsent if the app has nothing.
func (s *Service) Withdraw(ctx context.Context, by access.Caller, clientID string) error {
	if by.Kind != access.SessionToken {
		return access.ErrFirstParty
	}
	if clientID == "" {
		return ErrNoConsent
	}
	ended, err := s.Store.Withdraw(ctx, by.Account.Key, clientID, model.At(s.Now()))
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoConsent
	}
	if err != nil {
		return fmt.Errorf("withdraw consent: %w", err)
	}
	s.announce(ctx, by.Account.Key)
	return s.Record(ctx, audit.Event{
		Kind: audit.AppWithdrawn, AccountKey: by.Account.Key, DeviceKey: s.Device(by.Account.Key, clientID),
		Detail: append(appDetail(clientID), slog.Int64("logins", ended)),
	})
}
