// Package link owns the one-time links that people are sent: how they are made,
// what they are for, and that each acts once. A link stands for its token, 256
// random bits of which only the hash is kept: nobody can guess one, so tries
// are not counted.
package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// Why a link is not made, or does nothing.
var (
	// ErrDead says that a link is unknown, expired or used; which of them is
	// nobody's business.
	ErrDead = fault.New(fault.NotFound, "link_dead", "This link does not work any more. It works once, and only for a while.")
	// ErrEnough says that the account was sent enough links of the kind.
	ErrEnough = fault.New(fault.TooMany, "link_limit", "Enough mail was sent for now, try again later")
)

// Store keeps links. Every method is one transaction. Where a link acts, it
// must be of the purpose, unused, and expire after at, else model.ErrNotFound;
// it is used by that, and of parallel calls one succeeds.
type Store interface {
	// AddLink stores a link, or model.ErrLimit.
	AddLink(ctx context.Context, l model.Link, limit model.LinkLimit) error
	// Link finds a link, used or not; model.ErrNotFound.
	Link(ctx context.Context, hash string) (model.Link, error)
	// ConfirmEmail marks the link's address as confirmed; model.ErrStale, and
	// the link stays unused, if the account has another address.
	ConfirmEmail(ctx context.Context, hash string, at model.Time) (model.Link, error)
	// Disown ends the logins of the link's device with model.EndEvicted, makes
	// the account's others fresh no more, shuts its password out, makes sign-ins
	// under way fail, and stores the link next for the same account and address.
	// If the account has another address than the link, that is confirmed no
	// more. The account's links that confirm and that set a password are used
	// up, and those to disown that were sent later and to other addresses. The
	// API keys that were made on the device are revoked with
	// model.RevokedDevice; it says how many were not before.
	Disown(ctx context.Context, hash string, next model.Link, at model.Time) (l model.Link, apiKeys int64, err error)
	// SetPassword stores the password's hash, lets it in again, ends every login
	// of the account with model.EndPassword, and uses up the account's other
	// links of the purpose.
	SetPassword(ctx context.Context, hash, passwordHash string, at model.Time) (model.Link, error)
}

const hour = time.Hour

// terms are how long a link of a purpose works, and how many an account is sent
// in an hour: nobody's mailbox is to be filled by us.
func terms(p model.LinkPurpose) (lives time.Duration, perHour int) {
	switch p {
	case model.LinkConfirmEmail:
		return 24 * hour, 5
	case model.LinkDisown:
		return 7 * 24 * hour, 10
	case model.LinkSetPassword:
		return hour, 10
	}
	return 0, 0
}

// Deps are what the service works with.
type Deps struct {
	Store Store
	Hub   *revocation.Hub
	Audit *audit.Recorder
	Now   func() time.Time
}

// Service makes links and lets them act. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// Make makes a link as l describes it and returns its token: 64 lower-case hex
// digits. It fails with ErrEnough.
func (s *Service) Make(ctx context.Context, l model.Link) (string, error) {
	token, row := s.fresh(l)
	_, perHour := terms(l.Purpose)
	err := s.Store.AddLink(ctx, row, model.LinkLimit{AtMost: perHour, Since: model.At(row.CreatedAt.Add(-hour))})
	if errors.Is(err, model.ErrLimit) {
		return "", ErrEnough
	}
	if err != nil {
		return "", fmt.Errorf("store link: %w", err)
	}
	return token, nil
}

// fresh is a token and the row that stands for it.
func (s *Service) fresh(l model.Link) (string, model.Link) {
	token := secret.ID() + secret.ID()
	lives, _ := terms(l.Purpose)
	l.Hash, l.CreatedAt = hashOf(token), model.At(s.Now())
	l.ExpiresAt = model.At(l.CreatedAt.Add(lives))
	return token, l
}

// hashOf needs no salt and no cost: the token is random.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Look finds a link that still works, and changes nothing. It fails with
// ErrDead.
func (s *Service) Look(ctx context.Context, token string, purpose model.LinkPurpose) (model.Link, error) {
	row, err := s.Store.Link(ctx, hashOf(token))
	if err != nil {
		return row, dead(err)
	}
	if row.Purpose != purpose || !row.UsedAt.IsZero() || !row.ExpiresAt.After(s.Now()) {
		return row, ErrDead
	}
	return row, nil
}

func dead(err error) error {
	if errors.Is(err, model.ErrNotFound) || errors.Is(err, model.ErrStale) {
		return ErrDead
	}
	return fmt.Errorf("use link: %w", err)
}

// ConfirmEmail confirms the address that the link was sent to. It fails with
// ErrDead, also if the account has another address by now.
func (s *Service) ConfirmEmail(ctx context.Context, token string) (model.Link, error) {
	row, err := s.Store.ConfirmEmail(ctx, hashOf(token), model.At(s.Now()))
	if err != nil {
		return row, dead(err)
	}
	return row, s.announce(ctx, audit.Event{Kind: audit.EmailVerified, AccountKey: row.AccountKey})
}

// Disowned is what a link that says "this was not me" did.
type Disowned struct {
	model.Link

	Next    string // the token of a link that sets another password
	APIKeys int64  // that were made on the device, and are revoked
}

// Disown throws the link's device out, with the API keys that were made on it,
// and shuts the account's password out until it is another one. When it returns,
// nobody is let in by what it ended. It fails with ErrDead.
func (s *Service) Disown(ctx context.Context, token string) (Disowned, error) {
	nextToken, next := s.fresh(model.Link{Purpose: model.LinkSetPassword})
	row, keys, err := s.Store.Disown(ctx, hashOf(token), next, next.CreatedAt)
	if err != nil {
		return Disowned{}, dead(err)
	}
	return Disowned{Link: row, Next: nextToken, APIKeys: keys}, s.announce(ctx, audit.Event{
		Kind: audit.SignInDisowned, AccountKey: row.AccountKey, DeviceKey: row.DeviceKey,
		Detail: []slog.Attr{slog.Int64("api_keys", keys)},
	})
}

// SetPassword gives the link's account another password and ends all of its
// logins. When it returns, nobody is let in by what it ended. It fails with
// ErrDead.
func (s *Service) SetPassword(ctx context.Context, token, passwordHash string) error {
	row, err := s.Store.SetPassword(ctx, hashOf(token), passwordHash, model.At(s.Now()))
	if err != nil {
		return dead(err)
	}
	return s.announce(ctx, audit.Event{
		Kind: audit.PasswordChanged, AccountKey: row.AccountKey, Detail: []slog.Attr{slog.Bool("by_link", true)},
	})
}

func (s *Service) announce(ctx context.Context, e audit.Event) error {
	s.Hub.Publish(ctx, revocation.Notice{AccountKey: e.AccountKey})
	return s.Audit.Record(ctx, e)
}
