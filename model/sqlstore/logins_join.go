package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// JoinLogin renews the newest live login of the opening's device, or makes one
// as OpenLogin does if there is none, and returns it and how many others ended.
// ErrStale also says that the SSH key behind the device is gone or suspended.
func (s *Logins) JoinLogin(ctx context.Context, o model.LoginOpening) (model.Login, int64, error) {
	var ended int64
	login := o.Login
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		if err := firstError(checkEpoch(tx, o.Login.AccountKey, o.Epoch), checkKey(tx, o.Device)); err != nil {
			return err
		}
		var row model.Login
		err := live(tx.Where("device_key = ?", o.Device.Key), o.Live).
			Order("seen_at DESC, created_at DESC, id").Take(&row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			ended, err = makeLogin(tx, o)
			return err
		}
		if err != nil {
			return fmt.Errorf("find login to join: %w", err)
		}
		login.ID = row.ID
		err = tx.Model(&model.Login{}).Where("id = ? AND ended_at IS NULL", row.ID).Updates(map[string]any{
			"created_at": login.CreatedAt, "fresh_at": login.FreshAt, "seen_at": login.SeenAt, "expires_at": login.ExpiresAt,
		}).Error
		return firstError(err, saveDevice(tx, o.Device))
	})
	return login, ended, err
}

// checkKey fails unless the key behind the device, if it has one, may sign in.
func checkKey(tx *gorm.DB, d model.Device) error {
	if d.SSHKeyID == nil {
		return nil
	}
	var n int64
	err := tx.Model(&model.SSHKey{}).
		Where("id = ? AND account_key = ? AND suspended_at IS NULL", *d.SSHKeyID, d.AccountKey).Count(&n).Error
	if err == nil && n == 0 {
		return model.ErrStale
	}
	return err
}

// renewAtMost is how many logins one statement asks for: SQLite takes 32,766
// parameters, and other writers want their turn.
const renewAtMost = 500

// RenewLogins moves the lifetime of those logins that are live, and returns
// them.
func (s *Logins) RenewLogins(ctx context.Context, r model.Renewal) ([]string, error) {
	var alive []string
	for ids := r.IDs; len(ids) > 0; {
		some := ids[:min(len(ids), renewAtMost)]
		ids = ids[len(some):]
		err := s.db.write(ctx, func(tx *gorm.DB) error {
			var found []string
			err := live(tx.Model(&model.Login{}).Where("id IN ?", some), r.Live).Pluck("id", &found).Error
			if err != nil {
				return fmt.Errorf("find logins to renew: %w", err)
			}
			alive = append(alive, found...)
			return tx.Model(&model.Login{}).Where("id IN ? AND ended_at IS NULL", found).
				Updates(map[string]any{"created_at": r.Live.At, "expires_at": r.ExpiresAt}).Error
		})
		if err != nil {
			return nil, err
		}
	}
	return alive, nil
}
