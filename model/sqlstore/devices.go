package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// Devices lists the active devices of an account, or of all accounts if
// accountKey is empty, oldest first.
func (s *Logins) Devices(ctx context.Context, accountKey string, l model.Live) ([]model.DeviceView, error) {
	list := []model.DeviceView{}
	q := live(s.db.read(ctx).Table("devices"), l).
		Select("devices.*, accounts.id AS account_id, accounts.username AS username, MAX(logins.expires_at) AS expires_at").
		Joins("JOIN logins ON logins.device_key = devices.key").
		Joins("JOIN accounts ON accounts.key = devices.account_key").
		Group("devices.key, accounts.id").Order("devices.created_at, devices.key")
	if accountKey != "" {
		q = q.Where("devices.account_key = ?", accountKey)
	}
	err := q.Scan(&list).Error
	return list, s.db.translate(err)
}

// DeviceSeen reports whether the account signed in from the device and was
// seen there after since.
func (s *Logins) DeviceSeen(ctx context.Context, accountKey, deviceKey string, since model.Time) (bool, error) {
	var n int64
	err := s.db.read(ctx).Model(&model.Device{}).
		Where("devices.key = ? AND account_key = ? AND seen_at > ?", deviceKey, accountKey, since).Count(&n).Error
	return n > 0, s.db.translate(err)
}

// DropInactive deletes devices without a live login: of one account unless
// accountID is 0, one device unless deviceKey is empty. It returns how many.
func (s *Logins) DropInactive(ctx context.Context, accountID int64, deviceKey string, l model.Live) (int64, error) {
	var n int64
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		q := tx.Where("NOT EXISTS (?)", liveOfDevice(tx, l))
		if accountID != 0 {
			q = q.Where("account_key IN (?)", tx.Model(&model.Account{}).Select("accounts.key").Where("id = ?", accountID))
		}
		if deviceKey != "" {
			q = q.Where("devices.key = ?", deviceKey)
		}
		done := q.Delete(&model.Device{})
		n = done.RowsAffected
		return done.Error
	})
	return n, err
}

// liveOfDevice is the live logins of the device that the outer query is at.
func liveOfDevice(tx *gorm.DB, l model.Live) *gorm.DB {
	return live(tx.Model(&model.Login{}).Select("1").Where("logins.device_key = devices.key"), l)
}

// Clean ends logins that were idle for too long, forgets those that expired
// long ago, and deletes devices that nobody uses, AtMost of each. It returns
// how many rows it changed, and the accounts whose logins it ended.
func (s *Logins) Clean(ctx context.Context, c model.Cleaning) (int64, []string, error) {
	var (
		changed  int64
		accounts []string
	)
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		if !c.UnusedSince.IsZero() {
			if accounts, err = endIdle(tx, c); err != nil {
				return err
			}
			changed += int64(len(accounts))
		}
		some := tx.Model(&model.Login{}).Select("id").Where("expires_at < ?", c.ExpiredAt).Limit(c.AtMost)
		gone := tx.Where("id IN (?)", some).Delete(&model.Login{})
		if gone.Error != nil {
			return fmt.Errorf("forget logins: %w", gone.Error)
		}
		n, err := dropIdleDevices(tx, c)
		changed += gone.RowsAffected + n
		return err
	})
	return changed, accounts, err
}

func endIdle(tx *gorm.DB, c model.Cleaning) ([]string, error) {
	var idle []model.Login
	err := live(tx, model.Live{At: c.Now}).Where("seen_at <= ? AND kind <> ?", c.UnusedSince, model.LoginApp).Limit(c.AtMost).Find(&idle).Error
	if err != nil {
		return nil, fmt.Errorf("find idle logins: %w", err)
	}
	ids := make([]string, len(idle))
	accounts := make([]string, len(idle))
	for i, l := range idle {
		ids[i], accounts[i] = l.ID, l.AccountKey
	}
	_, err = endLogins(tx.Where("id IN ?", ids), model.EndCleaned, c.Now)
	return accounts, err
}

// dropIdleDevices deletes devices past their account's idle time, or past the
// setting's where the account has none of its own.
func dropIdleDevices(tx *gorm.DB, c model.Cleaning) (int64, error) {
	const ttl = "COALESCE(accounts.session_ttl, ?)"
	some := tx.Model(&model.Device{}).Where("NOT EXISTS (?)", liveOfDevice(tx, model.Live{At: c.Now})).
		Joins("JOIN accounts ON accounts.key = devices.account_key").
		Where(ttl+" > 0 AND devices.seen_at < ? - 1000 * "+ttl, c.DeviceIdle, c.Now, c.DeviceIdle).
		Limit(c.AtMost)
	var keys []string
	if err := some.Pluck("devices.key", &keys).Error; err != nil {
		return 0, fmt.Errorf("find idle devices: %w", err)
	}
	done := tx.Where("devices.key IN ?", keys).Delete(&model.Device{})
	return done.RowsAffected, done.Error
}
