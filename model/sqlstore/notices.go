package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// Notices keeps what waits to be sent.
type Notices struct{ db *DB }

// Notices is the store of notices.
func (d *DB) Notices() *Notices { return &Notices{db: d} }

// AddNotices stores all of them, or none. ErrLimit says that more than atMost
// would wait.
func (s *Notices) AddNotices(ctx context.Context, rows []model.Notice, atMost int) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var n int64
		if err := tx.Model(&model.Notice{}).Count(&n).Error; err != nil {
			return fmt.Errorf("count notices: %w", err)
		}
		if int(n)+len(rows) > atMost {
			return model.ErrLimit
		}
		return tx.Create(&rows).Error
	})
}

// DueNotices lists notices whose time has come, the longest due first.
func (s *Notices) DueNotices(ctx context.Context, at model.Time, atMost int) ([]model.Notice, error) {
	var rows []model.Notice
	err := s.db.read(ctx).Where("next_at <= ?", at).Order("next_at, id").Limit(atMost).Find(&rows).Error
	return rows, s.db.translate(err)
}

// PostponeNotice counts a try that failed and says when the next one is.
// ErrNotFound says that there is no such notice.
func (s *Notices) PostponeNotice(ctx context.Context, id string, next model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.Notice{}).Where("id = ?", id).
			Updates(map[string]any{"tries": gorm.Expr("tries + 1"), "next_at": next})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}

// DropNotice deletes a notice; that it is gone already is no error.
func (s *Notices) DropNotice(ctx context.Context, id string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Where("id = ?", id).Delete(&model.Notice{}).Error
	})
}
