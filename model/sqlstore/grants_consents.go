package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// Consent is what the account lets the app do.
func (s *Grants) Consent(ctx context.Context, accountKey, clientID string) (model.GrantConsent, error) {
	row, err := consentOf(s.db.read(ctx), accountKey, clientID)
	return row, s.db.translate(err)
}

func consentOf(q *gorm.DB, accountKey, clientID string) (model.GrantConsent, error) {
	var row model.GrantConsent
	err := q.Where("account_key = ? AND client_id = ?", accountKey, clientID).Take(&row).Error
	return row, err
}

// AddConsent lets the app do more than it may already. ErrStale says that the
// account is gone.
func (s *Grants) AddConsent(ctx context.Context, c model.GrantConsent) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		before, err := consentOf(tx, c.AccountKey, c.ClientID)
		if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
			return fmt.Errorf("read consent: %w", err)
		}
		c.Scopes = model.UnionScopes(before.Scopes, c.Scopes)
		over := clause.OnConflict{
			Columns:   []clause.Column{{Name: "account_key"}, {Name: "client_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"scopes", "given_at"}),
		}
		return tx.Clauses(over).Create(&c).Error
	})
}

// Consents lists what the account lets apps do, by app.
func (s *Grants) Consents(ctx context.Context, accountKey string) ([]model.GrantConsent, error) {
	var rows []model.GrantConsent
	err := s.db.read(ctx).Where("account_key = ?", accountKey).Order("client_id").Find(&rows).Error
	return rows, s.db.translate(err)
}

// Withdraw takes back what the account gave the app, and returns how many logins
// that ended. ErrNotFound says that it gave nothing.
func (s *Grants) Withdraw(ctx context.Context, accountKey, clientID string, at model.Time) (int64, error) {
	var ended int64
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		of := func(account string) *gorm.DB { return tx.Where(account+" = ? AND client_id = ?", accountKey, clientID) }
		var gone int64
		for _, done := range []*gorm.DB{
			of("account_key").Delete(&model.GrantConsent{}),
			of("account_key").Where("used_at IS NULL").Delete(&model.GrantCode{}),
			of("decided_by").Where("state = ?", model.DeviceApproved).Delete(&model.DeviceCode{}),
		} {
			if done.Error != nil {
				return fmt.Errorf("withdraw consent: %w", done.Error)
			}
			gone += done.RowsAffected
		}
		logins := of("account_key").Model(&model.Grant{}).Select("login_id")
		if ended, err = endLogins(tx.Where("id IN (?)", logins), model.EndRevoked, at); err == nil && gone+ended == 0 {
			err = model.ErrNotFound
		}
		return err
	})
	return ended, err
}

// EndClient takes back what anybody gave the app, and returns the accounts whose
// logins ended.
func (s *Grants) EndClient(ctx context.Context, clientID string, at model.Time) ([]string, error) {
	var accounts []string
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		of := func() *gorm.DB { return tx.Where("client_id = ?", clientID) }
		err := firstError(
			of().Delete(&model.GrantConsent{}).Error,
			of().Where("used_at IS NULL").Delete(&model.GrantCode{}).Error,
			of().Delete(&model.DeviceCode{}).Error,
		)
		if err != nil {
			return fmt.Errorf("take back from app: %w", err)
		}
		which := func() *gorm.DB {
			return tx.Where("id IN (?)", of().Model(&model.Grant{}).Select("login_id"))
		}
		err = which().Model(&model.Login{}).Where("ended_at IS NULL").Distinct("account_key").
			Order("account_key").Pluck("account_key", &accounts).Error
		if err != nil {
			return fmt.Errorf("find logins of app: %w", err)
		}
		_, err = endLogins(which(), model.EndRevoked, at)
		return err
	})
	return accounts, err
}
