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
	"latchkey/service/label"
	"latchkey/service/revocation"
)

const (
	maxKeys  = 100  // per account
	maxTitle = 255  // characters
	maxPage  = 1000 // keys in one answer
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
	// SSHKey is a key of the account; model.ErrNotFound if it is not there or
	// not the account's.
	SSHKey(ctx context.Context, accountKey string, id int64) (model.SSHKey, error)
	// EditSSHKey writes the title and the limits of key, and ends at that time
	// what signed in with it if the limits are others than before. It is
	// model.ErrNotFound if the key is not there or not the account's,
	// model.ErrStale if title and limits are not those of old any more, and
	// model.ErrConflict if the account has another key of that title.
	EditSSHKey(ctx context.Context, old, key model.SSHKey, at model.Time) error
	// LiftSSHKey lets a suspended key sign in again; model.ErrNotFound if it is
	// not there or not the account's. A key that is not suspended stays as it is.
	LiftSSHKey(ctx context.Context, accountKey string, id int64) error
	// RevokedSSHKeys lists the fingerprints that no enabled account may sign in
	// with any more: of keys that were deleted, suspended or have expired at
	// that time.
	RevokedSSHKeys(ctx context.Context, at model.Time) ([]string, error)
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

	unusedFor func() time.Duration // from when on an unused key is spoken of; 0: never
}

// New makes the service. record stores a security event, as audit.Recorder's
// Record does; it is called after the event is true everywhere. unusedFor says
// from when on an unused key is spoken of; 0 is never.
func New(store Store, hub *revocation.Hub, now func() time.Time,
	record func(ctx context.Context, e audit.Event) error, unusedFor func() time.Duration,
) *Service {
	return &Service{store: store, hub: hub, now: now, record: record, unusedFor: unusedFor}
}

// Add gives the caller's account one more key. A bad title is ErrTitle; a title
// that is taken is ErrTitleTaken whatever the text holds; a bad text is one of
// Parse's refusals; after that come ErrExpiry, ErrAddresses, ErrPath, ErrKeyTaken
// and ErrTooMany.
func (s *Service) Add(ctx context.Context, by access.Caller, title, text string, l Limits) (model.SSHKey, error) {
	if !label.IsName(title, maxTitle) {
		return model.SSHKey{}, ErrTitle
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
	wanted := model.SSHKey{
		AccountKey:  by.Account.Key,
		Title:       title,
		Fingerprint: key.Fingerprint,
		PublicKey:   key.PublicKey,
		Comment:     key.Comment,
		AddedAt:     model.At(s.now()),
	}
	if err := l.apply(&wanted, s.now()); err != nil {
		return model.SSHKey{}, err
	}
	row, err := s.store.AddSSHKey(ctx, wanted, maxKeys)
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

// Edit is a change of a key; nil leaves a value as it is.
type Edit struct {
	Title  *string
	Limits func(Limits) Limits // makes the new limits of the old ones
}

// Update changes the title or the limits of one of the caller's keys. When the
// limits change, what signed in with the key is closed before Update returns,
// and has to sign in again. It fails with ErrNoKey, ErrTitle, ErrTitleTaken,
// ErrExpiry, ErrAddresses or ErrPath.
func (s *Service) Update(ctx context.Context, by access.Caller, id int64, e Edit) error {
	for {
		err := s.edit(ctx, by.Account.Key, id, e)
		switch {
		case errors.Is(err, model.ErrStale):
			continue // whoever was quicker is done, and ctx ends
		case err != nil:
			return err
		}
		return s.tell(ctx, audit.SSHKeyChanged, by.Account.Key, id)
	}
}

// edit is one try of Update; model.ErrStale if another edit came between.
func (s *Service) edit(ctx context.Context, accountKey string, id int64, e Edit) error {
	old, err := s.store.SSHKey(ctx, accountKey, id)
	if err != nil {
		return keyFailure(err, "edit", id)
	}
	key := old
	if e.Title != nil {
		if !label.IsName(*e.Title, maxTitle) {
			return ErrTitle
		}
		key.Title = *e.Title
	}
	if e.Limits != nil {
		if err := e.Limits(LimitsOf(key)).apply(&key, s.now()); err != nil {
			return err
		}
	}
	err = s.store.EditSSHKey(ctx, old, key, model.At(s.now()))
	if errors.Is(err, model.ErrConflict) {
		return ErrTitleTaken
	}
	if err != nil {
		return keyFailure(err, "edit", id)
	}
	return nil
}

// Lift lets one of the caller's keys sign in again that was suspended when its
// device was evicted. A key that is not suspended stays as it is. It fails with
// ErrNoKey.
func (s *Service) Lift(ctx context.Context, by access.Caller, id int64) error {
	if err := s.store.LiftSSHKey(ctx, by.Account.Key, id); err != nil {
		return keyFailure(err, "lift", id)
	}
	return s.tell(ctx, audit.SSHKeyLifted, by.Account.Key, id)
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
		return keyFailure(err, "delete", id)
	}
	return s.tell(ctx, audit.SSHKeyDeleted, by.Account.Key, id)
}

// DeleteAny is Delete for an admin, who may take away anybody's key. For
// everybody else every key is ErrNoKey.
func (s *Service) DeleteAny(ctx context.Context, by access.Caller, id int64) error {
	if !by.Account.IsAdmin() {
		return ErrNoKey
	}
	owner, err := s.store.DeleteAnySSHKey(ctx, id)
	if err != nil {
		return keyFailure(err, "delete", id)
	}
	return s.tell(ctx, audit.SSHKeyDeleted, owner, id)
}

func keyFailure(err error, act string, id int64) error {
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoKey
	}
	return fmt.Errorf("%s SSH key %d: %w", act, id, err)
}

// tell makes everybody forget what the key was before the change is answered.
func (s *Service) tell(ctx context.Context, kind audit.Kind, owner string, id int64) error {
	s.hub.Publish(ctx, revocation.Notice{AccountKey: owner})
	return s.record(ctx, audit.Event{Kind: kind, AccountKey: owner, Detail: []slog.Attr{slog.Int64("ssh_key_id", id)}})
}
