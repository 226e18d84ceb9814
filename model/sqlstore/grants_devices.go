package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// AddDeviceCode stores a device authorization. ErrLimit says that too many are
// under way, ErrConflict that the user code is taken.
func (s *Grants) AddDeviceCode(ctx context.Context, c model.DeviceCode, limit model.DeviceCodeCap) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var all, own int64
		waiting := func() *gorm.DB { return tx.Model(&model.DeviceCode{}).Where("expires_at > ?", c.CreatedAt) }
		err := firstError(
			waiting().Count(&all).Error,
			waiting().Where("client_id = ?", c.ClientID).Count(&own).Error,
		)
		switch {
		case err != nil:
			return fmt.Errorf("count device codes: %w", err)
		case all >= int64(limit.All), own >= int64(limit.Client):
			return model.ErrLimit
		}
		return tx.Create(&c).Error
	})
}

// DeviceCode finds a device authorization by the hash of its device code.
func (s *Grants) DeviceCode(ctx context.Context, hash string) (model.DeviceCode, error) {
	var row model.DeviceCode
	err := s.db.read(ctx).Where("hash = ?", hash).Take(&row).Error
	return row, s.db.translate(err)
}

// DeviceCodeFor finds a device authorization by the hash of its user code.
func (s *Grants) DeviceCodeFor(ctx context.Context, userHash string) (model.DeviceCode, error) {
	var row model.DeviceCode
	err := s.db.read(ctx).Where("user_hash = ?", userHash).Take(&row).Error
	return row, s.db.translate(err)
}

// PollDeviceCode writes when it was polled and how often it may be. ErrStale
// says that somebody else was quicker.
func (s *Grants) PollDeviceCode(ctx context.Context, was, becomes model.DeviceCode) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		q := tx.Model(&model.DeviceCode{}).Where("hash = ? AND poll_seconds = ?", was.Hash, was.Interval)
		if was.PolledAt.IsZero() {
			q = q.Where("polled_at IS NULL")
		} else {
			q = q.Where("polled_at = ?", was.PolledAt)
		}
		done := q.Updates(map[string]any{"polled_at": becomes.PolledAt, "poll_seconds": becomes.Interval})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		return nil
	})
}

// DecideDeviceCode writes what its owner decided, once. ErrNotFound says that it
// is gone, expired or decided, ErrStale that the account changed meanwhile.
func (s *Grants) DecideDeviceCode(ctx context.Context, c model.DeviceCode, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		err := checkEpoch(tx, c.AccountKey, c.Epoch)
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return model.ErrStale
		}
		if err != nil {
			return err
		}
		done := tx.Model(&model.DeviceCode{}).
			Where("hash = ? AND state = ? AND expires_at > ?", c.Hash, model.DevicePending, at).
			Updates(map[string]any{
				"state": c.State, "decided_by": c.AccountKey, "device_key": c.DeviceKey, "epoch": c.Epoch,
				"auth_time": c.AuthTime, "amr": c.AMR,
			})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}

// RedeemDeviceCode uses an approved device authorization and opens the login
// with its tokens, and returns how many others that ended. ErrNotFound says that
// it is not approved, or not any more, ErrStale that account or app changed
// meanwhile.
func (s *Grants) RedeemDeviceCode(ctx context.Context, hash string, o model.GrantOpening) (int64, error) {
	var ended int64
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		used := tx.Model(&model.DeviceCode{}).
			Where("hash = ? AND state = ? AND expires_at > ?", hash, model.DeviceApproved, o.Opening.Login.CreatedAt).
			Update("state", model.DeviceDone)
		if used.Error != nil || used.RowsAffected == 0 {
			return firstError(used.Error, gorm.ErrRecordNotFound)
		}
		ended, err = openGrant(tx, o)
		return err
	})
	return ended, err
}
