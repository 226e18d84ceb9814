package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// Audit keeps the security events.
type Audit struct{ db *DB }

// Audit is the store of security events in d.
func (d *DB) Audit() *Audit { return &Audit{db: d} }

// AddEvents stores the events in their order, in one transaction. One that is
// there already (same At and Nonce) is passed over. Events that name their
// account by its key or its id alone are given the rest of its name.
func (s *Audit) AddEvents(ctx context.Context, events []model.AuditEvent) error {
	if len(events) == 0 {
		return nil
	}
	return s.db.write(ctx, func(tx *gorm.DB) error {
		rows := make([]model.AuditEvent, len(events)) // the caller may write them again
		copy(rows, events)
		if err := nameAccounts(tx, rows); err != nil {
			return err
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
	})
}

// nameAccounts fills in key, id and name of accounts that are still there.
func nameAccounts(tx *gorm.DB, rows []model.AuditEvent) error {
	var keys []string
	var ids []int64
	for _, e := range rows {
		switch {
		case e.Username != "":
		case e.AccountKey != "":
			keys = append(keys, e.AccountKey)
		case e.AccountID != 0:
			ids = append(ids, e.AccountID)
		}
	}
	if len(keys)+len(ids) == 0 {
		return nil
	}
	var found []model.Account
	q := tx.Select("accounts.key", "id", "username").Where("accounts.key IN ? OR id IN ?", keys, ids)
	if err := q.Find(&found).Error; err != nil {
		return fmt.Errorf("name accounts: %w", err)
	}
	byKey, byID := map[string]model.Account{}, map[int64]model.Account{}
	for _, a := range found {
		byKey[a.Key], byID[a.ID] = a, a
	}
	for i := range rows {
		e := &rows[i]
		a, ok := byKey[e.AccountKey]
		if e.AccountKey == "" {
			a, ok = byID[e.AccountID]
		}
		if ok && e.Username == "" {
			e.AccountKey, e.AccountID, e.Username = a.Key, a.ID, a.Username
		}
	}
	return nil
}

// Events is a page of the events that match, newest first, and how many match,
// counted to CountTo.
func (s *Audit) Events(ctx context.Context, q model.AuditQuery) ([]model.AuditEvent, int64, error) {
	var (
		list  []model.AuditEvent
		total int64
	)
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		some := matching(tx, q).Select("1").Limit(q.CountTo)
		if err := tx.Table("(?) AS some", some).Count(&total).Error; err != nil {
			return err
		}
		return matching(tx, q).Order("id DESC").Offset(q.Offset).Limit(q.Limit).Find(&list).Error
	})
	return list, total, s.db.translate(err)
}

func matching(tx *gorm.DB, q model.AuditQuery) *gorm.DB {
	rows := tx.Model(&model.AuditEvent{})
	for column, value := range map[string]string{"account_key": q.AccountKey, "kind": q.Kind, "address": q.Address} {
		if value != "" {
			rows = rows.Where(column+" = ?", value)
		}
	}
	if q.Username != "" {
		now := tx.Model(&model.Account{}).Select("accounts.key").Where("username = ?", q.Username)
		rows = rows.Where("username = ? OR account_key IN (?)", q.Username, now)
	}
	if !q.Since.IsZero() {
		rows = rows.Where("at >= ?", q.Since)
	}
	if !q.Until.IsZero() {
		rows = rows.Where("at < ?", q.Until)
	}
	return rows
}

// DropEvents deletes events of before that instant, at most so many, and
// returns how many it deleted.
func (s *Audit) DropEvents(ctx context.Context, before model.Time, atMost int) (int64, error) {
	var n int64
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		old := tx.Model(&model.AuditEvent{}).Select("id").Where("at < ?", before).Order("at").Limit(atMost)
		return dropEvents(tx, old, &n)
	})
	return n, err
}

// TrimEvents deletes the oldest events while there are too many, at most
// AtMost of them: those of the kinds in First before all others. It returns how
// many it deleted.
func (s *Audit) TrimEvents(ctx context.Context, t model.AuditTrim) (int64, error) {
	var total, n int64
	// Counted outside the transaction, so that no writer waits for it: trimming
	// need not be exact to the row.
	if err := s.db.read(ctx).Model(&model.AuditEvent{}).Count(&total).Error; err != nil {
		return 0, s.db.translate(err)
	}
	most := int(min(total-t.Most, int64(t.AtMost)))
	if most <= 0 {
		return 0, nil
	}
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		for _, kind := range t.First { // one by one: the index has each of them in order
			some := tx.Model(&model.AuditEvent{}).Select("id").Where("kind = ?", kind).Order("id").Limit(most - int(n))
			if err := dropEvents(tx, some, &n); err != nil || n == int64(most) {
				return err
			}
		}
		oldest := tx.Model(&model.AuditEvent{}).Select("id").Order("id").Limit(most - int(n))
		return dropEvents(tx, oldest, &n)
	})
	return n, err
}

// dropEvents deletes the events with these ids and adds to n how many.
func dropEvents(tx, ids *gorm.DB, n *int64) error {
	done := tx.Where("id IN (?)", ids).Delete(&model.AuditEvent{})
	*n += done.RowsAffected
	return done.Error
}
