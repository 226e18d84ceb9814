// Package watch is the flow of telling owners what happens to their accounts,
// by mail and by webhook, and of what they answer: that an address is theirs,
// or that a sign-in was not. It owns what is told to whom: a link that has
// power over an account goes to a confirmed address and to the operator's
// webhook, and nowhere else.
package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/fault"
	"latchkey/service/link"
	"latchkey/service/outbox"
	"latchkey/service/password"
)

// Why a change is refused.
var (
	// ErrGuest says that the guest account has no address.
	ErrGuest = fault.New(fault.Forbidden, "email_guest", "Guest user can not have an email address")
	// ErrGone says that the account was deleted while its owner changed it.
	ErrGone = fault.New(fault.Unauthenticated, "account_gone", "token is invalidated")
)

// Paths are where the doors answer links.
type Paths struct{ ConfirmEmail, NotMe, SetPassword string }

// Deps are the services the flow runs through.
type Deps struct {
	Accounts  *account.Service
	Links     *link.Service
	Outbox    *outbox.Service
	Hasher    *password.Hasher
	Policy    password.Policy
	Passwords *password.Checker
	Title     func() string // what the site calls itself
	SiteURL   string        // scheme://host[:port]; empty: nobody can be sent a link
	Paths     Paths
	Log       *slog.Logger
	Now       func() time.Time
	APIKeys   func(ctx context.Context, accountKey string) (int64, error) // how many of an account work
}

// Service tells owners and hears them. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// queueFor is how long storing a notice may take where nobody waits for it to
// succeed.
const queueFor = 5 * time.Second

// NewDevice tells the owner of a sign-in on a device that is new to the
// account. When it returns, the notices are stored; it waits for no mail
// server. What goes wrong is logged: the sign-in counts.
func (s *Service) NewDevice(ctx context.Context, a model.Account, d model.Device) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), queueFor) // an intruder who hangs up is told of, too
	defer cancel()
	s.complain(ctx, "a new device", a.Key, s.newDevice(ctx, a, d))
}

func (s *Service) newDevice(ctx context.Context, a model.Account, d model.Device) error {
	if !s.mails(a) && !s.Outbox.Goes(model.NoticeWebhook) {
		return nil
	}
	row := model.Link{Purpose: model.LinkDisown, AccountKey: a.Key, DeviceKey: d.Key, UserAgent: d.UserAgent, IP: d.IP}
	if s.mails(a) {
		row.Email = a.Email
	}
	notMe, err := s.url(ctx, s.Paths.NotMe, row)
	if err != nil {
		return err
	}
	return s.send(ctx, a,
		s.mail(a.Email, s.mails(a), s.newDeviceMail(a, d, notMe)),
		s.hook(a, event{
			Event: "device_added", Device: &eventDevice{ID: d.Key, UserAgent: d.UserAgent}, Address: d.IP,
			Links: links("not_me", notMe),
		}))
}

// mails reports whether the account's owner can be mailed what only they may
// read.
func (s *Service) mails(a model.Account) bool {
	return s.Outbox.Goes(model.NoticeMail) && a.Email != "" && a.EmailVerified
}

// url makes a one-time link; "" if there is no address to begin it with.
func (s *Service) url(ctx context.Context, path string, l model.Link) (string, error) {
	if s.SiteURL == "" {
		return "", nil
	}
	token, err := s.Links.Make(ctx, l)
	if err != nil {
		return "", err
	}
	return s.urlOf(path, token), nil
}

func (s *Service) urlOf(path, token string) string { return s.SiteURL + path + "?token=" + token }

// event is what a webhook is told, as JSON.
type event struct {
	ID      string            `json:"id"`
	Event   string            `json:"event"`
	At      time.Time         `json:"at"`
	Account eventAccount      `json:"account"`
	Device  *eventDevice      `json:"device"` // null where none is concerned
	Address string            `json:"address_masked"`
	Links   map[string]string `json:"links"` // one-time links by what they are for
	APIKey  *eventKey         `json:"api_key,omitempty"`
}

type eventAccount struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
}

type eventDevice struct {
	ID        string `json:"id"` // session_id in lists
	UserAgent string `json:"user_agent"`
}

type eventKey struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix"`               // the first 8 characters of its text
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // absent: never
}

func links(name, url string) map[string]string {
	if url == "" {
		return map[string]string{}
	}
	return map[string]string{name: url}
}

// draft is a message, or nothing if its way is not set up.
type draft struct {
	to      model.NoticeChannel
	id      string
	payload any
}

func (*Service) mail(to string, goes bool, m outbox.Mail) draft {
	if !goes {
		return draft{}
	}
	m.To = to
	return draft{to: model.NoticeMail, id: outbox.NewID(), payload: m}
}

func (s *Service) hook(a model.Account, e event) draft {
	if !s.Outbox.Goes(model.NoticeWebhook) {
		return draft{}
	}
	e.ID, e.At = outbox.NewID(), model.At(s.Now()).Time
	e.Account = eventAccount{ID: a.ID, Username: a.Username}
	if e.Links == nil {
		e.Links = links("", "")
	}
	return draft{to: model.NoticeWebhook, id: e.ID, payload: e}
}

// send stores the drafts together.
func (s *Service) send(ctx context.Context, a model.Account, drafts ...draft) error {
	var list []outbox.Draft
	for _, d := range drafts {
		if d.to == "" {
			continue
		}
		payload, err := json.Marshal(d.payload)
		if err != nil {
			return fmt.Errorf("encode notice: %w", err)
		}
		list = append(list, outbox.Draft{ID: d.id, Channel: d.to, Payload: payload})
	}
	return s.Outbox.Send(ctx, a.Key, list...)
}

func (s *Service) complain(ctx context.Context, about, accountKey string, err error) {
	if err != nil {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "a notice was not queued",
			slog.String("about", about), slog.String("account_key", accountKey), slog.Any("error", err))
	}
}

// account is the account of a link, which is gone with it.
func (s *Service) account(ctx context.Context, key string) (model.Account, error) {
	p, err := s.Accounts.Profile(ctx, key)
	if errors.Is(err, account.ErrUnknown) {
		return model.Account{}, link.ErrDead
	}
	return p.Account, err
}
