package sqlstore

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"latchkey/model"
)

// SSHKeys keeps the public keys of accounts.
type SSHKeys struct{ db *DB }

// SSHKeys is the store of SSH keys in d.
func (d *DB) SSHKeys() *SSHKeys { return &SSHKeys{db: d} }

// AddSSHKey adds key, unless its account is gone (model.ErrStale), has a key of
// the same title or fingerprint (model.ErrConflict, with that key), or has limit
// keys (model.ErrLimit). Nobody writes between the checks and the insert: the
// transaction is immediate.
func (s *SSHKeys) AddSSHKey(ctx context.Context, key model.SSHKey, limit int) (model.SSHKey, error) {
	var inTheWay model.SSHKey
	key.ID = 0
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		clash, err := findClash(ctx, tx, key)
		if err == nil {
			inTheWay = clash
			return model.ErrConflict
		}
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			return err
		}
		if err := belowLimit(ctx, tx, key.AccountKey, limit); err != nil {
			return err
		}
		return tx.Create(&key).Error
	})
	if err != nil {
		return inTheWay, err
	}
	return key, nil
}

// findClash is the account's key of the same title, else the one of the same
// fingerprint, else gorm.ErrRecordNotFound.
func findClash(ctx context.Context, tx *gorm.DB, key model.SSHKey) (model.SSHKey, error) {
	row, err := gorm.G[model.SSHKey](tx).
		Where("account_key = ? AND title = ?", key.AccountKey, key.Title).Take(ctx)
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return row, err
	}
	return gorm.G[model.SSHKey](tx).
		Where("account_key = ? AND fingerprint = ?", key.AccountKey, key.Fingerprint).Take(ctx)
}

// belowLimit returns model.ErrLimit unless the account has fewer keys than
// that.
func belowLimit(ctx context.Context, tx *gorm.DB, accountKey string, limit int) error {
	count, err := gorm.G[model.SSHKey](tx).Where("account_key = ?", accountKey).Count(ctx, "id")
	if err != nil {
		return err
	}
	if count >= int64(limit) {
		return model.ErrLimit
	}
	return nil
}

// SSHKeys returns the account's keys by ascending ID, at most limit of them
// after the first offset, and how many there are in all.
func (s *SSHKeys) SSHKeys(ctx context.Context, accountKey string, offset, limit int) ([]model.SSHKey, int64, error) {
	var (
		keys  []model.SSHKey
		total int64
	)
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		own := gorm.G[model.SSHKey](tx).Where("account_key = ?", accountKey)
		var err error
		if total, err = own.Count(ctx, "id"); err != nil {
			return err
		}
		keys, err = own.Order("id").Offset(offset).Limit(limit).Find(ctx)
		return err
	})
	return keys, total, s.db.translate(err)
}

// HasSSHKeyTitle reports whether the account has a key of exactly that title.
func (s *SSHKeys) HasSSHKeyTitle(ctx context.Context, accountKey, title string) (bool, error) {
	count, err := gorm.G[model.SSHKey](s.db.read(ctx)).
		Where("account_key = ? AND title = ?", accountKey, title).Count(ctx, "id")
	return count > 0, s.db.translate(err)
}

// DeleteSSHKey deletes a key of the account, with the device that signed in with
// it and its logins; model.ErrNotFound if it is not there or not the account's.
func (s *SSHKeys) DeleteSSHKey(ctx context.Context, accountKey string, id int64) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		this := func(q *gorm.DB) *gorm.DB { return q.Where("id = ? AND account_key = ?", id, accountKey) }
		if err := rememberRevoked(tx, accountKey, this); err != nil {
			return err
		}
		count, err := gorm.G[model.SSHKey](tx).Where("id = ? AND account_key = ?", id, accountKey).Delete(ctx)
		if err == nil && count == 0 {
			return model.ErrNotFound
		}
		return firstError(err, dropKeyDevice(tx, id))
	})
}

// DeleteAnySSHKey is DeleteSSHKey whoever owns the key, and returns its account;
// model.ErrNotFound if it is not there.
func (s *SSHKeys) DeleteAnySSHKey(ctx context.Context, id int64) (string, error) {
	var accountKey string
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		row, err := gorm.G[model.SSHKey](tx).Where("id = ?", id).Take(ctx)
		if err != nil {
			return err
		}
		accountKey = row.AccountKey
		this := func(q *gorm.DB) *gorm.DB { return q.Where("id = ?", id) }
		if err := rememberRevoked(tx, accountKey, this); err != nil {
			return err
		}
		return firstError(tx.Delete(&row).Error, dropKeyDevice(tx, id))
	})
	return accountKey, err
}
