package sqlstore

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// Settings keeps the settings that differ from their defaults.
type Settings struct{ db *DB }

// Settings is the store of settings.
func (d *DB) Settings() *Settings { return &Settings{db: d} }

// Settings lists every stored setting.
func (s *Settings) Settings(ctx context.Context) ([]model.Setting, error) {
	var rows []model.Setting
	err := s.db.read(ctx).Find(&rows).Error
	return rows, s.db.translate(err)
}

// SaveSettings stores all of the values, or none.
func (s *Settings) SaveSettings(ctx context.Context, rows []model.Setting) error {
	if len(rows) == 0 {
		return nil // GORM takes an empty list for a mistake
	}
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&rows).Error
	})
}

// AddSetting stores a value unless one is there already: ErrConflict.
func (s *Settings) AddSetting(ctx context.Context, row model.Setting) error {
	return s.db.write(ctx, func(tx *gorm.DB) error { return tx.Create(&row).Error })
}
