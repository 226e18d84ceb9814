package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// RecoveryCodes lists the account's present set, used ones too.
func (s *TOTP) RecoveryCodes(ctx context.Context, accountKey string) ([]model.RecoveryCode, error) {
	var rows []model.RecoveryCode
	err := s.db.read(ctx).Where("account_key = ?", accountKey).Order("hash").Find(&rows).Error
	return rows, s.db.translate(err)
}

// RenewRecoveryCodes puts the codes in the place of all the account has.
// ErrNotFound says that no factor is enrolled, ErrStale that byLogin has ended.
func (s *TOTP) RenewRecoveryCodes(ctx context.Context, accountKey, byLogin string, codes []model.RecoveryCode) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		if err := stillLive(tx, accountKey, byLogin); err != nil {
			return err
		}
		err := tx.Where("account_key = ? AND secret <> ''", accountKey).Take(&model.TOTP{}).Error
		if err != nil {
			return err
		}
		if err := dropRecoveryCodes(tx, accountKey); err != nil {
			return err
		}
		return tx.Create(&codes).Error
	})
}

// UseRecoveryCode marks a code as used and returns how many are left. ErrStale
// says that the account has no unused code with the hash.
func (s *TOTP) UseRecoveryCode(ctx context.Context, accountKey, hash string, at model.Time) (int64, error) {
	var left int64
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.RecoveryCode{}).
			Where("account_key = ? AND hash = ? AND used_at IS NULL", accountKey, hash).
			Update("used_at", at)
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		return tx.Model(&model.RecoveryCode{}).Where("account_key = ? AND used_at IS NULL", accountKey).Count(&left).Error
	})
	return left, err
}

// dropRecoveryCodes deletes all of the account's codes.
func dropRecoveryCodes(tx *gorm.DB, accountKey string) error {
	if err := tx.Where("account_key = ?", accountKey).Delete(&model.RecoveryCode{}).Error; err != nil {
		return fmt.Errorf("drop recovery codes: %w", err)
	}
	return nil
}
