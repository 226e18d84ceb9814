package apikey

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// Create makes a key for the caller's account and returns its text, which is
// told this once. It takes the owner with a fresh proof: access.ErrFirstParty,
// ErrGuest, ErrStaticToken or access.ErrNotFresh otherwise. It fails with
// ErrName, access.ErrUnknownScope, ErrNoScopes, ErrExpiry, ErrAddresses,
// ErrLearnFor, ErrAdminScope, ErrNameTaken, ErrTooMany or ErrEnded.
func (s *Service) Create(ctx context.Context, by access.Caller, n Wanted) (text string, key model.APIKey, err error) {
	now := s.Now()
	if err := checkOwner(by, now); err != nil {
		return "", model.APIKey{}, err
	}
	wanted := model.APIKey{AccountKey: by.Account.Key, CreatedAt: model.At(now), CreatedOnDevice: by.DeviceKey}
	if err := n.edit().apply(&wanted, now); err != nil {
		return "", model.APIKey{}, err
	}
	switch {
	case n.LearnFor != 0 && (n.LearnFor < minLearn || n.LearnFor > maxLearn):
		return "", model.APIKey{}, ErrLearnFor
	case n.LearnFor != 0:
		wanted.LearnUntil = model.At(now.Add(n.LearnFor))
	case wanted.Scopes == "":
		return "", model.APIKey{}, ErrNoScopes
	}
	if err := checkAdmin(by, model.APIKey{}, wanted); err != nil {
		return "", model.APIKey{}, err
	}
	text = secret.NewBearer(secret.APIKey)
	wanted.Hash, wanted.Prefix = stored(text)
	key, err = s.Store.AddAPIKey(ctx, wanted, maker(by, now), maxKeys)
	if err != nil {
		return "", model.APIKey{}, addFailure(err)
	}
	if err := s.tell(ctx, audit.APIKeyCreated, key); err != nil {
		return "", model.APIKey{}, err
	}
	return text, key, nil
}

// maker is what must be so still when the key is written.
func maker(by access.Caller, now time.Time) model.APIKeyMaker {
	return model.APIKeyMaker{Epoch: by.Account.Epoch, LoginID: by.LoginID, At: model.At(now)}
}

// checkOwner is nil for the owner of an account who proved lately who they are:
// nobody else makes or widens a key.
func checkOwner(by access.Caller, now time.Time) error {
	switch {
	case by.IsDelegated():
		return access.ErrFirstParty
	case by.Kind == access.Guest, by.Account.IsGuest():
		return ErrGuest
	case by.Kind == access.StaticToken:
		return ErrStaticToken
	}
	return by.CheckFresh(now)
}

// stored is a text as rows keep it.
func stored(text string) (hash, prefix string) {
	sum := secret.HashOf(text)
	return hex.EncodeToString(sum[:]), text[:prefixLen]
}

func addFailure(err error) error {
	switch {
	case errors.Is(err, model.ErrConflict):
		return ErrNameTaken
	case errors.Is(err, model.ErrLimit):
		return ErrTooMany
	case errors.Is(err, model.ErrStale):
		return ErrEnded
	}
	return fmt.Errorf("add API key: %w", err)
}

// Update changes one of the caller's keys. It takes a fresh proof as Create does
// if the key becomes wider: more scopes, a later expiry or none, other addresses,
// or the leave to stand in URLs. When it returns, nothing goes by what the key
// was. It fails with ErrNoKey, ErrRevoked, or as Create does.
func (s *Service) Update(ctx context.Context, by access.Caller, id int64, e Edit) error {
	if by.IsDelegated() {
		return access.ErrFirstParty
	}
	for {
		key, err := s.edit(ctx, by, id, e)
		switch {
		case errors.Is(err, model.ErrStale):
			continue // whoever was quicker is done, and ctx ends
		case err != nil:
			return err
		}
		return s.tell(ctx, audit.APIKeyChanged, key)
	}
}

