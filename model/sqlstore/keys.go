package sqlstore

import (
	"context"

	"gorm.io/gorm"

	"latchkey/model"
)

// Keys keeps the server's own secrets, sealed.
type Keys struct{ db *DB }

// Keys is the store of the server's keys.
func (d *DB) Keys() *Keys { return &Keys{db: d} }

// Keys lists every key, oldest first.
func (s *Keys) Keys(ctx context.Context) ([]model.Key, error) {
	var rows []model.Key
	err := s.db.read(ctx).Order("created_at, id").Find(&rows).Error
	return rows, s.db.translate(err)
}

// AddKeys stores new keys. ErrConflict says that an id is taken.
func (s *Keys) AddKeys(ctx context.Context, keys []model.Key) error {
	return s.db.write(ctx, func(tx *gorm.DB) error { return tx.Create(&keys).Error })
}

// RemoveKey deletes a key. ErrNotFound says that there is none with that id.
func (s *Keys) RemoveKey(ctx context.Context, id string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Where("id = ?", id).Delete(&model.Key{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}
