package login

import (
	"context"
	"errors"

	"latchkey/model"
	"latchkey/service/account"
	"latchkey/service/session"
)

// Half is a sign-in whose password was right and whose code is missing.
type Half struct {
	AccountKey string
	Epoch      int64 // the account's when its password was checked
}

// Begin is SignIn for clients that send the code in a second request. With
// ErrCodeNeeded it says what was proven.
func (s *Service) Begin(ctx context.Context, r Request) (session.Opened, Half, error) {
	opened, a, err := s.attempt(ctx, r)
	if errors.Is(err, ErrCodeNeeded) {
		return opened, Half{AccountKey: a.Key, Epoch: a.Epoch}, err
	}
	return opened, Half{}, err
}

// Finish is the second request of Begin: r has the code and no password. It
// counts and is refused as a sign-in with the right password, and with
// ErrCredentials if the account changed since.
func (s *Service) Finish(ctx context.Context, h Half, r Request) (session.Opened, error) {
	p, err := s.Accounts.Profile(ctx, h.AccountKey)
	if errors.Is(err, account.ErrUnknown) {
		return session.Opened{}, ErrCredentials
	}
	if err != nil {
		return session.Opened{}, err
	}
	r.Password, r.Hashed, r.half = "", false, &h
	opened, err := s.signIn(ctx, r, p.Account)
	s.record(ctx, r, p.Account, err)
	return opened, err
}

// attempt is SignIn, which says whose sign-in it was, too.
func (s *Service) attempt(ctx context.Context, r Request) (session.Opened, model.Account, error) {
	var opened session.Opened
	a, err := s.find(ctx, r)
	if err == nil || errors.Is(err, account.ErrUnknown) {
		opened, err = s.signIn(ctx, r, a)
	}
	s.record(ctx, r, a, err)
	return opened, a, err
}

// find is the account that is to be signed in to. An e-mail address that was
// confirmed comes before a name that looks like one; both are looked for in any
// case, so that the time it takes tells nothing.
func (s *Service) find(ctx context.Context, r Request) (model.Account, error) {
	if !r.ByEmail {
		return s.Accounts.ForSignIn(ctx, r.Username)
	}
	byEmail, err := s.Accounts.ForEmail(ctx, r.Username)
	if err != nil && !errors.Is(err, account.ErrUnknown) {
		return model.Account{}, err
	}
	byName, nameErr := s.Accounts.ForSignIn(ctx, r.Username)
	if err == nil {
		return byEmail, nil
	}
	return byName, nameErr
}
