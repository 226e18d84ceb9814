package profile

import (
	"context"
	"errors"
	"fmt"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/fault"
	"latchkey/service/login"
)

// Why a password is not changed.
var (
	// ErrSamePassword says that the new password is the present one.
	ErrSamePassword = fault.New(fault.Invalid, "password_same", "New password must differ from the present one")
	// ErrOvertaken says that the account changed while its owner changed it.
	ErrOvertaken = fault.New(fault.Conflict, "account_overtaken", "Account has been changed meanwhile, try again")
)

// PasswordChange is a new password and what shows that its owner chose it.
type PasswordChange struct {
	Old         string // plain; empty: a fresh login speaks for the caller
	New         string // plain
	Code        string // of the second factor; needed with Old unless the login is fresh
	KeepCurrent bool   // the caller's login lives on
}

// ChangePassword gives the caller a new password and ends every other login of
// the account, and the caller's unless it is kept. The old password is counted
// and checked as at sign-in, and makes a login that is kept fresh. API keys live
// on: it returns how many. It fails with access.ErrNotFresh,
// access.ErrFirstParty, ErrSamePassword, ErrOvertaken, password.ErrWeak or as
// login.Service.Prove does.
func (s *Service) ChangePassword(ctx context.Context, by access.Caller, c PasswordChange) (apiKeys int64, err error) {
	if err := by.CheckOwner(); err != nil {
		return 0, err
	}
	fresh := by.IsFresh(s.Now())
	switch {
	case by.Kind != access.SessionToken, by.Account.IsGuest(), c.Old == "" && !fresh:
		return 0, access.ErrNotFresh
	case c.Old == c.New:
		return 0, ErrSamePassword
	}
	if err := s.Policy.CheckNew(c.New, by.Account.Username, by.Account.Email); err != nil { // before a code is spent on it
		return 0, err
	}
	if apiKeys, err = s.APIKeys.Count(ctx, by.Account.Key); err != nil { // before anything is done that would be answered as a failure
		return 0, err
	}
	return apiKeys, s.changePassword(ctx, by, c, fresh)
}

func (s *Service) changePassword(ctx context.Context, by access.Caller, c PasswordChange, fresh bool) error {
	change := account.Change{ByLogin: by.LoginID}
	if c.KeepCurrent {
		change.KeepLogin, change.Proven = by.LoginID, !fresh // a fresh login proves no code: it stays as fresh as it was
	}
	if c.Old == "" {
		return s.changeFresh(ctx, by, c.New, change)
	}
	proof := login.Proof{Password: c.Old, Code: c.Code, Fresh: fresh}
	return s.Login.Prove(ctx, by, proof, func(a model.Account) error {
		change.Epoch = &a.Epoch
		return s.writePassword(ctx, by, c.New, change)
	})
}

// changeFresh is for callers whose login alone speaks for them.
func (s *Service) changeFresh(ctx context.Context, by access.Caller, plain string, change account.Change) error {
	owner, err := s.Accounts.Profile(ctx, by.Account.Key)
	if errors.Is(err, account.ErrUnknown) {
		return ErrGone
	}
	if err != nil {
		return fmt.Errorf("read account: %w", err)
	}
	change.Epoch = &owner.Epoch
	err = s.compare(ctx, by, plain, func(same bool) error {
		if same {
			return ErrSamePassword
		}
		return s.writePassword(ctx, by, plain, change)
	})
	if errors.Is(err, account.ErrEnded) {
		if over := s.Login.Ended(ctx, by); over != nil {
			return over
		}
		return ErrOvertaken
	}
	return err
}

// writePassword fails with account.ErrEnded if the caller's login is over or the
// account's epoch is another than the change's.
func (s *Service) writePassword(ctx context.Context, by access.Caller, plain string, change account.Change) error {
	hash, err := s.hash(ctx, plain, by.Account.Username, by.Account.Email)
	if err != nil {
		return err
	}
	change.PasswordHash = &hash
	err = s.Accounts.Change(ctx, by.Account.Key, change)
	if errors.Is(err, account.ErrUnknown) {
		return ErrGone
	}
	return err
}
