package server

import (
	"context"
	"errors"
	"net/url"

	"latchkey/model"
	"latchkey/server/courier"
	"latchkey/server/mailed"
	"latchkey/service/account"
	"latchkey/service/link"
	"latchkey/service/outbox"
	"latchkey/service/password"
	"latchkey/service/setting"
	"latchkey/service/watch"
)

// openWatch opens what tells owners about their accounts, and the pages that
// hear what they answer.
func (a *App) openWatch(hasher *password.Hasher, policy password.Policy, passwords *password.Checker) (*watch.Service, error) {
	a.mailer = a.newMailer()
	carries := map[model.NoticeChannel]outbox.Carry{}
	if a.mailer != nil {
		carries[model.NoticeMail] = a.mailer.Carry
	}
	if a.cfg.WebhookURL != "" {
		carries[model.NoticeWebhook] = courier.NewWebhook(a.cfg.WebhookURL, a.cfg.WebhookSecret.Reveal(), a.opts.Now).Carry
	}
	a.Outbox = outbox.New(outbox.Deps{
		Store: a.db.Notices(), Sealer: a.Ring, Log: a.opts.Log, Now: a.opts.Now, Carries: carries,
	})
	title := func() string { return a.Settings.Get(setting.KeySiteTitle) }
	w := watch.New(watch.Deps{
		Accounts: a.Accounts, Outbox: a.Outbox, Hasher: hasher, Policy: policy, Passwords: passwords,
		Links: link.New(link.Deps{Store: a.db.Links(), Hub: a.hub, Audit: a.audit, Now: a.opts.Now}),
		Title: title, SiteURL: a.cfg.SiteURL, Log: a.opts.Log, Now: a.opts.Now,
		APIKeys: func(ctx context.Context, key string) (int64, error) { return a.apiKeys.Count(ctx, key) }, // opened later
		Paths: watch.Paths{
			ConfirmEmail: mailed.PathConfirmEmail, NotMe: mailed.PathNotMe, SetPassword: mailed.PathSetPassword,
		},
	})
	var err error
	a.pages, err = mailed.New(w, title)
	return w, err
}

// newMailer is nil if no mail server is configured.
func (a *App) newMailer() *courier.Mailer {
	if !a.cfg.Mails() {
		return nil
	}
	hello := ""
	if site, err := url.Parse(a.cfg.SiteURL); err == nil {
		hello = site.Hostname()
	}
	return courier.NewMailer(courier.MailConfig{
		Host: a.cfg.SMTPHost, Port: a.cfg.SMTPPort, User: a.cfg.SMTPUser, Password: a.cfg.SMTPPassword.Reveal(),
		From: a.cfg.SMTPFrom, TLS: a.cfg.SMTPTLS, Hello: hello,
	}, a.opts.Now)
}

// ErrNoMail says that no mail server is configured.
var ErrNoMail = errors.New("no mail server is configured: --smtp-host names one")

// TestMail sends a message to the address and returns when the mail server has
// taken it. It fails with ErrNoMail, account.ErrEmail or a *courier.MailError.
func (a *App) TestMail(ctx context.Context, address string) error {
	if a.mailer == nil {
		return ErrNoMail
	}
	if address == "" {
		return account.ErrEmail
	}
	if err := account.CheckEmail(address); err != nil {
		return err
	}
	return a.mailer.Send(ctx, outbox.NewID(), outbox.Mail{
		To: address, Subject: "Test message from " + a.Settings.Get(setting.KeySiteTitle),
		Text: "Hello,\n\nthis is a test: messages from " + a.cfg.SiteURL + " arrive at this address.\n",
	})
}

// SendsMail reports whether messages that this command causes are sent.
func (a *App) SendsMail() bool { return a.mailer != nil }

// SetEmail gives an account another address, or none, which counts as confirmed
// only if verified is set, and returns how its name is spelt. It fails with
// ErrNoAccount or account.ErrEmail.
func (a *App) SetEmail(ctx context.Context, name, address string, verified bool) (string, error) {
	return a.withAccount(ctx, name, func(found model.Account) error {
		return a.Admins.EditAccount(ctx, found.ID, model.AccountEdit{Email: &address, EmailVerified: &verified}, "")
	})
}
