package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// keptRevoked is how many deleted keys of one account are remembered; the
// oldest are forgotten.
const keptRevoked = 1000

// SSHKey is a key of the account; model.ErrNotFound if it is not there or not
// the account's.
func (s *SSHKeys) SSHKey(ctx context.Context, accountKey string, id int64) (model.SSHKey, error) {
	row, err := gorm.G[model.SSHKey](s.db.read(ctx)).Where("id = ? AND account_key = ?", id, accountKey).Take(ctx)
	return row, s.db.translate(err)
}

// EditSSHKey writes the title and the limits of key. If the limits are others
// than before, the logins that were made with the key end. model.ErrNotFound,
// model.ErrStale if it was edited since old was read, or model.ErrConflict if
// another key of the account has the title.
func (s *SSHKeys) EditSSHKey(ctx context.Context, old, key model.SSHKey, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		row, err := gorm.G[model.SSHKey](tx).Where("id = ? AND account_key = ?", key.ID, key.AccountKey).Take(ctx)
		if err != nil {
			return err
		}
		if row.Edited(old) != row {
			return model.ErrStale
		}
		edited := row.Edited(key)
		if err := tx.Save(&edited).Error; err != nil {
			return err
		}
		if edited.Title = row.Title; edited == row {
			return nil
		}
		return endKeyLogins(tx, key.ID, at)
	})
}

// endKeyLogins ends the logins of the device that signs in with the key.
func endKeyLogins(tx *gorm.DB, id int64, at model.Time) error {
	devices := tx.Model(&model.Device{}).Select("devices.key").Where("ssh_key_id = ?", id)
	_, err := endLogins(tx.Where("device_key IN (?)", devices), model.EndKey, at)
	return err
}

// LiftSSHKey lets a suspended key sign in again; model.ErrNotFound if it is not
// there or not the account's.
func (s *SSHKeys) LiftSSHKey(ctx context.Context, accountKey string, id int64) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.SSHKey{}).Where("id = ? AND account_key = ?", id, accountKey).
			Update("suspended_at", model.Time{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}

// SSHKeysByName lists the keys of the account that the name means, as
// AccountByName finds it, with its roles; one key if fingerprint is not empty.
// A disabled account has none. It is one query.
func (s *SSHKeys) SSHKeysByName(ctx context.Context, exact, folded, fingerprint string) ([]model.SSHKey, model.IntList, error) {
	var rows []struct {
		model.SSHKey `gorm:"embedded"`

		OwnerRoles model.IntList
	}
	q := s.db.read(ctx).Table("ssh_keys").Select("ssh_keys.*, accounts.roles AS owner_roles").
		Joins("JOIN accounts ON accounts.key = ssh_keys.account_key").
		Where("accounts.disabled = ?", false).
		Where("accounts.username = ? OR (accounts.name_folded = ? AND NOT EXISTS (?))", exact, folded,
			s.db.reader.Table("accounts AS twins").Select("1").
				Where("twins.name_folded = ? AND twins.key <> accounts.key", folded))
	if fingerprint != "" {
		q = q.Where("ssh_keys.fingerprint = ?", fingerprint)
	}
	if err := q.Order("ssh_keys.id").Find(&rows).Error; err != nil {
		return nil, nil, s.db.translate(err)
	}
	keys, roles := make([]model.SSHKey, len(rows)), model.IntList{}
	for i, row := range rows {
		keys[i], roles = row.SSHKey, row.OwnerRoles
	}
	return keys, roles, nil
}

// RevokedSSHKeys lists the fingerprints of keys that were there and that no
// enabled account may sign in with at that time.
func (s *SSHKeys) RevokedSSHKeys(ctx context.Context, at model.Time) ([]string, error) {
	var list []string
	err := s.db.read(ctx).Raw(`
		SELECT fingerprint FROM (
			SELECT fingerprint FROM revoked_ssh_keys UNION SELECT fingerprint FROM ssh_keys
		) AS known
		WHERE fingerprint NOT IN (
			SELECT ssh_keys.fingerprint FROM ssh_keys JOIN accounts ON accounts.key = ssh_keys.account_key
			WHERE accounts.disabled = ? AND suspended_at IS NULL AND (expires_at IS NULL OR expires_at > ?)
		)
		ORDER BY fingerprint`, false, at).Scan(&list).Error
	return list, s.db.translate(err)
}

// rememberRevoked notes keys that are about to be deleted. which narrows a
// query on ssh_keys to them; all are the account's.
func rememberRevoked(tx *gorm.DB, accountKey string, which func(*gorm.DB) *gorm.DB) error {
	var prints []string
	if err := which(tx.Model(&model.SSHKey{})).Order("id").Pluck("fingerprint", &prints).Error; err != nil {
		return fmt.Errorf("find keys to revoke: %w", err)
	}
	if len(prints) == 0 {
		return nil
	}
	rows := make([]model.RevokedSSHKey, len(prints))
	for i, fingerprint := range prints {
		rows[i] = model.RevokedSSHKey{AccountKey: accountKey, Fingerprint: fingerprint}
	}
	if err := tx.Create(&rows).Error; err != nil {
		return fmt.Errorf("remember revoked keys: %w", err)
	}
	old := tx.Model(&model.RevokedSSHKey{}).Select("id").Where("account_key = ?", accountKey).
		Order("id DESC").Limit(1).Offset(keptRevoked)
	if err := tx.Where("account_key = ? AND id <= (?)", accountKey, old).Delete(&model.RevokedSSHKey{}).Error; err != nil {
		return fmt.Errorf("forget revoked keys: %w", err)
	}
	return nil
}
