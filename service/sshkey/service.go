package sshkey

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/revocation"
)

const (
	maxKeys = 100  // per account
	maxPage = 1000 // keys in one answer
)

// Store keeps the keys. Every method is one transaction; a storage that cannot
// serve is model.ErrUnavailable.
type Store interface {
	// AddSSHKey adds key and returns it with its ID, which is never one that a
	// deleted key had. In this order: an account that does not exist is
	// model.ErrStale; with model.ErrConflict comes the key that is in the way,
	// the one of the same title before the one of the same fingerprint; with
	// limit keys there already it is model.ErrLimit.
	AddSSHKey(ctx context.Context, key model.SSHKey, limit int) (model.SSHKey, error)
	// SSHKeys returns the account's keys by ascending ID, at most limit of them
	// after the first offset, and how many there are in all.
	SSHKeys(ctx context.Context, accountKey string, offset, limit int) ([]model.SSHKey, int64, error)
	// HasSSHKeyTitle reports whether the account has a key of exactly that title.
	HasSSHKeyTitle(ctx context.Context, accountKey, title string) (bool, error)
	// DeleteSSHKey deletes a key of the account, and with it the device that
	// signed in with it and its logins. A key that is not there or not the
	// account's is model.ErrNotFound.
	DeleteSSHKey(ctx context.Context, accountKey string, id int64) error
	// DeleteAnySSHKey deletes a key whoever owns it and returns its account; a
	// key that is not there is model.ErrNotFound.
	DeleteAnySSHKey(ctx context.Context, id int64) (accountKey string, err error)
	// SSHKeyFor is the account's key of the fingerprint; model.ErrNotFound.
	SSHKeyFor(ctx context.Context, accountKey, fingerprint string) (model.SSHKey, error)
	// TouchSSHKey notes that the key proved itself: LastUsedAt, unless it is
	// later already, and VerifiedAt, if it is the first time. It writes nothing
	// else, and brings no deleted key back: that one is model.ErrNotFound.
	TouchSSHKey(ctx context.Context, id int64, at model.Time) error
}

// Service adds, lists and deletes keys. It is safe for concurrent use.
type Service struct {
	store  Store
	hub    *revocation.Hub
	now    func() time.Time
	record func(ctx context.Context, e audit.Event) error
}

// New makes the service. record stores a security event, as audit.Recorder's
// Record does; it is called after the event is true everywhere.
func New(store Store, hub *revocation.Hub, now func() time.Time,
	record func(ctx context.Context, e audit.Event) error,
) *Service {
	return &Service{store: store, hub: hub, now: now, record: record}
}

// Add gives the caller's account one more key. A bad title is ErrTitle; a title
// that is taken is ErrTitleTaken whatever the text holds; a bad text is one of
// Parse's refusals; after that come ErrKeyTaken and ErrTooMany.
func (s *Service) Add(ctx context.Context, by access.Caller, title, text string) (model.SSHKey, error) {
	if err := checkTitle(title); err != nil {
		return model.SSHKey{}, err
	}
	taken, err := s.store.HasSSHKeyTitle(ctx, by.Account.Key, title)
	if err != nil {
		return model.SSHKey{}, fmt.Errorf("look for SSH key title: %w", err)
	}
	if taken {
		return model.SSHKey{}, ErrTitleTaken
	}
	key, err := Parse(text)
	if err != nil {
		return model.SSHKey{}, err
	}
	row, err := s.store.AddSSHKey(ctx, model.SSHKey{
		AccountKey:  by.Account.Key,
		Title:       title,
		Fingerprint: key.Fingerprint,
		PublicKey:   key.PublicKey,
		Comment:     key.Comment,
		AddedAt:     model.At(s.now()),
	}, maxKeys)
	if err != nil {
		return model.SSHKey{}, addFailure(err, row, title)
	}
	return row, s.record(ctx, audit.Event{Kind: audit.SSHKeyAdded, AccountKey: row.AccountKey, Detail: []slog.Attr{
		slog.Int64("ssh_key_id", row.ID), slog.String("fingerprint", row.Fingerprint),
	}})
}

// addFailure says what the store's answer means; row is the key in the way.
func addFailure(err error, row model.SSHKey, title string) error {
	switch {
	case errors.Is(err, model.ErrConflict) && row.Title == title:
		return ErrTitleTaken
	case errors.Is(err, model.ErrConflict):
		return ErrKeyTaken
	case errors.Is(err, model.ErrLimit):
		return ErrTooMany
	case errors.Is(err, model.ErrStale):
		return ErrNoAccount
	}
	return fmt.Errorf("add SSH key: %w", err)
}

// List returns one page of the account's keys, oldest first, and how many there
// are in all. Pages count from 1 and hold at most 1000 keys; perPage 0 asks for
// that many.
func (s *Service) List(ctx context.Context, accountKey string, page, perPage int) ([]model.SSHKey, int64, error) {
	if perPage < 1 || perPage > maxPage {
		perPage = maxPage
	}
	// No account has keys beyond that page; it keeps the product small.
	page = min(max(page, 1), maxKeys+1)
	keys, total, err := s.store.SSHKeys(ctx, accountKey, (page-1)*perPage, perPage)
	if err != nil {
		return nil, 0, fmt.Errorf("list SSH keys: %w", err)
	}
	return keys, total, nil
}

// Delete takes a key away from the caller's account and returns when nothing
// can use it any more. A key that is not there or somebody else's is ErrNoKey.
func (s *Service) Delete(ctx context.Context, by access.Caller, id int64) error {
	if err := s.store.DeleteSSHKey(ctx, by.Account.Key, id); err != nil {
		return deleteFailure(err, id)
	}
	return s.deleted(ctx, by.Account.Key, id)
}

// DeleteAny is Delete for an admin, who may take away anybody's key. For
// everybody else every key is ErrNoKey.
func (s *Service) DeleteAny(ctx context.Context, by access.Caller, id int64) error {
	if !by.Account.IsAdmin() {
		return ErrNoKey
	}
	owner, err := s.store.DeleteAnySSHKey(ctx, id)
	if err != nil {
		return deleteFailure(err, id)
	}
	return s.deleted(ctx, owner, id)
}

func deleteFailure(err error, id int64) error {
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoKey
	}
	return fmt.Errorf("delete SSH key %d: %w", id, err)
}

// deleted makes everybody forget the key before the deletion is answered.
func (s *Service) deleted(ctx context.Context, owner string, id int64) error {
	s.hub.Publish(ctx, revocation.Notice{AccountKey: owner})
	return s.record(ctx, audit.Event{
		Kind: audit.SSHKeyDeleted, AccountKey: owner, Detail: []slog.Attr{slog.Int64("ssh_key_id", id)},
	})
}
