package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// Accounts keeps accounts and roles.
type Accounts struct{ db *DB }

// Accounts is the store of accounts and roles.
func (d *DB) Accounts() *Accounts { return &Accounts{db: d} }

// Empty reports whether there is no account at all.
func (s *Accounts) Empty(ctx context.Context) (bool, error) {
	var n int64
	err := s.db.read(ctx).Model(&model.Account{}).Limit(1).Count(&n).Error
	return n == 0, s.db.translate(err)
}

// Found fills an empty database with its first roles and accounts and reports
// whether it did: of several starts at once exactly one does.
func (s *Accounts) Found(ctx context.Context, roles []model.Role, accounts []model.Account) (bool, error) {
	founded := false
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		var n int64
		if err := tx.Model(&model.Account{}).Count(&n).Error; err != nil || n > 0 {
			return err
		}
		founded = true
		if err := tx.Create(&roles).Error; err != nil {
			return fmt.Errorf("create roles: %w", err)
		}
		return tx.Create(&accounts).Error
	})
	return founded && err == nil, err
}

// CreateAccount adds an account. Its id is chosen unless one is given.
// ErrConflict says that the name or the id is taken.
func (s *Accounts) CreateAccount(ctx context.Context, a model.Account) (model.Account, error) {
	err := s.db.write(ctx, func(tx *gorm.DB) error { return tx.Create(&a).Error })
	return a, err
}

// AccountByName finds an account by its exact spelling, else by the folded one
// if only one account answers to it.
func (s *Accounts) AccountByName(ctx context.Context, exact, folded string) (model.Account, error) {
	var rows []model.Account
	exactFirst := clause.OrderBy{Expression: clause.Expr{SQL: "username = ? DESC", Vars: []any{exact}}}
	err := s.db.read(ctx).Where("username = ? OR name_folded = ?", exact, folded).Order(exactFirst).Limit(2).Find(&rows).Error
	if err != nil {
		return model.Account{}, s.db.translate(err)
	}
	if i := slices.IndexFunc(rows, func(a model.Account) bool { return a.Username == exact }); i >= 0 {
		return rows[i], nil
	}
	if len(rows) == 1 {
		return rows[0], nil
	}
	return model.Account{}, model.ErrNotFound
}

// AccountByEmail finds the only account that has one of the addresses and
// confirmed it.
func (s *Accounts) AccountByEmail(ctx context.Context, addresses []string) (model.Account, error) {
	var rows []model.Account
	err := s.db.read(ctx).Where("email IN ? AND email_verified = ?", addresses, true).Limit(2).Find(&rows).Error
	if err != nil {
		return model.Account{}, s.db.translate(err)
	}
	if len(rows) != 1 {
		return model.Account{}, model.ErrNotFound
	}
	return rows[0], nil
}

// Profile finds an account with its roles and whether it has a second factor.
func (s *Accounts) Profile(ctx context.Context, key string) (model.Profile, error) {
	var p model.Profile
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Where("accounts.key = ?", key).Take(&p.Account).Error; err != nil {
			return err
		}
		var roles []model.Role
		if err := tx.Where("id IN ?", []int64(p.Roles)).Find(&roles).Error; err != nil {
			return fmt.Errorf("read roles: %w", err)
		}
		for _, id := range p.Roles {
			if i := slices.IndexFunc(roles, func(r model.Role) bool { return r.ID == id }); i >= 0 {
				p.RoleRows = append(p.RoleRows, roles[i])
			}
		}
		var enrolled int64
		err := tx.Model(&model.TOTP{}).Where("account_key = ? AND enrolled_at IS NOT NULL", key).Count(&enrolled).Error
		p.TwoFactor = enrolled > 0
		return err
	})
	return p, s.db.translate(err)
}

// FirstWithRole is the key of the enabled account with the lowest id that
// holds the role.
func (s *Accounts) FirstWithRole(ctx context.Context, role int64) (string, error) {
	var rows []model.Account
	err := s.db.read(ctx).Where("disabled = ?", false).Where("roles LIKE ?", fmt.Sprintf("%%%d%%", role)).
		Order("id").Find(&rows).Error
	if err != nil {
		return "", s.db.translate(err)
	}
	for _, a := range rows {
		if slices.Contains(a.Roles, role) {
			return a.Key, nil
		}
	}
	return "", model.ErrNotFound
}
