package importer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"latchkey/model"
	"latchkey/service/password"
	"latchkey/service/revocation"
)

// WrapConfig is how hard the background worker works.
type WrapConfig struct {
	Batch int           // accounts read at once
	Pause time.Duration // after every hash, and between looks at whether sign-ins want the hasher
}

// WrapDefaults wraps 10,000 passwords in about 10 minutes on one core, and lets
// a sign-in wait for one hash at most.
func WrapDefaults() WrapConfig { return WrapConfig{Batch: 100, Pause: 20 * time.Millisecond} }

// Wrapper makes imported passwords strong: all of them in the background, and
// each at its owner's next sign-in. It is safe for concurrent use.
type Wrapper struct {
	cfg       WrapConfig
	store     Store
	passwords *password.Checker
	hasher    *password.Hasher
	log       *slog.Logger
	wake      chan struct{} // holds one token when there may be work
}

// NewWrapper makes a Wrapper, which looks for work again whenever the hub says
// that everything may have changed, as an import does.
func NewWrapper(cfg WrapConfig, d Deps, hasher *password.Hasher, log *slog.Logger) *Wrapper {
	w := &Wrapper{
		cfg: cfg, store: d.Store, passwords: d.Passwords, hasher: hasher, log: log, wake: make(chan struct{}, 1),
	}
	d.Hub.Subscribe(func(_ context.Context, n revocation.Notice) {
		if n != (revocation.Notice{}) {
			return
		}
		select {
		case w.wake <- struct{}{}:
		default: // it will look anyway
		}
	})
	return w
}

// Run wraps what waits for it, then waits for more, until ctx ends. What is
// left is found at the next start.
func (w *Wrapper) Run(ctx context.Context) error {
	for {
		var again <-chan time.Time
		n, err := w.WrapAll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // to be stopped is no failure
		case err != nil:
			w.log.LogAttrs(ctx, slog.LevelError, "wrap imported passwords", slog.Int("wrapped", n), slog.Any("error", err))
			again = time.After(retryEvery)
		case n > 0:
			w.log.LogAttrs(ctx, slog.LevelInfo, "imported passwords are wrapped", slog.Int("wrapped", n))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		case <-again:
		}
	}
}

// retryEvery is how long the storage is left alone after it failed.
const retryEvery = time.Minute

// WrapAll wraps every sealed password, one at a time, and returns how many it
// did. A password that does not open is left for an admin to set, and logged.
func (w *Wrapper) WrapAll(ctx context.Context) (int, error) {
	wrapped, after := 0, ""
	for {
		rows, err := w.store.PasswordsWith(ctx, password.SealedPrefix, after, w.cfg.Batch)
		if err != nil {
			return wrapped, fmt.Errorf("list imported passwords: %w", err)
		}
		if len(rows) == 0 {
			return wrapped, nil
		}
		n, err := w.wrapSome(ctx, rows)
		wrapped, after = wrapped+n, rows[len(rows)-1].Key
		if err != nil {
			return wrapped, err
		}
	}
}

func (w *Wrapper) wrapSome(ctx context.Context, rows []model.Account) (int, error) {
	wrapped := 0
	for _, a := range rows {
		done, err := w.wrap(ctx, a)
		for errors.Is(err, password.ErrBusy) { // sign-ins come first
			done, err = w.wrap(ctx, a)
		}
		if err != nil {
			return wrapped, err
		}
		if done {
			wrapped++
		}
	}
	return wrapped, nil
}

// idle waits for the pause, and until no sign-in wants the hasher.
func (w *Wrapper) idle(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(w.cfg.Pause):
		}
		if !w.passwords.IsBusy() {
			return nil
		}
	}
}

// wrap wraps one password unless it changed meanwhile. Only what concerns all
// of them is an error.
func (w *Wrapper) wrap(ctx context.Context, a model.Account) (bool, error) {
	if err := w.idle(ctx); err != nil {
		return false, err
	}
	stored, err := w.passwords.Wrap(ctx, a.Key, a.PasswordHash)
	switch {
	case err == nil:
	case ctx.Err() != nil, errors.Is(err, password.ErrBusy):
		return false, err
	default:
		w.log.LogAttrs(ctx, slog.LevelError, "an imported password cannot be wrapped, set another",
			slog.String("account_key", a.Key), slog.Any("error", err))
		return false, nil
	}
	err = w.store.ReplacePassword(ctx, a.Key, a.PasswordHash, stored)
	if errors.Is(err, model.ErrStale) {
		return false, nil // changed, or signed in
	}
	if err != nil {
		return false, fmt.Errorf("store a wrapped password: %w", err)
	}
	return true, nil
}

// Upgrade gives an account that has just signed in with static the plain form
// in place of an imported one. It never fails a sign-in: what it could not do
// it does the next time.
func (w *Wrapper) Upgrade(ctx context.Context, a model.Account, static string) {
	if !password.IsImported(a.PasswordHash) {
		return
	}
	stored, err := w.hasher.Hash(ctx, static)
	if err == nil {
		err = w.store.ReplacePassword(ctx, a.Key, a.PasswordHash, stored)
	}
	if err != nil && !errors.Is(err, model.ErrStale) {
		w.log.LogAttrs(ctx, slog.LevelWarn, "an imported password stays as it is until the next sign-in",
			slog.String("account_key", a.Key), slog.Any("error", err))
	}
}
