package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"log/slog"

	"latchkey/model"
	"latchkey/service/admin"
	"latchkey/service/audit"
	"latchkey/service/throttle"
)

// openThrottle makes the throttle, which does not know yet what was counted
// before. Its key never changes, as the device key that it is derived from.
func (a *App) openThrottle(ctx context.Context) error {
	mac := hmac.New(sha256.New, a.Ring.Device())
	_, _ = mac.Write([]byte("latchkey throttle")) // never fails (hash.Hash)
	var err error
	a.guesses, err = throttle.New(throttle.Defaults(), throttle.Deps{
		Store: a.db.Throttle(), Key: mac.Sum(nil), Log: a.opts.Log, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, func() error {
		a.guesses.Close(context.WithoutCancel(ctx))
		return nil
	})
	return nil
}

// lifted says on the wire what a command lifted.
type lifted struct {
	AccountKey string `json:"account_key"`
	Address    string `json:"address"` // looked at if there is no account
}

// lift does what a command did beside this server: it alone can forget what is
// in its memory.
func (a *App) lift(ctx context.Context, l lifted) error {
	a.audit.Note(ctx, audit.Event{
		Kind: audit.Commanded, AccountKey: l.AccountKey, Detail: []slog.Attr{slog.String("lifted_address", l.Address)},
	})
	if l.AccountKey != "" {
		return a.guesses.LiftAccount(ctx, l.AccountKey)
	}
	_, err := a.guesses.LiftAddress(ctx, l.Address)
	return err
}

// Throttled lists the accounts and addresses whose sign-ins are refused.
func (a *App) Throttled(ctx context.Context) ([]admin.Throttled, error) {
	return a.Admins.Throttled(ctx)
}

// LiftAccount lets the account that the name means be tried again from anywhere,
// and returns how its name is spelt. When it returns, the running server does.
// It fails with ErrNoAccount.
func (a *App) LiftAccount(ctx context.Context, name string) (string, error) {
	return a.withAccount(ctx, name, func(found model.Account) error {
		if err := a.guesses.LiftAccount(ctx, found.Key); err != nil {
			return err
		}
		a.tellLifted(ctx, lifted{AccountKey: found.Key})
		return a.audit.Record(ctx, audit.Event{Kind: audit.ThrottleLifted, AccountKey: found.Key})
	})
}

// ErrNoAddress says that what should be lifted is no address.
var ErrNoAddress = errors.New("no such address: latchkey throttle list shows them")

// LiftAddress lets the address, or its /64, try again, and returns how it is
// listed. When it returns, the running server does. It fails with ErrNoAddress.
func (a *App) LiftAddress(ctx context.Context, address string) (string, error) {
	shown, err := a.guesses.LiftAddress(ctx, address)
	if errors.Is(err, throttle.ErrAddress) {
		return "", ErrNoAddress
	}
	if err != nil {
		return "", err
	}
	a.tellLifted(ctx, lifted{Address: shown})
	return shown, a.audit.Record(ctx, audit.Event{
		Kind: audit.ThrottleLifted, Detail: []slog.Attr{slog.String("lifted_address", shown)},
	})
}

// tellLifted tells the running server, if this is a command beside one.
func (a *App) tellLifted(ctx context.Context, l lifted) {
	if !a.alone {
		a.tell(context.WithoutCancel(ctx), note{Lifted: &l})
	}
}
