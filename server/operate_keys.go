package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/keyring"
	"latchkey/service/revocation"
)

// What can be wrong with a command about keys.
var (
	// ErrNoKey says that there is no token key with the id.
	ErrNoKey = errors.New("no such key: latchkey keys list shows them")
	// ErrKeySigns says that the key cannot be removed yet.
	ErrKeySigns = errors.New("this key signs new tokens: put another in its place first, with latchkey keys rotate")
	// ErrNotHeard says that a running server does not know the new keys.
	ErrNotHeard = errors.New("there are new keys, but the running server did not hear of them, and no secret was sealed anew: restart the server, then rotate again")
)

// Rotation says what RotateKeys did.
type Rotation struct {
	Token    string   // the key that signs from now on
	Seal     string   // the key that seals from now on
	IDToken  string   // the key that signs id_tokens from now on; empty where none ever did
	Resealed int      // secrets that are sealed under it and were not
	Closed   []string // where secrets are that do not open and were left as they are
	Tokens   []string // token keys that were removed, because their last token has expired
	IDTokens []string // keys of id_tokens that were removed, because their last one has expired
	Seals    []string // sealing keys that were removed, because nothing is sealed under them
}

// RotateKeys makes a new key sign tokens and another seal secrets, seals every
// stored secret anew, and removes the keys that nobody needs any more. Tokens
// stay valid. A running server knows the new keys before the first secret is
// sealed under them, else it fails with ErrNotHeard. Cut off at any point, it
// leaves everything readable; the next rotation finishes the work.
func (a *App) RotateKeys(ctx context.Context) (Rotation, error) {
	made, err := a.Ring.Rotate(ctx)
	if err != nil {
		return Rotation{}, err
	}
	r := Rotation{Token: made.Token, Seal: made.Seal, IDToken: made.IDToken}
	heard := a.announceKeys(ctx)
	event := audit.Event{Kind: audit.KeyRotated, Detail: []slog.Attr{slog.String("kid", r.Token), slog.String("sealing_kid", r.Seal)}}
	if r.IDToken != "" {
		event.Detail = append(event.Detail, slog.String("id_token_kid", r.IDToken))
	}
	if err := errors.Join(heard, a.audit.Record(ctx, event)); err != nil {
		return r, err
	}
	done, err := a.Ring.Reseal(ctx)
	r.Resealed = done.Values
	if err != nil {
		return r, err
	}
	for _, v := range done.Closed {
		r.Closed = append(r.Closed, v.Table+"."+v.Column+" of "+v.Row)
	}
	if err := a.announceKeys(ctx); err != nil { // nobody remembers a row as it was
		return r, err
	}
	return r, a.dropKeys(ctx, &r)
}

// announceKeys has a running server read the keys again.
func (a *App) announceKeys(ctx context.Context) error {
	a.hub.Publish(ctx, revocation.Notice{})
	if a.untold == nil {
		return nil
	}
	err := fmt.Errorf("%w: %w", ErrNotHeard, a.untold)
	a.untold = nil // said once
	return err
}

// dropKeys removes the keys that nobody needs any more.
func (a *App) dropKeys(ctx context.Context, r *Rotation) error {
	seals, err := a.Ring.DropSeals(ctx, a.alone && !a.serves)
	r.Seals = seals
	if err == nil {
		err = a.dropTokenKeys(ctx, r)
	}
	if err == nil {
		r.IDTokens, err = a.Ring.DropIDKeys(ctx)
	}
	if len(r.Seals)+len(r.Tokens)+len(r.IDTokens) > 0 {
		a.hub.Publish(ctx, revocation.Notice{})
	}
	errs := []error{err}
	for _, kid := range slices.Concat(r.Seals, r.Tokens, r.IDTokens) {
		errs = append(errs, a.audit.Record(ctx, audit.Event{Kind: audit.KeyRemoved, Detail: []slog.Attr{slog.String("kid", kid)}}))
	}
	return errors.Join(errs...)
}

// dropTokenKeys removes the token keys whose last token has expired.
func (a *App) dropTokenKeys(ctx context.Context, r *Rotation) error {
	all := a.Ring.Tokens()
	for i, key := range all[:len(all)-1] {
		until, err := a.Sessions.SignedUntil(ctx, all[i+1].CreatedAt)
		if err != nil || !until.IsZero() {
			return err // those that came after it are needed for longer
		}
		if err := a.Ring.Remove(ctx, key.ID); err != nil && !errors.Is(err, model.ErrNotFound) {
			return err
		}
		r.Tokens = append(r.Tokens, key.ID)
	}
	return nil
}

// RemoveKey ends every token, or id_token, that an older key signed. It fails
// with ErrNoKey or ErrKeySigns.
func (a *App) RemoveKey(ctx context.Context, kid string) error {
	err := a.Ring.Remove(ctx, kid)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return ErrNoKey
	case errors.Is(err, keyring.ErrInUse):
		return ErrKeySigns
	case err != nil:
		return err
	}
	a.hub.Publish(ctx, revocation.Notice{})
	return a.audit.Record(ctx, audit.Event{Kind: audit.KeyRemoved, Detail: []slog.Attr{slog.String("kid", kid)}})
}

// KeyView is a key as the operator sees it.
type KeyView struct {
	keyring.Info

	Until time.Time // of a key that does not sign any more: when its last token expires; zero if all have
}

// Keys lists every key, oldest first.
func (a *App) Keys(ctx context.Context) ([]KeyView, error) {
	var (
		list  []KeyView
		older = map[model.KeyPurpose]int{} // where the key before stands
	)
	for i, info := range a.Ring.List() {
		list = append(list, KeyView{Info: info})
		before, followed := older[info.Purpose]
		older[info.Purpose] = i
		if !followed {
			continue
		}
		until, err := a.signedUntil(ctx, info)
		if err != nil {
			return nil, err
		}
		list[before].Until = until
	}
	return list, nil
}

// signedUntil is when the last token of the key before this one expires.
func (a *App) signedUntil(ctx context.Context, next keyring.Info) (time.Time, error) {
	switch next.Purpose {
	case model.KeyToken:
		return a.Sessions.SignedUntil(ctx, next.CreatedAt)
	case model.KeyIDToken:
		return a.Ring.IDSignedUntil(next.CreatedAt), nil
	case model.KeySeal, model.KeyDevice:
	}
	return time.Time{}, nil
}

// followKeys reads the keys again from time to time until ctx ends: a command
// that made new ones may have been killed before it told.
func (a *App) followKeys(ctx context.Context) error {
	again := time.NewTicker(a.limits.follow)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
		if err := a.Ring.Refresh(ctx); err != nil && ctx.Err() == nil {
			a.opts.Log.LogAttrs(ctx, slog.LevelError, "read keys", slog.Any("error", err))
		}
	}
}
