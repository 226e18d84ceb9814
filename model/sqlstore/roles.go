package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// Role finds a role.
func (s *Accounts) Role(ctx context.Context, id int64) (model.Role, error) {
	var row model.Role
	err := s.db.read(ctx).Where("id = ?", id).Take(&row).Error
	return row, s.db.translate(err)
}

// RolePage lists roles by id, and how many there are in all.
func (s *Accounts) RolePage(ctx context.Context, offset, limit int) ([]model.Role, int64, error) {
	var (
		rows  []model.Role
		total int64
	)
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&model.Role{}).Count(&total).Error; err != nil {
			return fmt.Errorf("count roles: %w", err)
		}
		return tx.Order("id").Offset(offset).Limit(limit).Find(&rows).Error
	})
	return rows, total, s.db.translate(err)
}

// CreateRole adds a role. Its id is chosen unless one is given. ErrConflict
// says that the name or the id is taken.
func (s *Accounts) CreateRole(ctx context.Context, r model.Role) (model.Role, error) {
	err := s.db.write(ctx, func(tx *gorm.DB) error { return tx.Create(&r).Error })
	return r, err
}

// EditRole changes a role. ErrConflict says that the name is taken.
func (s *Accounts) EditRole(ctx context.Context, id int64, e model.RoleEdit) error {
	columns := map[string]any{}
	set(columns, "name", e.Name)
	set(columns, "description", e.Description)
	set(columns, "scopes", e.Scopes)
	set(columns, "require_two_factor", e.RequireTwoFactor)
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var old model.Role
		if err := tx.Where("id = ?", id).Take(&old).Error; err != nil {
			return err
		}
		if len(columns) == 0 {
			return nil
		}
		return tx.Model(&model.Role{}).Where("id = ?", id).Updates(columns).Error
	})
}

// DeleteRole deletes a role that nobody holds. ErrLimit says that somebody
// does.
func (s *Accounts) DeleteRole(ctx context.Context, id int64) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		held, err := holders(tx.Session(&gorm.Session{}), id)
		if err != nil {
			return fmt.Errorf("find holders of role %d: %w", id, err)
		}
		if len(held) > 0 {
			return model.ErrLimit
		}
		done := tx.Where("id = ?", id).Delete(&model.Role{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}