// edit is one try of Update; model.ErrStale if another change came between.
func (s *Service) edit(ctx context.Context, by access.Caller, id int64, e Edit) (model.APIKey, error) {
	old, err := s.Store.APIKey(ctx, by.Account.Key, id)
	switch {
	case err != nil:
		return old, keyFailure(err, "edit", id)
	case !old.RevokedAt.IsZero():
		return old, ErrRevoked
	}
	key, now := old, s.Now()
	if err := e.apply(&key, now); err != nil {
		return key, err
	}
	if err := checkAdmin(by, old, key); err != nil {
		return key, err
	}
	if widens(old, key) {
		if err := checkOwner(by, now); err != nil {
			return key, err
		}
	}
	err = s.Store.EditAPIKey(ctx, old, key)
	if errors.Is(err, model.ErrConflict) {
		return key, ErrNameTaken
	}
	if err != nil {
		return key, keyFailure(err, "edit", id)
	}
	return key, nil
}

// Rotate gives one of the caller's keys another text and returns it, this once.
// The present one works for overlap more, 0 to 24 hours; the one before it does
// not any more. It takes a fresh proof as Create does, and fails with ErrNoKey,
// ErrRevoked, ErrOverlap or ErrEnded.
func (s *Service) Rotate(ctx context.Context, by access.Caller, id int64, overlap time.Duration) (string, error) {
	now := s.Now()
	if err := checkOwner(by, now); err != nil {
		return "", err
	}
	if overlap < 0 || overlap > maxOverlap {
		return "", ErrOverlap
	}
	text := secret.NewBearer(secret.APIKey)
	r := model.APIKeyRotation{By: maker(by, now)}
	r.Hash, r.Prefix = stored(text)
	if overlap > 0 {
		r.OldUntil = model.At(now.Add(overlap))
	}
	key, err := s.Store.RotateAPIKey(ctx, by.Account.Key, id, r)
	switch {
	case errors.Is(err, model.ErrConflict):
		return "", ErrRevoked
	case errors.Is(err, model.ErrStale):
		return "", ErrEnded
	case err != nil:
		return "", keyFailure(err, "rotate", id)
	}
	err = s.tell(ctx, audit.APIKeyRotated, key, slog.Int64("overlap_seconds", int64(overlap/time.Second)))
	if err != nil {
		return "", err
	}
	return text, nil
}

// Delete takes a key away from the caller's account and returns when nothing
// can use it any more. A key that is not there or somebody else's is ErrNoKey.
func (s *Service) Delete(ctx context.Context, by access.Caller, id int64) error {
	return s.delete(ctx, by.Account.Key, id)
}

// DeleteAny is Delete for an admin, who may take away anybody's key. For
// everybody else every key is ErrNoKey.
func (s *Service) DeleteAny(ctx context.Context, by access.Caller, id int64) error {
	if !by.Account.IsAdmin() {
		return ErrNoKey
	}
	return s.delete(ctx, "", id)
}

func (s *Service) delete(ctx context.Context, accountKey string, id int64) error {
	key, err := s.Store.DeleteAPIKey(ctx, accountKey, id)
	if err != nil {
		return keyFailure(err, "delete", id)
	}
	return s.tell(ctx, audit.APIKeyDeleted, key)
}

func keyFailure(err error, act string, id int64) error {
	if errors.Is(err, model.ErrNotFound) {
		return ErrNoKey
	}
	return fmt.Errorf("%s API key %d: %w", act, id, err)
}

// tell makes everybody forget what the key was before the change is answered.
func (s *Service) tell(ctx context.Context, kind audit.Kind, key model.APIKey, more ...slog.Attr) error {
	s.Hub.Publish(ctx, revocation.Notice{AccountKey: key.AccountKey})
	return s.note(ctx, kind, key, more...)
}

// note records what happened to the key.
func (s *Service) note(ctx context.Context, kind audit.Kind, key model.APIKey, more ...slog.Attr) error {
	return s.Record(ctx, audit.Event{Kind: kind, AccountKey: key.AccountKey, Detail: append([]slog.Attr{
		slog.Int64("api_key_id", key.ID), slog.String("prefix", key.Prefix),
	}, more...)})
}
