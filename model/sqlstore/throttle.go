package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// Throttle keeps the counters of failed sign-ins.
type Throttle struct{ db *DB }

// Throttle is the store of the counters of failed sign-ins.
func (d *DB) Throttle() *Throttle { return &Throttle{db: d} }

// Throttles lists counters, those that are empty last first.
func (s *Throttle) Throttles(ctx context.Context, q model.ThrottleQuery) ([]model.Throttle, error) {
	var rows []model.Throttle
	find := s.db.read(ctx).Where("kind = ? AND until > ?", q.Kind, q.After)
	if q.Labelled {
		find = find.Where("account_key <> '' OR address <> ''")
	}
	err := find.Order("until DESC, who, place").Limit(q.Limit).Find(&rows).Error
	return rows, s.db.translate(err)
}

// Throttle finds one counter.
func (s *Throttle) Throttle(ctx context.Context, id model.ThrottleID) (model.Throttle, error) {
	var row model.Throttle
	err := s.db.read(ctx).Where("kind = ? AND who = ? AND place = ?", id.Kind, id.Who, id.Place).Take(&row).Error
	return row, s.db.translate(err)
}

// SaveThrottles deletes what is lifted and stores the rows, each in place of
// the one before, in one transaction. A row of an account that is gone is left
// out: nothing of it comes back.
func (s *Throttle) SaveThrottles(ctx context.Context, lifts []model.ThrottleLift, rows []model.Throttle) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		for _, l := range lifts {
			if err := tx.Where("kind IN ? AND who = ?", l.Kinds, l.Who).Delete(&model.Throttle{}).Error; err != nil {
				return fmt.Errorf("lift throttle: %w", err)
			}
		}
		if len(rows) == 0 {
			return nil
		}
		rows, err := withAccounts(tx, slices.Clone(rows))
		if err != nil || len(rows) == 0 {
			return err
		}
		replace := clause.OnConflict{
			Columns:   []clause.Column{{Name: "kind"}, {Name: "who"}, {Name: "place"}},
			DoUpdates: clause.AssignmentColumns([]string{"until", "account_key", "address"}),
		}
		return tx.Clauses(replace).Create(&rows).Error
	})
}

// withAccounts are the rows that belong to no account, or to one that is there.
// It asks in any case: what a guess costs must not tell whose it is.
func withAccounts(tx *gorm.DB, rows []model.Throttle) ([]model.Throttle, error) {
	asked, there := make([]string, len(rows)), []string{}
	for i, row := range rows {
		asked[i] = row.AccountKey
	}
	if err := tx.Model(&model.Account{}).Where("accounts.key IN ?", asked).Pluck("accounts.key", &there).Error; err != nil {
		return nil, fmt.Errorf("look for accounts: %w", err)
	}
	exists := map[string]bool{"": true}
	for _, key := range there {
		exists[key] = true
	}
	return slices.DeleteFunc(rows, func(row model.Throttle) bool { return !exists[row.AccountKey] }), nil
}

// CleanThrottles deletes about atMost counters of the kind that are empty, and
// of the rest those that are empty first, until only keep are left. It returns
// how many it deleted.
func (s *Throttle) CleanThrottles(ctx context.Context, kind model.ThrottleKind, now model.Time, keep, atMost int) (int64, error) {
	var deleted int64
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		var last, first []model.Throttle // of those that are empty, and of those that are too many
		some := tx.Where("kind = ? AND until <= ?", kind, now).Order("until").Offset(atMost - 1).Limit(1)
		if err := some.Find(&last).Error; err != nil {
			return fmt.Errorf("find empty throttles: %w", err)
		}
		if len(last) > 0 {
			now = last[0].Until
		}
		done := tx.Where("kind = ? AND until <= ?", kind, now).Delete(&model.Throttle{})
		if done.Error != nil {
			return fmt.Errorf("delete empty throttles: %w", done.Error)
		}
		deleted = done.RowsAffected
		err := tx.Where("kind = ?", kind).Order("until DESC, who, place").Offset(keep).Limit(1).Find(&first).Error
		if err != nil || len(first) == 0 {
			return err
		}
		f := first[0]
		done = tx.Where("kind = ? AND (until < ? OR until = ? AND (who > ? OR who = ? AND place >= ?))",
			kind, f.Until, f.Until, f.Who, f.Who, f.Place).Delete(&model.Throttle{})
		deleted += done.RowsAffected
		return done.Error
	})
	return deleted, err
}

// forgetThrottles deletes all that was counted for an account.
func forgetThrottles(tx *gorm.DB, accountKey string) error {
	if err := tx.Where("account_key = ?", accountKey).Delete(&model.Throttle{}).Error; err != nil {
		return fmt.Errorf("forget throttles: %w", err)
	}
	return nil
}
