package watch

import (
	"context"
	"fmt"

	"latchkey/model"
	"latchkey/service/outbox"
)

// ReusedToken is a used refresh token that came again.
type ReusedToken struct {
	AccountKey string
	DeviceKey  string
	App        string // its name; empty: a program of the owner's own
}

// TokenReused tells the owner that a refresh token was used by two, and that the
// login it belonged to has ended. When it returns, the notices are stored; what
// goes wrong is logged.
func (s *Service) TokenReused(ctx context.Context, r ReusedToken) {
	const what = "refresh_reused"
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueFor) // a thief who hangs up is told of, too
	defer cancel()
	a, err := s.account(ctx, r.AccountKey)
	if err == nil && !a.Disabled {
		e := event{Event: what, Device: &eventDevice{ID: r.DeviceKey, UserAgent: r.App}}
		err = s.send(ctx, a, s.mail(a.Email, s.mails(a), s.reusedMail(a, r)), s.hook(a, e))
	}
	s.complain(ctx, what, r.AccountKey, err)
}

func (s *Service) reusedMail(a model.Account, r ReusedToken) outbox.Mail {
	app := told(r.App, maxAgent)
	if app == "" {
		app = "a program that signed in with your password"
	}
	return outbox.Mail{
		Subject: "A token for " + s.title() + " was used twice",
		Text: fmt.Sprintf(`Hello %s,

a token that lets an app into your account on %s was used
again after it had been replaced. Either the app made a mistake, or somebody
else has a copy of the token.

  App:   %s
  When:  %s

The app was signed out at once, and whoever has the copy with it. If you still
want the app, let it in again.

Look through the activity of your account for what you do not know.
`, name(a), s.place(), app, when(s.Now())),
	}
}
