package sqlstore

import (
	"context"

	"gorm.io/gorm"

	"latchkey/model"
)

// TOTP keeps second factors.
type TOTP struct{ db *DB }

// TOTP is the store of second factors.
func (d *DB) TOTP() *TOTP { return &TOTP{db: d} }

// TOTP finds the account's row.
func (s *TOTP) TOTP(ctx context.Context, accountKey string) (model.TOTP, error) {
	var row model.TOTP
	err := s.db.read(ctx).Where("account_key = ?", accountKey).Take(&row).Error
	return row, s.db.translate(err)
}

// SavePendingTOTP keeps a sealed secret as the account's only pending one.
// ErrConflict says that a factor is enrolled, ErrStale that the account is gone.
func (s *TOTP) SavePendingTOTP(ctx context.Context, accountKey, sealed string, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.TOTP{}).
			Where("account_key = ? AND secret = ''", accountKey).
			Updates(map[string]any{"pending": sealed, "pending_at": at})
		if done.Error != nil || done.RowsAffected > 0 {
			return done.Error
		}
		// Either there is no row yet, or an enrolled one that is in the way.
		return tx.Create(&model.TOTP{AccountKey: accountKey, Pending: sealed, PendingAt: at}).Error
	})
}

// SaveReplacementTOTP keeps row's pending secret beside the enrolled one.
// ErrStale says that row's secret is not the enrolled one any more.
func (s *TOTP) SaveReplacementTOTP(ctx context.Context, row model.TOTP) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.TOTP{}).
			Where("account_key = ? AND secret <> '' AND secret = ?", row.AccountKey, row.Secret).
			Updates(map[string]any{"pending": row.Pending, "pending_at": row.PendingAt})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		return nil
	})
}

// EnrolTOTP stores row's secret in the place of any other, drops the recovery
// codes and ends the account's other logins. ErrStale says that the pending
// secret is not row's any more, or that keepLogin has ended.
func (s *TOTP) EnrolTOTP(ctx context.Context, row model.TOTP, keepLogin string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		if err := stillLive(tx, row.AccountKey, keepLogin); err != nil {
			return err
		}
		done := tx.Model(&model.TOTP{}).
			Where("account_key = ? AND pending <> ''", row.AccountKey).
			Where("pending = ? AND pending_at = ?", row.Pending, row.PendingAt).
			Updates(map[string]any{
				"secret": row.Secret, "enrolled_at": row.EnrolledAt, "last_step": row.LastStep,
				"pending": "", "pending_at": nil,
			})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		if err := dropRecoveryCodes(tx, row.AccountKey); err != nil {
			return err
		}
		return endAccountLogins(tx, row.AccountKey, keepLogin, model.EndTwoFactor, row.EnrolledAt)
	})
}

// ClaimTOTPStep raises the last step. ErrStale says that step is not later
// than the stored one, or that row's secret is not the enrolled one any more.
func (s *TOTP) ClaimTOTPStep(ctx context.Context, row model.TOTP, step int64) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.TOTP{}).
			Where("account_key = ? AND last_step < ?", row.AccountKey, step).
			Where("secret <> '' AND secret = ?", row.Secret).
			Update("last_step", step)
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		return nil
	})
}

// DeleteTOTP drops an enrolled factor with its recovery codes and ends the
// account's other logins. ErrNotFound says that nothing is enrolled, ErrStale
// that keepLogin has ended.
func (s *TOTP) DeleteTOTP(ctx context.Context, accountKey, keepLogin string, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		if err := anyoneLive(tx, keepLogin); err != nil {
			return err
		}
		done := tx.Where("account_key = ? AND secret <> ''", accountKey).Delete(&model.TOTP{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		if err := dropRecoveryCodes(tx, accountKey); err != nil {
			return err
		}
		return endAccountLogins(tx, accountKey, keepLogin, model.EndTwoFactor, at)
	})
}
