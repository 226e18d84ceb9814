package watch

import (
	"context"
	"fmt"

	"latchkey/model"
	"latchkey/service/outbox"
)

// APIKeyExpiring tells the owner that an API key expires within days. When it
// returns, the notices are stored; what goes wrong is logged.
func (s *Service) APIKeyExpiring(ctx context.Context, key model.APIKey) {
	s.aboutKey(ctx, key, "api_key_expiring", s.expiringMail)
}

// APIKeyLeaked tells the owner that somebody found an API key, and that it works
// no more. When it returns, the notices are stored; what goes wrong is logged.
func (s *Service) APIKeyLeaked(ctx context.Context, key model.APIKey) {
	s.aboutKey(ctx, key, "api_key_leaked", s.leakedMail)
}

func (s *Service) aboutKey(ctx context.Context, key model.APIKey, what string, text func(model.Account, model.APIKey) outbox.Mail) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueFor)
	defer cancel()
	a, err := s.account(ctx, key.AccountKey)
	if err == nil && !a.Disabled {
		e := event{Event: what, APIKey: &eventKey{ID: key.ID, Name: key.Name, Prefix: key.Prefix}}
		if !key.ExpiresAt.IsZero() {
			e.APIKey.ExpiresAt = &key.ExpiresAt.Time
		}
		err = s.send(ctx, a, s.mail(a.Email, s.mails(a), text(a, key)), s.hook(a, e))
	}
	s.complain(ctx, what, key.AccountKey, err)
}

func (s *Service) expiringMail(a model.Account, key model.APIKey) outbox.Mail {
	return outbox.Mail{
		Subject: "An API key for " + s.title() + " expires soon",
		Text: fmt.Sprintf(`Hello %s,

an API key of your account on %s expires soon. From then on programs that
use it are refused.

  Name:     %s
  Begins:   %s
  Expires:  %s

If it is still needed, sign in and give it a later expiry, or make another key.
If it is not, there is nothing to do.
`, name(a), s.place(), told(key.Name, maxAgent), key.Prefix, when(key.ExpiresAt.Time)),
	}
}

func (s *Service) leakedMail(a model.Account, key model.APIKey) outbox.Mail {
	what := "The key works no more, and cannot be used again. Make another one for\nthe programs that used it."
	if key.RevokedAt.IsZero() {
		what = "It is the text that the key had before you gave it a new one, and works no\nmore. The new text is not concerned."
	}
	return outbox.Mail{
		Subject: "An API key for " + s.title() + " was found by somebody",
		Text: fmt.Sprintf(`Hello %s,

somebody reported the text of an API key of your account on %s,
because it stood where others can read it.

  Name:  %s

%s

Look through the activity of your account for what you do not know.
`, name(a), s.place(), told(key.Name, maxAgent), what),
	}
}
