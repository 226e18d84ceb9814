package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"latchkey/model"
)

// OAuthClients keeps registered apps and declared scopes.
type OAuthClients struct{ db *DB }

// OAuthClients is the store of registered apps in d.
func (d *DB) OAuthClients() *OAuthClients { return &OAuthClients{db: d} }

// AddOAuthClient adds an app, unless its id is taken (model.ErrConflict), there
// are limit apps (model.ErrLimit), or one of the declared scopes is not there
// (model.ErrStale).
func (s *OAuthClients) AddOAuthClient(ctx context.Context, c model.OAuthClient, declared []string, limit int) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var same, all int64
		err := errors.Join(tx.Model(&model.OAuthClient{}).Where("id = ?", c.ID).Count(&same).Error,
			tx.Model(&model.OAuthClient{}).Count(&all).Error)
		switch {
		case err != nil:
			return err
		case same > 0:
			return model.ErrConflict
		case all >= int64(limit):
			return model.ErrLimit
		}
		if err := checkDeclared(tx, declared); err != nil {
			return err
		}
		return tx.Create(&c).Error
	})
}

// checkDeclared is model.ErrStale unless each of the scopes is there.
func checkDeclared(tx *gorm.DB, names []string) error {
	if len(names) == 0 {
		return nil
	}
	var found []string
	if err := tx.Model(&model.OAuthScope{}).Where("name IN ?", names).Pluck("name", &found).Error; err != nil {
		return fmt.Errorf("look for declared scopes: %w", err)
	}
	for _, name := range names {
		if !slices.Contains(found, name) {
			return model.ErrStale
		}
	}
	return nil
}

// OAuthClient is the app of that id; model.ErrNotFound.
func (s *OAuthClients) OAuthClient(ctx context.Context, id string) (model.OAuthClient, error) {
	row, err := gorm.G[model.OAuthClient](s.db.read(ctx)).Where("id = ?", id).Take(ctx)
	return row, s.db.translate(err)
}

// OAuthClients returns the apps by when they were registered, at most limit of
// them after the first offset, and how many there are in all.
func (s *OAuthClients) OAuthClients(ctx context.Context, offset, limit int) ([]model.OAuthClient, int64, error) {
	var (
		rows  []model.OAuthClient
		total int64
	)
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Model(&model.OAuthClient{}).Count(&total).Error; err != nil {
			return fmt.Errorf("count apps: %w", err)
		}
		return tx.Order("created_at, id").Offset(offset).Limit(limit).Find(&rows).Error
	})
	return rows, total, s.db.translate(err)
}

// EditOAuthClient writes all of an app but its id and when it was registered,
// and raises its revision; model.ErrNotFound, or model.ErrStale if its revision
// is another or one of the declared scopes is not there.
func (s *OAuthClients) EditOAuthClient(ctx context.Context, c model.OAuthClient, declared []string) error {
	revision := c.Revision
	c.Revision++
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var row model.OAuthClient
		if err := tx.Select("revision").Where("id = ?", c.ID).Take(&row).Error; err != nil {
			return err
		}
		if row.Revision != revision {
			return model.ErrStale
		}
		if err := checkDeclared(tx, declared); err != nil {
			return err
		}
		return tx.Model(&model.OAuthClient{}).Where("id = ?", c.ID).Select("*").Omit("id", "created_at").Updates(&c).Error
	})
}

// DeleteOAuthClient deletes an app; model.ErrNotFound.
func (s *OAuthClients) DeleteOAuthClient(ctx context.Context, id string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Where("id = ?", id).Delete(&model.OAuthClient{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}

// DeclareOAuthScope adds a scope, or gives the one of that name another
// description; model.ErrLimit if it would be one too many.
func (s *OAuthClients) DeclareOAuthScope(ctx context.Context, scope model.OAuthScope, limit int) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var same, all int64
		err := errors.Join(tx.Model(&model.OAuthScope{}).Where("name = ?", scope.Name).Count(&same).Error,
			tx.Model(&model.OAuthScope{}).Count(&all).Error)
		switch {
		case err != nil:
			return err
		case same > 0:
			return tx.Model(&model.OAuthScope{}).Where("name = ?", scope.Name).Update("description", scope.Description).Error
		case all >= int64(limit):
			return model.ErrLimit
		}
		return tx.Create(&scope).Error
	})
}

// OAuthScopes lists the declared scopes by name.
func (s *OAuthClients) OAuthScopes(ctx context.Context) ([]model.OAuthScope, error) {
	var rows []model.OAuthScope
	err := s.db.read(ctx).Order("name").Find(&rows).Error
	return rows, s.db.translate(err)
}

// WithdrawOAuthScope deletes a declared scope; model.ErrNotFound, or
// model.ErrConflict while an app may ask for it.
func (s *OAuthClients) WithdrawOAuthScope(ctx context.Context, name string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Where("name = ?", name).Delete(&model.OAuthScope{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		// There are few apps, and looking into JSON is each database's own affair.
		var apps []model.OAuthClient
		if err := tx.Select("scopes").Find(&apps).Error; err != nil {
			return fmt.Errorf("look who may ask for the scope: %w", err)
		}
		for _, c := range apps {
			if slices.Contains(c.Scopes, name) {
				return model.ErrConflict
			}
		}
		return nil
	})
}
