package grant

import (
	"context"
	"time"

	"latchkey/service/access"
)

// Consent is what an account lets an app do without asking again.
type Consent struct {
	ClientID string
	Scopes   []string
	GivenAt  time.Time
}

// Consented reports whether the account let the app do all of it before.
func (s *Service) Consented(ctx context.Context, accountKey, clientID string, scopes []string) (bool, error) {
	panic("soon")
}

// Consent remembers that the caller lets the app do that, besides what it may
// already.
func (s *Service) Consent(ctx context.Context, by access.Caller, clientID string, scopes []string) error {
	panic("soon")
}

// Consents lists the apps that the caller lets do something.
func (s *Service) Consents(ctx context.Context, by access.Caller) ([]Consent, error) { panic("soon") }

// Withdraw forgets the consent and ends the app's logins of the caller's
// account, with their tokens, at once. It fails with ErrNoConsent if the app has
// nothing.
func (s *Service) Withdraw(ctx context.Context, by access.Caller, clientID string) error {
	panic("soon")
}
