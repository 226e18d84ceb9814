package sqlstore

import (
	"context"

	"gorm.io/gorm"

	"latchkey/model"
)

// APIKeys keeps API keys.
type APIKeys struct{ db *DB }

// APIKeys is the store of API keys in d.
func (d *DB) APIKeys() *APIKeys { return &APIKeys{db: d} }

// AddAPIKey adds key, unless whoever makes it is no more who they
// were (model.ErrStale), or the account has a key of
// that name that is not revoked (model.ErrConflict), or has limit keys
// (model.ErrLimit). Nobody writes between the checks and the insert: the
// transaction is immediate.
func (s *APIKeys) AddAPIKey(ctx context.Context, key model.APIKey, by model.APIKeyMaker, limit int) (model.APIKey, error) {
	key.ID = 0
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		if err := checkMaker(tx, key.AccountKey, by); err != nil {
			return err
		}
		var living, all int64
		own := func() *gorm.DB { return tx.Model(&model.APIKey{}).Where("account_key = ?", key.AccountKey) }
		err := firstError(
			own().Where("name = ? AND revoked_at IS NULL", key.Name).Count(&living).Error,
			own().Count(&all).Error,
		)
		switch {
		case err != nil:
			return err
		case living > 0:
			return model.ErrConflict
		case all >= int64(limit):
			return model.ErrLimit
		}
		return tx.Create(&key).Error
	})
	if err != nil {
		return model.APIKey{}, err
	}
	return key, nil
}

// checkMaker fails with model.ErrStale unless the account has the epoch still,
// and the login, if there is one, is live and the account's.
func checkMaker(tx *gorm.DB, accountKey string, by model.APIKeyMaker) error {
	var accounts, logins int64
	err := tx.Model(&model.Account{}).Where("accounts.key = ? AND epoch = ?", accountKey, by.Epoch).Count(&accounts).Error
	if err != nil || accounts == 0 {
		return firstError(err, model.ErrStale)
	}
	if by.LoginID == "" {
		return nil
	}
	err = live(tx.Model(&model.Login{}), model.Live{At: by.At}).
		Where("id = ? AND account_key = ?", by.LoginID, accountKey).Count(&logins).Error
	if err != nil || logins == 0 {
		return firstError(err, model.ErrStale)
	}
	return nil
}

// APIKeyByHash is the key whose text has that hash, or had it before the last
// rotation, whatever became of it; model.ErrNotFound.
func (s *APIKeys) APIKeyByHash(ctx context.Context, hash string) (model.APIKey, error) {
	row, err := gorm.G[model.APIKey](s.db.read(ctx)).Where("(hash = ? OR old_hash = ?)", hash, hash).Take(ctx)
	return row, s.db.translate(err)
}

// ownAPIKey narrows a query to a key of the account, or of anybody if
// accountKey is empty.
func ownAPIKey(q *gorm.DB, accountKey string, id int64) *gorm.DB {
	q = q.Where("id = ?", id)
	if accountKey != "" {
		q = q.Where("account_key = ?", accountKey)
	}
	return q
}

// APIKey is a key of the account; model.ErrNotFound.
func (s *APIKeys) APIKey(ctx context.Context, accountKey string, id int64) (model.APIKey, error) {
	var row model.APIKey
	err := ownAPIKey(s.db.read(ctx), accountKey, id).Take(&row).Error
	return row, s.db.translate(err)
}

// APIKeys returns the account's keys by ascending ID, at most limit of them
// after the first offset, and how many there are in all.
func (s *APIKeys) APIKeys(ctx context.Context, accountKey string, offset, limit int) ([]model.APIKey, int64, error) {
	var (
		keys  []model.APIKey
		total int64
	)
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		own := gorm.G[model.APIKey](tx).Where("account_key = ?", accountKey)
		var err error
		if total, err = own.Count(ctx, "id"); err != nil {
			return err
		}
		keys, err = own.Order("id").Offset(offset).Limit(limit).Find(ctx)
		return err
	})
	return keys, total, s.db.translate(err)
}

// CountAPIKeys is how many keys of the account are neither revoked nor expired.
func (s *APIKeys) CountAPIKeys(ctx context.Context, accountKey string, at model.Time) (int64, error) {
	n, err := gorm.G[model.APIKey](s.db.read(ctx)).
		Where("account_key = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)", accountKey, at).
		Count(ctx, "id")
	return n, s.db.translate(err)
}

// EditAPIKey writes what an edit may change. model.ErrNotFound, model.ErrStale
// if the key is revoked or was edited since old was read, model.ErrConflict if
// another key of the account has the name.
func (s *APIKeys) EditAPIKey(ctx context.Context, old, key model.APIKey) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var row model.APIKey
		if err := ownAPIKey(tx, key.AccountKey, key.ID).Take(&row).Error; err != nil {
			return err
		}
		if row.Edited(old) != row || !row.RevokedAt.IsZero() {
			return model.ErrStale
		}
		return tx.Model(&model.APIKey{}).Where("id = ?", key.ID).Updates(map[string]any{
			"name": key.Name, "scopes": key.Scopes, "expires_at": key.ExpiresAt, "allow_query": key.AllowQuery,
			"allowed_ips": key.AllowedIPs, "warned_days": key.WarnedDays,
		}).Error
	})
}

// RotateAPIKey gives a key of the account another text, and returns the key as
// it is then. model.ErrNotFound, model.ErrConflict if it is revoked,
// model.ErrStale if whoever asks is no more who they were.
func (s *APIKeys) RotateAPIKey(ctx context.Context, accountKey string, id int64, r model.APIKeyRotation) (model.APIKey, error) {
	var row model.APIKey
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		if err := ownAPIKey(tx, accountKey, id).Take(&row).Error; err != nil {
			return err
		}
		if !row.RevokedAt.IsZero() {
			return model.ErrConflict
		}
		if err := checkMaker(tx, row.AccountKey, r.By); err != nil {
			return err
		}
		row.OldHash, row.OldUntil = "", r.OldUntil
		if !r.OldUntil.IsZero() {
			row.OldHash = row.Hash
		}
		row.Hash, row.Prefix = r.Hash, r.Prefix
		return tx.Model(&model.APIKey{}).Where("id = ?", id).Updates(map[string]any{
			"hash": row.Hash, "prefix": row.Prefix, "old_hash": row.OldHash, "old_until": row.OldUntil,
		}).Error
	})
	return row, err
}

// DeleteAPIKey deletes a key and returns it; model.ErrNotFound.
func (s *APIKeys) DeleteAPIKey(ctx context.Context, accountKey string, id int64) (model.APIKey, error) {
	var row model.APIKey
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		if err := ownAPIKey(tx, accountKey, id).Take(&row).Error; err != nil {
			return err
		}
		return tx.Delete(&row).Error
	})
	return row, err
}
