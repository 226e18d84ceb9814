package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// FreshenLogin writes when the login's owner proved who they are, in one
// statement that changes nothing else. ErrStale says that the login is over,
// that the account is disabled, or that its epoch is another.
func (s *Logins) FreshenLogin(ctx context.Context, p model.LoginProof) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		same := tx.Model(&model.Account{}).Select("1").
			Where("accounts.key = logins.account_key AND accounts.epoch = ? AND NOT accounts.disabled", p.Epoch)
		done := live(tx.Model(&model.Login{}), p.Live).
			Where("id = ? AND account_key = ?", p.LoginID, p.AccountKey).
			Where("EXISTS (?)", same).
			Update("fresh_at", p.Live.At)
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		return nil
	})
}

// EndOthers ends every login of the account except keepLogin. It returns how
// many other devices and how many logins that were as l says came to their end.
// The SSH keys behind those devices are suspended, as by evicting each. ErrStale
// says that keepLogin is over, or not the account's.
func (s *Logins) EndOthers(ctx context.Context, accountKey, keepLogin string, why model.EndReason, l model.Live) (devices, logins int64, err error) {
	err = s.db.write(ctx, func(tx *gorm.DB) error {
		var kept model.Login
		mine := live(tx, l).Where("id = ? AND account_key = ?", keepLogin, accountKey).Limit(1).Find(&kept)
		if mine.Error != nil || mine.RowsAffected == 0 {
			return firstError(mine.Error, model.ErrStale)
		}
		others := func() *gorm.DB {
			return live(tx.Model(&model.Login{}), l).Where("account_key = ? AND id <> ?", accountKey, keepLogin)
		}
		err := firstError(
			others().Count(&logins).Error,
			others().Where("device_key <> ?", kept.DeviceKey).Distinct("device_key").Count(&devices).Error,
		)
		if err != nil {
			return fmt.Errorf("count other logins: %w", err)
		}
		evicted := others().Select("device_key").Where("device_key <> ?", kept.DeviceKey)
		err = firstError(suspendKeys(tx, accountKey, evicted, l.At), dropApprovals(tx, accountKey, ""))
		if err != nil {
			return err
		}
		_, err = endLogins(tx.Where("account_key = ? AND id <> ?", accountKey, keepLogin), why, l.At)
		return err
	})
	return devices, logins, err
}
