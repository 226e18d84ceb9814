package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"latchkey/model"
)

// AccountByID finds an account by its number on the wire.
func (s *Accounts) AccountByID(ctx context.Context, id int64) (model.Account, error) {
	var row model.Account
	err := s.db.read(ctx).Where("id = ?", id).Take(&row).Error
	return row, s.db.translate(err)
}

// AccountPage lists accounts by id, and how many there are in all.
func (s *Accounts) AccountPage(ctx context.Context, offset, limit int) ([]model.Account, int64, error) {
	var (
		rows  []model.Account
		total int64
	)
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&model.Account{}).Count(&total).Error; err != nil {
			return fmt.Errorf("count accounts: %w", err)
		}
		return tx.Order("id").Offset(offset).Limit(limit).Find(&rows).Error
	})
	return rows, total, s.db.translate(err)
}

// EditAccount changes an account in one transaction. Disabling it or changing
// its password ends its logins. ErrLimit says that no enabled admin would be
// left, ErrStale that a role does not exist, that the login which asks has ended
// or that the epoch is another, ErrConflict that the name is taken.
func (s *Accounts) EditAccount(ctx context.Context, key string, e model.AccountEdit) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var old model.Account
		if err := tx.Where("accounts.key = ?", key).Take(&old).Error; err != nil {
			return err
		}
		if e.Epoch != nil && *e.Epoch != old.Epoch {
			return model.ErrStale
		}
		if err := stillLive(tx, key, e.ByLogin); err != nil {
			return err
		}
		columns := editColumns(e)
		if len(columns) == 0 {
			return nil
		}
		if e.Shows(old) {
			columns["profile_at"] = e.At
		}
		err := tx.Model(&model.Account{}).Where("accounts.key = ?", key).Updates(columns).Error
		return firstError(err, rolesExist(tx, e.Roles), adminLeft(tx, old), endEdited(tx, old, e), endMailed(tx, old, e))
	})
}

// stillLive fails with ErrStale if the login, unless it is empty, has ended.
func stillLive(tx *gorm.DB, accountKey, login string) error {
	return anyoneLive(tx.Where("account_key = ?", accountKey), login)
}

// anyoneLive is stillLive for a login that may be another account's: an
// admin's.
func anyoneLive(tx *gorm.DB, login string) error {
	if login == "" {
		return nil
	}
	var n int64
	err := tx.Model(&model.Login{}).Where("id = ? AND ended_at IS NULL", login).Count(&n).Error
	if err != nil || n == 0 {
		return firstError(err, model.ErrStale)
	}
	return nil
}

// endEdited ends the logins that the change does not let live.
func endEdited(tx *gorm.DB, old model.Account, e model.AccountEdit) error {
	switch {
	case e.PasswordHash != nil:
		return firstError(
			endAccountLogins(tx, old.Key, e.KeepLogin, model.EndPassword, e.At), freshenKept(tx, old.Key, e),
		)
	case e.Disabled != nil && *e.Disabled:
		return endAccountLogins(tx, old.Key, "", model.EndDisabled, e.At)
	case e.Email != nil && e.ByLogin != "":
		return endAccountLogins(tx, old.Key, e.ByLogin, model.EndEmail, e.At)
	}
	return nil
}

// endMailed uses up the links that were mailed to other addresses than the one
// that an admin or the operator gives the account. What somebody does to their
// own ends none: it may be an intruder.
func endMailed(tx *gorm.DB, old model.Account, e model.AccountEdit) error {
	if e.Email == nil || e.ByLogin != "" {
		return nil
	}
	return useUp(tx.Where("account_key = ? AND email <> '' AND email <> ?", old.Key, *e.Email), e.At)
}

// freshenKept writes when the owner of the login that is kept proved themselves.
func freshenKept(tx *gorm.DB, accountKey string, e model.AccountEdit) error {
	if e.KeepLogin == "" || e.KeptFreshAt.IsZero() {
		return nil
	}
	kept := tx.Model(&model.Login{}).Where("id = ? AND account_key = ? AND ended_at IS NULL", e.KeepLogin, accountKey)
	return kept.Update("fresh_at", e.KeptFreshAt).Error
}

func editColumns(e model.AccountEdit) map[string]any {
	columns := map[string]any{}
	if e.Username != nil {
		columns["username"], columns["name_folded"], columns["name_key"] = *e.Username, *e.NameFolded, *e.NameKey
	}
	if e.PasswordHash != nil {
		columns["password_hash"], columns["password_at"] = *e.PasswordHash, e.At
		columns["must_change_password"] = false
	}
	set(columns, "base_path", e.BasePath)
	set(columns, "roles", e.Roles)
	set(columns, "permission", e.Permission)
	set(columns, "disabled", e.Disabled)
	set(columns, "sso_id", e.SSOID)
	set(columns, "max_devices", e.MaxDevices)
	set(columns, "session_ttl", e.SessionTTL)
	set(columns, "email", e.Email)
	set(columns, "email_verified", e.EmailVerified)
	return columns
}

func set[T any](columns map[string]any, name string, value *T) {
	if value != nil {
		columns[name] = *value
	}
}

// rolesExist fails with ErrStale unless every role is there. No list is fine.
func rolesExist(tx *gorm.DB, ids *model.IntList) error {
	if ids == nil {
		return nil
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(*ids)))
	var n int64
	if err := tx.Model(&model.Role{}).Where("id IN ?", distinct).Count(&n).Error; err != nil {
		return fmt.Errorf("look for roles: %w", err)
	}
	if n != int64(len(distinct)) {
		return model.ErrStale
	}
	return nil
}

// adminLeft fails with ErrLimit if the account was an enabled admin before the
// change and nobody is one after it.
func adminLeft(tx *gorm.DB, old model.Account) error {
	if old.Disabled || !slices.Contains(old.Roles, model.RoleAdmin) {
		return nil
	}
	admins, err := enabledWithRole(tx, model.RoleAdmin)
	if err != nil {
		return err
	}
	if len(admins) == 0 {
		return model.ErrLimit
	}
	return nil
}

// enabledWithRole lists the enabled accounts that hold the role, by id.
func enabledWithRole(tx *gorm.DB, role int64) ([]model.Account, error) {
	rows, err := holders(tx.Where("disabled = ?", false), role)
	if err != nil {
		return nil, fmt.Errorf("find accounts with role %d: %w", role, err)
	}
	return rows, nil
}

// holders narrows a query to accounts that hold the role. The pattern only
// saves reading rows that cannot match.
func holders(q *gorm.DB, role int64) ([]model.Account, error) {
	var rows []model.Account
	if err := q.Where("roles LIKE ?", fmt.Sprintf("%%%d%%", role)).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(a model.Account) bool { return !slices.Contains(a.Roles, role) }), nil
}

// DeleteAccount deletes an account and all that hangs on it. ErrLimit says
// that no enabled admin would be left.
func (s *Accounts) DeleteAccount(ctx context.Context, key string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var old model.Account
		if err := tx.Where("accounts.key = ?", key).Take(&old).Error; err != nil {
			return err
		}
		keys := func(q *gorm.DB) *gorm.DB { return q.Where("account_key = ?", key) }
		if err := rememberRevoked(tx, key, keys); err != nil {
			return err
		}
		if err := tx.Where("accounts.key = ?", key).Delete(&model.Account{}).Error; err != nil {
			return err
		}
		return firstError(forgetThrottles(tx, key), adminLeft(tx, old))
	})
}
