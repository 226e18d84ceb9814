package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// Grants keeps what apps are given: codes, families of tokens, consents and
// device authorizations.
type Grants struct{ db *DB }

// Grants is the store of what apps are given.
func (d *DB) Grants() *Grants { return &Grants{db: d} }

// AddCode stores a code, and forgets the account's oldest unused ones beyond
// keep. ErrStale says that the account is gone.
func (s *Grants) AddCode(ctx context.Context, c model.GrantCode, keep int) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&c).Error; err != nil {
			return err
		}
		var surplus []string
		err := tx.Model(&model.GrantCode{}).Where("account_key = ? AND used_at IS NULL", c.AccountKey).
			Order("created_at DESC, hash").Limit(forgetAtMost).Offset(keep).Pluck("hash", &surplus).Error
		if err != nil || len(surplus) == 0 {
			return err
		}
		return tx.Where("hash IN ?", surplus).Delete(&model.GrantCode{}).Error
	})
}

// Code finds a code, used or not.
func (s *Grants) Code(ctx context.Context, hash string) (model.GrantCode, error) {
	var row model.GrantCode
	err := s.db.read(ctx).Where("hash = ?", hash).Take(&row).Error
	return row, s.db.translate(err)
}

// BurnCode makes an unused code used, for nothing.
func (s *Grants) BurnCode(ctx context.Context, hash string, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Model(&model.GrantCode{}).Where("hash = ? AND used_at IS NULL", hash).Update("used_at", at).Error
	})
}

// Redeem uses a code and opens the login with its tokens, and returns how many
// others that ended. ErrConflict says that the code was used before: then what
// ended is what it was used for. ErrNotFound says that it is unknown or expired,
// ErrStale that account or app changed meanwhile.
func (s *Grants) Redeem(ctx context.Context, codeHash string, o model.GrantOpening) (int64, error) {
	var ended int64
	replayed := false
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		at := o.Opening.Login.CreatedAt
		used := tx.Model(&model.GrantCode{}).Where("hash = ? AND used_at IS NULL AND expires_at > ?", codeHash, at).
			Updates(map[string]any{"used_at": at, "login_id": o.Grant.LoginID})
		if used.Error != nil {
			return fmt.Errorf("use code: %w", used.Error)
		}
		if replayed = used.RowsAffected == 0; replayed {
			ended, err = endRedeemed(tx, codeHash, at)
			return err
		}
		ended, err = openGrant(tx, o)
		return err
	})
	if err == nil && replayed {
		err = model.ErrConflict
	}
	return ended, err
}

// EndRedeemed ends the login that a used code was exchanged for, and returns how
// many that were. ErrNotFound says that the code was not used.
func (s *Grants) EndRedeemed(ctx context.Context, codeHash string, at model.Time) (int64, error) {
	var ended int64
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		ended, err = endRedeemed(tx, codeHash, at)
		return err
	})
	return ended, err
}

func endRedeemed(tx *gorm.DB, codeHash string, at model.Time) (int64, error) {
	var code model.GrantCode
	if err := tx.Where("hash = ? AND used_at IS NOT NULL", codeHash).Take(&code).Error; err != nil {
		return 0, err
	}
	return endFamily(tx, code.LoginID, model.EndReused, at)
}

// openGrant opens the login of an app with its family and tokens.
func openGrant(tx *gorm.DB, o model.GrantOpening) (int64, error) {
	err := firstError(
		checkEpoch(tx, o.Opening.Login.AccountKey, o.Opening.Epoch), checkApp(tx, o.Grant.ClientID),
	)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return 0, model.ErrStale // the account is gone: it is the code that would not be found
	}
	if err != nil {
		return 0, err
	}
	ended, err := makeLogin(tx, o.Opening)
	if err != nil {
		return 0, err
	}
	return ended, addGrant(tx, o.Grant, o.Tokens)
}

func addGrant(tx *gorm.DB, g model.Grant, tokens []model.GrantToken) error {
	if err := tx.Create(&g).Error; err != nil {
		return fmt.Errorf("save grant: %w", err)
	}
	if err := tx.Create(&tokens).Error; err != nil {
		return fmt.Errorf("save tokens: %w", err)
	}
	return nil
}

// checkApp fails unless the app is in use. No app is the owner.
func checkApp(tx *gorm.DB, clientID string) error {
	if clientID == "" {
		return nil
	}
	var n int64
	err := tx.Model(&model.OAuthClient{}).Where("id = ? AND disabled = ?", clientID, false).Limit(1).Count(&n).Error
	if err == nil && n == 0 {
		return model.ErrStale
	}
	return err
}

// dropApprovals forgets what the account approved and no app has fetched yet, for
// one device unless deviceKey is empty: an app that was thrown out does not come
// back with it.
func dropApprovals(tx *gorm.DB, accountKey, deviceKey string) error {
	codes := tx.Where("account_key = ? AND used_at IS NULL", accountKey)
	devices := tx.Where("decided_by = ? AND state = ?", accountKey, model.DeviceApproved)
	if deviceKey != "" {
		codes, devices = codes.Where("device_key = ?", deviceKey), devices.Where("device_key = ?", deviceKey)
	}
	return firstError(codes.Delete(&model.GrantCode{}).Error, devices.Delete(&model.DeviceCode{}).Error)
}
