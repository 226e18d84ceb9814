package watch

import (
	"context"
	"errors"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
)

// ChangeEmail gives the caller's account another address, or none if it is
// empty, and ends the account's other logins. It needs a login that is
// at most 10 minutes old. The new address is mailed a link that confirms it,
// the old one is told. Asking for the present address again mails another link
// if it is not confirmed, and changes nothing. It fails with ErrGuest, ErrGone,
// access.ErrNotFresh, account.ErrEmail, account.ErrEnded or link.ErrEnough.
func (s *Service) ChangeEmail(ctx context.Context, by access.Caller, address string) error {
	if by.Account.IsGuest() {
		return ErrGuest
	}
	if err := by.CheckFresh(s.Now()); err != nil {
		return err
	}
	if err := account.CheckEmail(address); err != nil {
		return err
	}
	err := s.changeEmail(ctx, by, address)
	if errors.Is(err, account.ErrUnknown) {
		return ErrGone
	}
	return err
}

func (s *Service) changeEmail(ctx context.Context, by access.Caller, address string) error {
	p, err := s.Accounts.Profile(ctx, by.Account.Key)
	if err != nil {
		return err
	}
	old := p.Email
	if address == old && (p.EmailVerified || old == "") {
		return nil
	}
	p.Email, p.EmailVerified = address, false
	confirm, err := s.confirmURL(ctx, p.Account) // before the change, which must not happen if there were too many
	if err != nil {
		return err
	}
	if address != old {
		err = s.Accounts.Change(ctx, p.Key, account.Change{Email: &address, ByLogin: by.LoginID})
		if err != nil && !s.hasEmail(ctx, p.Key, address) {
			return err
		}
	}
	s.tellEmail(ctx, p.Account, old, confirm)
	return err
}

// hasEmail reports whether a change that failed was made after all: what could
// not be recorded is told all the same.
func (s *Service) hasEmail(ctx context.Context, accountKey, address string) bool {
	p, err := s.Accounts.Profile(context.WithoutCancel(ctx), accountKey)
	return err == nil && p.Email == address
}

// confirmURL is a link that confirms the account's address, or "" if there is
// nothing to confirm or no way to ask.
func (s *Service) confirmURL(ctx context.Context, a model.Account) (string, error) {
	if a.Email == "" || a.EmailVerified || !s.Outbox.Goes(model.NoticeMail) {
		return "", nil
	}
	return s.url(ctx, s.Paths.ConfirmEmail, model.Link{Purpose: model.LinkConfirmEmail, AccountKey: a.Key, Email: a.Email})
}

// EmailSet tells of an address that an admin or the operator gave an account in
// place of old: the new one is mailed a link unless it counts as confirmed, and
// the old one is told. What goes wrong is logged: the address is set.
func (s *Service) EmailSet(ctx context.Context, accountKey, old string) {
	p, err := s.Accounts.Profile(ctx, accountKey)
	if err == nil && p.Email == old {
		return
	}
	var confirm string
	if err == nil {
		confirm, err = s.confirmURL(ctx, p.Account)
	}
	if err != nil {
		s.complain(ctx, "an address to confirm", accountKey, err)
	}
	if p.Key != "" {
		s.tellEmail(ctx, p.Account, old, confirm)
	}
}

// tellEmail queues what is told of a change of address. Whoever is not told can
// ask again, so a failure is no reason to say that the change failed.
func (s *Service) tellEmail(ctx context.Context, a model.Account, old, confirm string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueFor)
	defer cancel()
	drafts := []draft{s.mail(a.Email, confirm != "", s.confirmMail(a, confirm))}
	if old != a.Email {
		goes := old != "" && s.Outbox.Goes(model.NoticeMail)
		drafts = append(drafts, s.mail(old, goes, s.changedMail(a)), s.hook(a, event{Event: "email_changed"}))
	}
	s.complain(ctx, "a changed address", a.Key, s.send(ctx, a, drafts...))
}
