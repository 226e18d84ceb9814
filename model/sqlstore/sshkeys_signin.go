package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// SSHKeyFor is the account's key of the fingerprint; model.ErrNotFound.
func (s *SSHKeys) SSHKeyFor(ctx context.Context, accountKey, fingerprint string) (model.SSHKey, error) {
	row, err := gorm.G[model.SSHKey](s.db.read(ctx)).
		Where("account_key = ? AND fingerprint = ?", accountKey, fingerprint).Take(ctx)
	return row, s.db.translate(err)
}

// TouchSSHKey notes that the key proved itself. It writes two instants and
// nothing else; model.ErrNotFound if the key is gone.
func (s *SSHKeys) TouchSSHKey(ctx context.Context, id int64, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		used := tx.Model(&model.SSHKey{}).Where("id = ?", id).UpdateColumns(map[string]any{
			"last_used_at": gorm.Expr("CASE WHEN last_used_at > ? THEN last_used_at ELSE ? END", at, at),
			"verified_at":  gorm.Expr("COALESCE(verified_at, ?)", at),
		})
		if used.Error == nil && used.RowsAffected == 0 {
			return model.ErrNotFound
		}
		return used.Error
	})
}

// suspendKeys shuts the SSH keys behind evicted devices of the account out until
// their owner lifts that (ruling 28). devices is a list or a query of their keys;
// those without an SSH key have none to suspend.
func suspendKeys(tx *gorm.DB, accountKey string, devices any, at model.Time) error {
	behind := tx.Model(&model.Device{}).Select("ssh_key_id").
		Where("account_key = ? AND ssh_key_id IS NOT NULL AND devices.key IN (?)", accountKey, devices)
	err := tx.Model(&model.SSHKey{}).Where("account_key = ? AND suspended_at IS NULL AND id IN (?)", accountKey, behind).
		UpdateColumn("suspended_at", at).Error
	if err != nil {
		return fmt.Errorf("suspend keys: %w", err)
	}
	return nil
}

// dropKeyDevice takes away the device of a deleted key with its logins, so that
// no connection can prove one of them any more. No token names them.
func dropKeyDevice(tx *gorm.DB, keyID int64) error {
	of := tx.Model(&model.Device{}).Select("devices.key").Where("ssh_key_id = ?", keyID)
	err := firstError(
		tx.Where("device_key IN (?)", of).Delete(&model.Login{}).Error,
		tx.Where("ssh_key_id = ?", keyID).Delete(&model.Device{}).Error,
	)
	if err != nil {
		return fmt.Errorf("drop device of key: %w", err)
	}
	return nil
}
