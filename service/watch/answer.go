package watch

import (
	"context"
	"time"

	"latchkey/model"
	"latchkey/service/link"
	"latchkey/service/password"
)

// Question is what somebody who opens a link is asked about.
type Question struct {
	Username  string
	Email     string // to be confirmed; else empty
	UserAgent string // of the device to disown; else empty
	IP        string // masked; else empty
	At        time.Time
}

// Ask says what a link is about, and changes nothing: mail is opened by
// programs, too. It fails with link.ErrDead.
func (s *Service) Ask(ctx context.Context, token string, purpose model.LinkPurpose) (Question, error) {
	row, err := s.Links.Look(ctx, token, purpose)
	if err != nil {
		return Question{}, err
	}
	a, err := s.account(ctx, row.AccountKey)
	q := Question{Username: a.Username, UserAgent: row.UserAgent, IP: row.IP, At: row.CreatedAt.Time}
	if purpose == model.LinkConfirmEmail {
		q.Email = row.Email
		if err == nil && a.Email != row.Email {
			err = link.ErrDead
		}
	}
	return q, err
}

// ConfirmEmail says that the address is read by the account's owner. It fails
// with link.ErrDead.
func (s *Service) ConfirmEmail(ctx context.Context, token string) error {
	row, err := s.Links.ConfirmEmail(ctx, token)
	if err != nil {
		return err
	}
	s.tell(ctx, row, func(a model.Account) []draft { return []draft{s.hook(a, event{Event: "email_verified"})} })
	return nil
}

// Disowned is what became of a sign-in that was somebody else's.
type Disowned struct {
	Next     string // the token of a link that sets another password
	Username string // whose account that is

	KeysRevoked int64 // API keys that were made on the device
	KeysLeft    int64 // others of the account, which live on
}

// Disown throws the link's device out, with the API keys that were made on it,
// and lets the password in no more until it is another one. The link that sets
// one is mailed as well, to where the spent link went: an intruder may have
// confirmed another address since. It fails with link.ErrDead.
func (s *Service) Disown(ctx context.Context, token string) (Disowned, error) {
	row, err := s.Links.Disown(ctx, token)
	if row.Next == "" {
		return Disowned{}, err
	}
	d := Disowned{Next: row.Next, KeysRevoked: row.APIKeys}
	s.tell(ctx, row.Link, func(a model.Account) []draft {
		d.Username = a.Username
		return []draft{
			s.mail(row.Email, row.Email != "" && s.Outbox.Goes(model.NoticeMail) && s.SiteURL != "", s.passwordMail(a, s.urlOf(s.Paths.SetPassword, row.Next))),
			s.hook(a, event{
				Event: "sign_in_disowned", Device: &eventDevice{ID: row.DeviceKey, UserAgent: row.UserAgent}, Address: row.IP,
			}),
		}
	})
	left, uncounted := s.APIKeys(ctx, row.AccountKey)
	d.KeysLeft = left
	s.complain(ctx, "how many API keys are left", row.AccountKey, uncounted)
	return d, err // what could not be recorded was done, and its mail is how the owner goes on
}

// tell queues what a link that acted is followed by.
func (s *Service) tell(ctx context.Context, row model.Link, what func(a model.Account) []draft) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueFor)
	defer cancel()
	a, err := s.account(ctx, row.AccountKey)
	if err == nil {
		err = s.send(ctx, a, what(a)...)
	}
	s.complain(ctx, "a used link", row.AccountKey, err)
}

// SetPassword gives the link's account another password, which is not the
// present one, ends all of its logins, and lets it sign in again. A password
// that is refused leaves the link as it is. API keys live on: it returns how
// many. It fails with link.ErrDead, password.ErrWeak, password.ErrTooLong or
// password.ErrBusy.
func (s *Service) SetPassword(ctx context.Context, token, plain string) (apiKeys int64, err error) {
	row, err := s.Links.Look(ctx, token, model.LinkSetPassword) // before any hash work
	if err != nil {
		return 0, err
	}
	a, err := s.account(ctx, row.AccountKey)
	if err != nil {
		return 0, err
	}
	if apiKeys, err = s.APIKeys(ctx, a.Key); err != nil { // before anything is done that would be answered as a failure
		return 0, err
	}
	return apiKeys, s.setPassword(ctx, a, token, plain)
}

func (s *Service) setPassword(ctx context.Context, a model.Account, token, plain string) error {
	if err := s.Policy.CheckNew(plain, a.Username, a.Email); err != nil {
		return err
	}
	static := password.Static(plain)
	if a.PasswordHash != "" {
		same, err := s.Passwords.Verify(ctx, a.Key, a.PasswordHash, static)
		if err != nil {
			return err
		}
		if same {
			return password.ErrWeak.WithText("Password too weak: it is the present one")
		}
	}
	hash, err := s.Hasher.Hash(ctx, static)
	if err != nil {
		return err
	}
	return s.Links.SetPassword(ctx, token, hash)
}

// LeastPassword is how many characters a password that SetPassword takes has at
// least.
func (s *Service) LeastPassword() int { return s.Policy.Least() }
