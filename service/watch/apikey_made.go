package watch

import (
	"context"
	"fmt"

	"latchkey/model"
	"latchkey/service/outbox"
)

// APIKeyMade tells the owner of an API key that was made with the password
// alone: no device of theirs was there, so none could be spoken of. When it
// returns, the notices are stored; what goes wrong is logged.
func (s *Service) APIKeyMade(ctx context.Context, key model.APIKey) {
	s.aboutKey(ctx, key, "api_key_created", s.madeMail)
}

func (s *Service) madeMail(a model.Account, key model.APIKey) outbox.Mail {
	return outbox.Mail{
		Subject: "A new API key for " + s.title(),
		Text: fmt.Sprintf(`Hello %s,

somebody who knows your password made an API key for your account on %s.

  Name:    %s
  Begins:  %s
  When:    %s

If this was you, there is nothing to do.

If this was not you, sign in, delete the key, change your password, and sign
out the devices that you do not know. If you cannot sign in, ask an admin.
`, name(a), s.place(), told(key.Name, maxAgent), key.Prefix, when(key.CreatedAt.Time)),
	}
}
