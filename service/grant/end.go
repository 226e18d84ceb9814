package grant

import "context"

// End revokes a token of the app (RFC 7009); an empty clientID means the owner's
// own. A refresh token ends its family; an access token ends by itself, or its
// login where there is no refresh token. A token that is unknown or another
// app's is no error, and stays as it is.
func (s *Service) End(ctx context.Context, token, clientID string) error { panic("soon") }

// EndClient ends all that every account gave an app that was deleted or
// switched off. Consents are kept if it may come back.
func (s *Service) EndClient(ctx context.Context, clientID string, keepConsents bool) error {
	panic("soon")
}
