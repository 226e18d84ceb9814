package sqlstore

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"latchkey/model"
)

// sealedColumn is a column whose values are sealed, with "table|column|key" as
// their AAD, where key is what the key column holds.
type sealedColumn struct {
	table, column, key string
	prefix             string // what stands before a sealed value; others have another, or none
}

// sealedColumns is every column that may hold a sealed value. A secret in a
// column that is missing here would be lost when its sealing key is dropped.
func sealedColumns() []sealedColumn {
	return []sealedColumn{
		{table: "accounts", column: "password_hash", key: "key", prefix: "$alist$"}, // imported, not yet wrapped
		{table: "notices", column: "payload", key: "id"},
		{table: "oauth_tokens", column: "successor", key: "hash"}, // for the 10 s in which a refresh may be repeated
		{table: "settings", column: "value", key: "key"},          // those that are secret
		{table: "totp", column: "secret", key: "account_key"},
		{table: "totp", column: "pending", key: "account_key"},
	}
}

// sealVersion begins every sealed value: "v1:KID:BASE64".
const sealVersion = "v1:"

// begins narrows a query to values that begin with text behind the prefix.
func (c sealedColumn) begins(q *gorm.DB, text string) *gorm.DB {
	text = c.prefix + text
	return q.Table(c.table).Where("substr("+c.name()+", 1, ?) = ?", len(text), text)
}

func (c sealedColumn) name() string    { return c.table + "." + c.column }
func (c sealedColumn) keyName() string { return c.table + "." + c.key }

func (c sealedColumn) holds(v model.Sealed) bool { return c.table == v.Table && c.column == v.Column }

// Sealed lists values that are not sealed under the key, in an order of its
// own, behind the given one. The zero value is before the first.
func (s *Keys) Sealed(ctx context.Context, notUnder string, after model.Sealed, limit int) ([]model.Sealed, error) {
	columns := sealedColumns()
	if at := slices.IndexFunc(columns, func(c sealedColumn) bool { return c.holds(after) }); at > 0 {
		columns = columns[at:]
	}
	list := []model.Sealed{}
	for _, c := range columns {
		q := c.begins(s.db.read(ctx), sealVersion).Where("substr("+c.name()+", ?, ?) <> ?",
			len(c.prefix+sealVersion)+1, len(notUnder)+1, notUnder+":")
		if c.holds(after) {
			q = q.Where(c.keyName()+" > ?", after.Row)
		}
		var rows []struct{ Row, Value string }
		err := q.Select(c.keyName()+` AS "row", substr(`+c.name()+", ?) AS value", len(c.prefix)+1).
			Order(c.keyName()).Limit(limit - len(list)).Scan(&rows).Error
		if err != nil {
			return nil, s.db.translate(err)
		}
		for _, r := range rows {
			list = append(list, model.Sealed{Table: c.table, Column: c.column, Row: r.Row, Value: r.Value})
		}
		if len(list) == limit {
			break
		}
	}
	return list, nil
}

// Reseal replaces those of the values that are still what they were, and
// returns how many. All others, and all other columns, stay as they are.
func (s *Keys) Reseal(ctx context.Context, values []model.Reseal) (int, error) {
	replaced := 0
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		replaced = 0
		for _, v := range values {
			at := slices.IndexFunc(sealedColumns(), func(c sealedColumn) bool { return c.holds(v.Sealed) })
			if at < 0 {
				return model.ErrNotFound
			}
			c := sealedColumns()[at]
			done := tx.Table(c.table).Where(c.keyName()+" = ? AND "+c.name()+" = ?", v.Row, c.prefix+v.Value).
				Update(c.column, c.prefix+v.Becomes)
			if done.Error != nil {
				return done.Error
			}
			replaced += int(done.RowsAffected)
		}
		return nil
	})
	return replaced, err
}

// RemoveSealKey deletes a sealing key that no value names. ErrConflict says
// that one does, ErrNotFound that there is no such sealing key.
func (s *Keys) RemoveSealKey(ctx context.Context, id string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		for _, c := range sealedColumns() {
			var n int64
			if err := c.begins(tx, sealVersion+id+":").Limit(1).Count(&n).Error; err != nil {
				return err
			}
			if n > 0 {
				return model.ErrConflict
			}
		}
		done := tx.Where("id = ? AND purpose = ?", id, model.KeySeal).Delete(&model.Key{})
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrNotFound)
		}
		return nil
	})
}

// ResealKeys stores another sealed form of every key, all or none. ErrStale
// says that keys is not every stored key.
func (s *Keys) ResealKeys(ctx context.Context, keys []model.Key) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var stored int64
		if err := tx.Model(&model.Key{}).Count(&stored).Error; err != nil {
			return err
		}
		if int(stored) != len(keys) {
			return model.ErrStale
		}
		for _, k := range keys {
			done := tx.Model(&model.Key{}).Where("id = ? AND purpose = ?", k.ID, k.Purpose).Update("sealed", k.Sealed)
			if done.Error != nil || done.RowsAffected == 0 {
				return firstError(done.Error, model.ErrStale)
			}
		}
		return nil
	})
}

// Compact rewrites the database without what was deleted or replaced, so that
// its files do not hold older forms of it any more.
func (d *DB) Compact(ctx context.Context) error {
	for _, statement := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if err := d.writer.WithContext(ctx).Exec(statement).Error; err != nil {
			return d.translate(err)
		}
	}
	return nil
}
