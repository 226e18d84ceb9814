package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// Logins keeps devices and the logins below them.
type Logins struct{ db *DB }

// Logins is the store of devices and logins.
func (d *DB) Logins() *Logins { return &Logins{db: d} }

// OpenLogin makes a login and the room for it. It locks out every other writer
// while it counts. It returns how many other logins it ended, ErrNotFound if
// the account is gone, ErrStale if the account is disabled or its epoch is not
// the expected one any more, and ErrLimit if the account has as many devices
// as it may.
func (s *Logins) OpenLogin(ctx context.Context, o model.LoginOpening) (int64, error) {
	var ended int64
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		if err := checkEpoch(tx, o.Login.AccountKey, o.Epoch); err != nil {
			return err
		}
		ended, err = makeLogin(tx, o)
		return err
	})
	return ended, err
}

// makeLogin ends what must go for the new login, and writes it.
func makeLogin(tx *gorm.DB, o model.LoginOpening) (int64, error) {
	surplus, err := devicesToEnd(tx, o)
	if err != nil {
		return 0, err
	}
	var ended int64
	at := o.Login.CreatedAt
	steps := []*gorm.DB{
		tx.Where("device_key IN ?", surplus),
		tx.Where("id = ? AND device_key = ?", o.Replaces, o.Device.Key),
		tx.Where("id IN (?)", idlestLogins(tx, o)),
	}
	reasons := []model.EndReason{model.EndLimit, model.EndReplaced, model.EndReplaced}
	for i, which := range steps {
		n, err := endLogins(which, reasons[i], at)
		if err != nil {
			return 0, err
		}
		ended += n
	}
	if err := saveDevice(tx, o.Device); err != nil {
		return 0, err
	}
	if err := tx.Create(&o.Login).Error; err != nil {
		return 0, err
	}
	return ended, forgetSurplus(tx, o)
}

// saveDevice makes the device's row, or brings it up to date.
func saveDevice(tx *gorm.DB, d model.Device) error {
	refresh := clause.OnConflict{
		Columns:   []clause.Column{{Name: "key"}},
		DoUpdates: clause.AssignmentColumns([]string{"kind", "user_agent", "ip", "seen_at", "ssh_key_id"}),
	}
	if err := tx.Clauses(refresh).Create(&d).Error; err != nil {
		return fmt.Errorf("save device: %w", err)
	}
	return nil
}

// forgetSurplus bounds the rows that an account leaves behind. A token whose
// login is forgotten stays refused.
func forgetSurplus(tx *gorm.DB, o model.LoginOpening) error {
	var logins, devices []string
	err := tx.Model(&model.Login{}).Where("account_key = ? AND ended_at IS NOT NULL", o.Login.AccountKey).
		Order("ended_at DESC, id").Limit(forgetAtMost).Offset(o.KeepEnded).Pluck("id", &logins).Error
	if err != nil {
		return fmt.Errorf("find ended logins: %w", err)
	}
	err = tx.Model(&model.Device{}).Where("account_key = ?", o.Login.AccountKey).
		Where("NOT EXISTS (?)", liveOfDevice(tx, model.Live{At: o.Live.At})).
		Order("seen_at DESC, devices.key").Limit(forgetAtMost).Offset(o.KeepIdle).Pluck("devices.key", &devices).Error
	if err != nil {
		return fmt.Errorf("find idle devices: %w", err)
	}
	return firstError(
		tx.Where("id IN ?", logins).Delete(&model.Login{}).Error,
		tx.Where("devices.key IN ?", devices).Delete(&model.Device{}).Error,
	)
}

// forgetAtMost is how many rows of each kind one sign-in deletes. A sign-in
// adds one.
const forgetAtMost = 10

// checkEpoch fails unless the account may still finish the sign-in it began.
func checkEpoch(tx *gorm.DB, accountKey string, epoch int64) error {
	var a model.Account
	if err := tx.Where("accounts.key = ?", accountKey).Take(&a).Error; err != nil {
		return err
	}
	if a.Disabled || a.Epoch != epoch {
		return model.ErrStale
	}
	return nil
}

// devicesToEnd picks the idlest devices that must go for the one that signs in.
func devicesToEnd(tx *gorm.DB, o model.LoginOpening) ([]string, error) {
	var others []string
	err := sameClass(tx.Model(&model.Device{}), o.Device.Kind).
		Where("account_key = ? AND devices.key <> ?", o.Login.AccountKey, o.Device.Key).
		Where("EXISTS (?)", liveOfDevice(tx, o.Live)).
		Order("seen_at, created_at, devices.key").
		Pluck("devices.key", &others).Error
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	have := int64(len(others))
	room := o.DeviceCap
	if o.MaxDevices > 0 && have >= o.MaxDevices {
		if o.EvictOldest {
			room = min(room, o.MaxDevices)
		} else if known, err := isLive(tx, o.Device.Key, o.Live); err != nil || !known {
			return nil, firstError(err, model.ErrLimit)
		}
	}
	return others[:max(0, have-room+1)], nil
}

// sameClass narrows a query to devices that share a limit: apps count among
// apps, SFTP clients among SFTP clients, all others together.
func sameClass(q *gorm.DB, kind model.DeviceKind) *gorm.DB {
	if kind == model.DeviceOAuth || kind == model.DeviceSFTP {
		return q.Where("kind = ?", kind)
	}
	return q.Where("kind NOT IN ?", []model.DeviceKind{model.DeviceOAuth, model.DeviceSFTP})
}

func isLive(tx *gorm.DB, deviceKey string, l model.Live) (bool, error) {
	var n int64
	err := live(tx.Model(&model.Login{}).Where("device_key = ?", deviceKey), l).Limit(1).Count(&n).Error
	return n > 0, err
}

