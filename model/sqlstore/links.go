package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// Links keeps one-time links.
type Links struct{ db *DB }

// Links is the store of one-time links.
func (d *DB) Links() *Links { return &Links{db: d} }

// AddLink stores a link and forgets some that expired. ErrLimit says that the
// account was sent enough of the purpose.
func (s *Links) AddLink(ctx context.Context, l model.Link, limit model.LinkLimit) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var n int64
		err := tx.Model(&model.Link{}).
			Where("account_key = ? AND purpose = ? AND created_at > ?", l.AccountKey, l.Purpose, limit.Since).Count(&n).Error
		if err != nil {
			return fmt.Errorf("count links: %w", err)
		}
		if n >= int64(limit.AtMost) {
			return model.ErrLimit
		}
		return firstError(tx.Create(&l).Error, forgetLinks(tx, l.CreatedAt))
	})
}

// forgetLinks deletes a few links that are of no use any more.
func forgetLinks(tx *gorm.DB, at model.Time) error {
	var expired []string
	err := tx.Model(&model.Link{}).Where("expires_at <= ?", at).Limit(forgetAtMost).Pluck("hash", &expired).Error
	if err != nil || len(expired) == 0 {
		return err
	}
	return tx.Where("hash IN ?", expired).Delete(&model.Link{}).Error
}

// Link finds a link, used or not.
func (s *Links) Link(ctx context.Context, hash string) (model.Link, error) {
	var row model.Link
	err := s.db.read(ctx).Where("hash = ?", hash).Take(&row).Error
	return row, s.db.translate(err)
}

// spend takes a link that still works, for whoever acts in the same
// transaction. ErrNotFound says that there is none.
func spend(tx *gorm.DB, hash string, purpose model.LinkPurpose, at model.Time) (model.Link, error) {
	var row model.Link
	err := tx.Where("hash = ? AND purpose = ? AND used_at IS NULL AND expires_at > ?", hash, purpose, at).Take(&row).Error
	if err != nil {
		return row, err
	}
	return row, tx.Model(&model.Link{}).Where("hash = ?", hash).Update("used_at", at).Error
}

// ConfirmEmail spends a link that confirms the account's address. ErrStale says
// that the account has another one by now.
func (s *Links) ConfirmEmail(ctx context.Context, hash string, at model.Time) (model.Link, error) {
	return s.act(ctx, func(tx *gorm.DB) (model.Link, error) {
		row, err := spend(tx, hash, model.LinkConfirmEmail, at)
		if err != nil {
			return row, err
		}
		done := tx.Model(&model.Account{}).Where("accounts.key = ? AND email = ?", row.AccountKey, row.Email).
			Update("email_verified", true)
		if done.Error == nil && done.RowsAffected == 0 {
			return row, model.ErrStale
		}
		return row, done.Error
	})
}

// Disown spends a link that says "this was not me": it ends the device's
// logins, leaves no other one fresh, shuts the password out, lets no sign-in
// under way finish, and stores the link next, by which the owner chooses
// another password. Of next, the account and the address are those of the spent
// link. What an intruder did about mail ends, too: see disarm. The API keys that
// were made on the device are revoked, which it counts.
func (s *Links) Disown(ctx context.Context, hash string, next model.Link, at model.Time) (model.Link, int64, error) {
	var keys int64
	row, err := s.act(ctx, func(tx *gorm.DB) (model.Link, error) {
		row, err := spend(tx, hash, model.LinkDisown, at)
		if err != nil {
			return row, err
		}
		next.AccountKey, next.Email = row.AccountKey, row.Email
		_, err = endLogins(tx.Where("account_key = ? AND device_key = ?", row.AccountKey, row.DeviceKey), model.EndEvicted, at)
		revoked := revokeAPIKeys(tx.Where("account_key = ? AND created_on_device = ?", row.AccountKey, row.DeviceKey), model.RevokedDevice, at)
		keys = revoked.RowsAffected
		return row, firstError(err, revoked.Error,
			suspendKeys(tx, row.AccountKey, []string{row.DeviceKey}, at),
			tx.Model(&model.Login{}).Where("account_key = ? AND ended_at IS NULL", row.AccountKey).Update("fresh_at", nil).Error,
			tx.Model(&model.Account{}).Where("accounts.key = ?", row.AccountKey).
				Updates(map[string]any{"must_change_password": true, "epoch": gorm.Expr("epoch + 1")}).Error,
			disarm(tx, row, at),
			tx.Create(&next).Error)
	})
	return row, keys, err
}

// disarm takes the power from an address that was put in the place of the
// link's, and from links that were sent since: those that confirm, those that
// set a password, and those to disown that went elsewhere. Earlier ones stay,
// or an intruder's own link could disarm the owner's.
func disarm(tx *gorm.DB, row model.Link, at model.Time) error {
	return firstError(
		tx.Model(&model.Account{}).Where("accounts.key = ? AND email <> ?", row.AccountKey, row.Email).
			Update("email_verified", false).Error,
		useUp(tx.Where("account_key = ?", row.AccountKey).Where(
			tx.Where("purpose IN ?", []model.LinkPurpose{model.LinkConfirmEmail, model.LinkSetPassword}).
				Or("purpose = ? AND email <> ? AND created_at > ?", model.LinkDisown, row.Email, row.CreatedAt)), at))
}

// useUp makes the chosen links do nothing any more.
func useUp(which *gorm.DB, at model.Time) error {
	return which.Model(&model.Link{}).Where("used_at IS NULL").Update("used_at", at).Error
}

// SetPassword spends a link that gives the account another password, and ends
// every login of it. Its other links of the kind end too.
func (s *Links) SetPassword(ctx context.Context, hash, passwordHash string, at model.Time) (model.Link, error) {
	return s.act(ctx, func(tx *gorm.DB) (model.Link, error) {
		row, err := spend(tx, hash, model.LinkSetPassword, at)
		if err != nil {
			return row, err
		}
		columns := editColumns(model.AccountEdit{PasswordHash: &passwordHash, At: at})
		return row, firstError(
			tx.Model(&model.Account{}).Where("accounts.key = ?", row.AccountKey).Updates(columns).Error,
			endAccountLogins(tx, row.AccountKey, "", model.EndPassword, at),
			useUp(tx.Where("account_key = ? AND purpose = ?", row.AccountKey, model.LinkSetPassword), at))
	})
}

func (s *Links) act(ctx context.Context, do func(tx *gorm.DB) (model.Link, error)) (model.Link, error) {
	var row model.Link
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		row, err = do(tx)
		return err
	})
	return row, err
}
