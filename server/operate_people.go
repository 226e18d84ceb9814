package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/admin"
	"latchkey/service/revocation"
	"latchkey/service/session"
	"latchkey/service/setting"
)

// ErrNoRole says that no role has the name.
var ErrNoRole = errors.New("no such role")

// Person is an account as the operator sees it.
type Person struct {
	ID       int64
	Name     string
	Roles    []string
	Disabled bool
}

// People lists the accounts by id.
func (a *App) People(ctx context.Context) ([]Person, error) {
	roles, err := all(ctx, a.Accounts.Roles)
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, r := range roles {
		names[r.ID] = r.Name
	}
	accounts, err := all(ctx, a.Accounts.Page)
	if err != nil {
		return nil, err
	}
	people := make([]Person, len(accounts))
	for i, row := range accounts {
		people[i] = Person{ID: row.ID, Name: row.Username, Disabled: row.Disabled}
		for _, id := range row.Roles {
			if name, ok := names[id]; ok {
				people[i].Roles = append(people[i].Roles, name)
			}
		}
	}
	return people, nil
}

// all reads every page of a list.
func all[T any](ctx context.Context, page func(context.Context, int, int) ([]T, int64, error)) ([]T, error) {
	var list []T
	for number := 1; ; number++ {
		rows, total, err := page(ctx, number, 0)
		if err != nil {
			return nil, err
		}
		list = append(list, rows...)
		if len(rows) == 0 || int64(len(list)) >= total {
			return list, nil
		}
	}
}

// AddPerson adds an account with the roles of these names, or the default one
// without any. It fails with ErrNoRole and as admin.Service.CreateAny does.
func (a *App) AddPerson(ctx context.Context, name, plain string, roles []string) (model.Account, error) {
	ids, err := a.roleIDs(ctx, roles)
	if err != nil {
		return model.Account{}, err
	}
	if len(ids) == 0 {
		ids = []int64{a.Admins.DefaultRole()}
	}
	return a.Admins.CreateAny(ctx, model.Account{Username: name, Roles: ids}, plain)
}

func (a *App) roleIDs(ctx context.Context, names []string) ([]int64, error) {
	var ids []int64
	for _, name := range names {
		id, err := a.Admins.RoleNamed(ctx, name)
		if errors.Is(err, admin.ErrDefaultUnknown) {
			return nil, fmt.Errorf("%q: %w", name, ErrNoRole)
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// withAccount does something to the account that the name means, and returns
// how its name is spelt. It fails with ErrNoAccount.
func (a *App) withAccount(ctx context.Context, name string, act func(model.Account) error) (string, error) {
	found, err := a.Accounts.ForSignIn(ctx, name)
	if err == nil {
		err = act(found)
	}
	if errors.Is(err, account.ErrUnknown) {
		return "", ErrNoAccount
	}
	return found.Username, err
}

// SetRoles gives an account the roles of these names, in place of those it
// had, and returns how its name is spelt. It fails with ErrNoAccount,
// ErrNoRole or account.ErrLastAdmin.
func (a *App) SetRoles(ctx context.Context, name string, roles []string) (string, error) {
	ids, err := a.roleIDs(ctx, roles)
	if err != nil {
		return "", err
	}
	return a.withAccount(ctx, name, func(found model.Account) error {
		return a.Accounts.SetRoles(ctx, found, ids)
	})
}

// DeletePerson deletes an account and all that hangs on it, and returns how
// its name was spelt. It fails with ErrNoAccount or account.ErrLastAdmin.
func (a *App) DeletePerson(ctx context.Context, name string) (string, error) {
	return a.withAccount(ctx, name, func(found model.Account) error {
		return a.Accounts.Delete(ctx, found.Key)
	})
}

// CancelTwoFactor takes an account's second factor off, ends its logins, and
// returns how its name is spelt. It fails with ErrNoAccount.
func (a *App) CancelTwoFactor(ctx context.Context, name string) (string, error) {
	return a.withAccount(ctx, name, func(found model.Account) error {
		return a.Admins.CancelTwoFactor(ctx, access.Caller{}, found.ID)
	})
}

// SetPassword gives an account a new password, ends its logins, and returns
// how its name is spelt. It fails with ErrNoAccount or password.ErrWeak.
func (a *App) SetPassword(ctx context.Context, name, plain string) (string, error) {
	return a.withAccount(ctx, name, func(found model.Account) error {
		return a.Profile.SetPassword(ctx, found.Key, plain)
	})
}

// Devices lists the active devices of the account that the name means, or
// everybody's if it is empty. It fails with ErrNoAccount.
func (a *App) Devices(ctx context.Context, name string) ([]model.DeviceView, error) {
	list, err := a.Sessions.ListAll(ctx)
	if err != nil || name == "" {
		return list, err
	}
	_, err = a.withAccount(ctx, name, func(found model.Account) error {
		list = slices.DeleteFunc(list, func(d model.DeviceView) bool { return d.AccountKey != found.Key })
		return nil
	})
	return list, err
}

// ErrNoDevice says that there is no device of that id.
var ErrNoDevice = errors.New("no such session: latchkey session list shows them")

// EvictDevice throws a device out. It fails with ErrNoDevice.
func (a *App) EvictDevice(ctx context.Context, id string) error {
	err := a.Sessions.EvictAny(ctx, id)
	if errors.Is(err, session.ErrNoDevice) {
		return ErrNoDevice
	}
	return err
}

// CleanDevices deletes the rows of all devices without a live login.
func (a *App) CleanDevices(ctx context.Context) error { return a.Sessions.DropInactive(ctx, 0) }

// SettingValues lists every setting.
func (a *App) SettingValues(ctx context.Context) ([]setting.View, error) {
	return a.Admins.SettingsOf(ctx, nil)
}

// ErrNoSetting says that there is no setting of that name.
var ErrNoSetting = errors.New("no such setting: latchkey setting list shows them")

// SettingValue is the value of a setting. It fails with ErrNoSetting.
func (a *App) SettingValue(ctx context.Context, key string) (string, error) {
	views, err := a.SettingValues(ctx)
	if err != nil {
		return "", err
	}
	for _, v := range views {
		if v.Key == key {
			return v.Value, nil
		}
	}
	return "", ErrNoSetting
}

// SetSetting changes a setting. When it returns, the running server has it. It
// fails with ErrNoSetting and as admin.Service.SaveSettings does.
func (a *App) SetSetting(ctx context.Context, key, value string) error {
	err := a.Admins.SaveSettings(ctx, map[string]string{key: value})
	if errors.Is(err, setting.ErrUnknown) {
		return ErrNoSetting
	}
	if err == nil {
		a.hub.Publish(ctx, revocation.Notice{})
	}
	return err
}