// idlestLogins are the live ones of the device that must go for the new one.
func idlestLogins(tx *gorm.DB, o model.LoginOpening) *gorm.DB {
	newest := live(tx.Model(&model.Login{}).Select("id").Where("device_key = ?", o.Device.Key), o.Live).
		Order("seen_at DESC, created_at DESC, id").Limit(o.LoginCap - 1)
	return live(tx.Model(&model.Login{}).Select("id"), o.Live).
		Where("device_key = ? AND id NOT IN (?)", o.Device.Key, tx.Table("(?) AS newest", newest).Select("id"))
}

// Login finds a login, live or ended.
func (s *Logins) Login(ctx context.Context, id string) (model.Login, error) {
	var row model.Login
	err := s.db.read(ctx).Where("id = ?", id).Take(&row).Error
	return row, s.db.translate(err)
}

// LastExpiry is when the last of the logins with a session token that were made
// before an instant expires, live or ended; zero if there are none.
func (s *Logins) LastExpiry(ctx context.Context, createdBefore model.Time) (model.Time, error) {
	var row model.Login
	err := s.db.read(ctx).Select("expires_at").Where("created_at < ? AND kind IN ?", createdBefore, model.SignedKinds()).
		Order("expires_at DESC").Limit(1).Find(&row).Error
	return row.ExpiresAt, s.db.translate(err)
}

// EndLogin ends one login of the account and returns how many that ended: none
// if it is over already.
func (s *Logins) EndLogin(ctx context.Context, accountKey, id string, why model.EndReason, at model.Time) (int64, error) {
	var n int64
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		n, err = endLogins(tx.Where("account_key = ? AND id = ?", accountKey, id), why, at)
		return err
	})
	return n, err
}

// EndDevice ends every login of a device and returns the device and how many
// logins that ended. Evicting the device of an SSH key suspends the key, that of
// an app takes back what it was approved and has not fetched. An empty
// accountKey means any account's device.
// ErrNotFound says that there is no such device, or that it is somebody else's.
func (s *Logins) EndDevice(ctx context.Context, accountKey, deviceKey string, why model.EndReason, at model.Time) (model.Device, int64, error) {
	var (
		device model.Device
		n      int64
	)
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		owned := tx.Where("devices.key = ?", deviceKey)
		if accountKey != "" {
			owned = owned.Where("account_key = ?", accountKey)
		}
		if err := owned.Take(&device).Error; err != nil {
			return err
		}
		if n, err = endLogins(tx.Where("device_key = ?", deviceKey), why, at); err != nil || why != model.EndEvicted {
			return err
		}
		return firstError(
			suspendKeys(tx, device.AccountKey, []string{device.Key}, at),
			dropApprovals(tx, device.AccountKey, device.Key),
		)
	})
	return device, n, err
}

// Touch writes when logins were last used. It changes no other column of a
// login, and nothing of one that has ended.
func (s *Logins) Touch(ctx context.Context, touches []model.Touch) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		for _, t := range touches {
			used := tx.Model(&model.Login{}).Where("id = ? AND ended_at IS NULL AND seen_at < ?", t.LoginID, t.At).
				Update("seen_at", t.At)
			if used.Error != nil {
				return fmt.Errorf("touch login: %w", used.Error)
			}
			if used.RowsAffected == 0 {
				continue
			}
			err := tx.Model(&model.Device{}).Where("devices.key = ? AND seen_at <= ?", t.DeviceKey, t.At).
				Updates(touched(t)).Error
			if err != nil {
				return fmt.Errorf("touch device: %w", err)
			}
		}
		return nil
	})
}

// touched is what a use changes of the device's row.
func touched(t model.Touch) map[string]any {
	columns := map[string]any{"seen_at": t.At}
	if !t.Keep || t.UserAgent != "" {
		columns["user_agent"] = t.UserAgent
	}
	if !t.Keep || t.IP != "" {
		columns["ip"] = t.IP
	}
	return columns
}

// live narrows a query on logins to those that are live.
func live(q *gorm.DB, l model.Live) *gorm.DB {
	q = q.Where("logins.ended_at IS NULL AND logins.expires_at > ?", l.At)
	if !l.CreatedAfter.IsZero() {
		q = q.Where("(logins.kind NOT IN ? OR logins.created_at > ?)", model.SignedKinds(), l.CreatedAfter)
	}
	if !l.SeenAfter.IsZero() {
		q = q.Where("(logins.kind = ? OR logins.seen_at > ?)", model.LoginApp, l.SeenAfter)
	}
	return q
}

// endLogins ends those of the chosen logins that have not ended. It is the
// only statement in the program that writes an ending.
func endLogins(which *gorm.DB, why model.EndReason, at model.Time) (int64, error) {
	done := which.Model(&model.Login{}).Where("ended_at IS NULL").
		Updates(map[string]any{"ended_at": at, "end_reason": why})
	if done.Error != nil {
		return 0, fmt.Errorf("end logins: %w", done.Error)
	}
	return done.RowsAffected, nil
}

// endAccountLogins ends the account's logins except keepLogin, which may be
// empty, and raises its epoch so that no sign-in under way can finish.
func endAccountLogins(tx *gorm.DB, accountKey, keepLogin string, why model.EndReason, at model.Time) error {
	err := tx.Model(&model.Account{}).Where("accounts.key = ?", accountKey).
		Update("epoch", gorm.Expr("epoch + 1")).Error
	if err != nil {
		return fmt.Errorf("raise epoch: %w", err)
	}
	_, err = endLogins(tx.Where("account_key = ? AND id <> ?", accountKey, keepLogin), why, at)
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
