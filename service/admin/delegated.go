package admin

import (
	"context"
	"slices"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/setting"
)

// mayEdit holds what delegated callers never do to an account, whatever their
// scopes: touch guests and admins, or change what somebody signs in with. A leaked
// key must not become an admin's password.
func mayEdit(by access.Caller, old model.Account, e model.AccountEdit, plain string) error {
	if by.IsDelegated() && (account.HasReserved(old.Roles) || plain != "" || changesEmail(old, e) || changesSSO(old, e)) {
		return access.ErrFirstParty
	}
	return nil
}

func changesSSO(old model.Account, e model.AccountEdit) bool {
	return e.SSOID != nil && *e.SSOID != old.SSOID
}

// mayEditRole holds what delegated callers never do to a role: change whether it
// requires a second factor, and, without the scope for settings, make it the
// default one.
func (s *Service) mayEditRole(ctx context.Context, id int64, e model.RoleEdit, makeDefault bool) error {
	by := access.From(ctx)
	if !by.IsDelegated() {
		return nil
	}
	if e.RequireTwoFactor != nil {
		old, err := s.Accounts.Role(ctx, id)
		if err != nil {
			return err
		}
		if old.RequireTwoFactor != *e.RequireTwoFactor {
			return access.ErrFirstParty
		}
	}
	if makeDefault && id != s.DefaultRole() {
		return by.CheckScope(access.AdminSettingUpdate)
	}
	return nil
}

// maySave holds which settings delegated callers never write: secret ones, and
// those that decide how safely people sign in, unless they stay as they are.
func (s *Service) maySave(by access.Caller, values map[string]string) error {
	if !by.IsDelegated() {
		return nil
	}
	for _, item := range setting.Items() {
		value, given := values[item.Key]
		if given && (item.Secret || item.Guard && value != s.Settings.Get(item.Key)) {
			return access.ErrFirstParty
		}
	}
	return nil
}

// seen is the settings that the caller may see: delegated ones see no secret.
func seen(by access.Caller, views []setting.View) []setting.View {
	if !by.IsDelegated() {
		return views
	}
	return slices.DeleteFunc(views, func(v setting.View) bool { return v.Secret })
}
