package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// importBatch is how many rows one statement inserts: SQLite takes 32,766
// values, and an account has 21.
const importBatch = 500

// Imports is where imports go.
type Imports struct{ db *DB }

// Imports is the store of imports.
func (d *DB) Imports() *Imports { return &Imports{db: d} }

// Holdings reads what is there already, as of one moment.
func (s *Imports) Holdings(ctx context.Context) (model.Holdings, error) {
	h := model.Holdings{Used: map[string]bool{}}
	err := s.db.read(ctx).Transaction(func(tx *gorm.DB) error {
		for _, list := range []any{&h.Roles, &h.Accounts, &h.SSHKeys, &h.Settings, &h.Devices} {
			if err := tx.Find(list).Error; err != nil {
				return err
			}
		}
		for _, table := range hanging() {
			var keys []string
			if err := tx.Table(table).Distinct("account_key").Pluck("account_key", &keys).Error; err != nil {
				return err
			}
			for _, key := range keys {
				h.Used[key] = true
			}
		}
		return nil
	})
	return h, s.db.translate(err)
}

// hanging are the tables whose rows hang on an account.
func hanging() []string {
	return []string{
		"api_keys", "devices", "links", "logins", "notices", "oauth_codes", "oauth_consents", "oauth_grants", "oauth_tokens",
		"places", "recovery_codes", "ssh_keys", "totp",
	}
}

// ImportAll writes all of it, or nothing. ErrStale says that what gives way or
// is replaced changed since it was read, ErrConflict that a name or id was
// taken since. written may be nil.
func (s *Imports) ImportAll(ctx context.Context, in model.Import, written func(table string, rows int)) error {
	return s.db.writeBulk(ctx, func(tx *gorm.DB) error {
		w := importing{tx: tx, written: written}
		for _, a := range in.Vacate {
			w.vacate(a)
		}
		for _, f := range in.Fill {
			w.fill(f)
		}
		insert(&w, "roles", in.Roles)
		insert(&w, "accounts", in.Accounts)
		insert(&w, "totp", in.TOTP)
		insert(&w, "ssh_keys", in.SSHKeys)
		insert(&w, "devices", in.Devices)
		for _, row := range in.Settings {
			w.setting(row)
		}
		return w.err
	})
}

// importing is one ImportAll. After the first error it does nothing more.
type importing struct {
	tx      *gorm.DB
	written func(table string, rows int)
	err     error
}

// vacate deletes an account that was never used.
func (w *importing) vacate(a model.Account) {
	if w.err != nil {
		return
	}
	q := w.tx.Where("accounts.key = ? AND username = ? AND password_hash = ? AND epoch = ? AND password_at IS NULL",
		a.Key, a.Username, a.PasswordHash, a.Epoch)
	for _, table := range hanging() {
		q = q.Where("NOT EXISTS (?)", w.tx.Table(table).Select("1").Where("account_key = ?", a.Key))
	}
	done := q.Delete(&model.Account{})
	w.one(done, "make room")
	if w.err == nil {
		w.err = forgetThrottles(w.tx, a.Key)
	}
}

// fill replaces a role that is still what it was.
func (w *importing) fill(f model.RoleFill) {
	if w.err != nil {
		return
	}
	done := w.tx.Model(&model.Role{}).
		Where("id = ? AND name = ? AND description = ?", f.Was.ID, f.Was.Name, f.Was.Description).
		Where("scopes = ?", f.Was.Scopes).
		Updates(map[string]any{
			"name": f.Becomes.Name, "description": f.Becomes.Description,
			"scopes": f.Becomes.Scopes,
		})
	w.one(done, "fill role")
}

// setting stores a new value, or one in place of another.
func (w *importing) setting(row model.SettingNew) {
	if w.err != nil {
		return
	}
	if row.Was == "" {
		w.one(w.tx.Create(&row.Setting), "add setting")
		return
	}
	done := w.tx.Model(&model.Setting{}).Where("settings.key = ? AND value = ?", row.Key, row.Was).Update("value", row.Value)
	w.one(done, "replace setting")
}

// one notes what went wrong with a statement that must change exactly one row.
func (w *importing) one(done *gorm.DB, act string) {
	switch {
	case done.Error != nil:
		w.err = fmt.Errorf("%s: %w", act, done.Error)
	case done.RowsAffected != 1:
		w.err = model.ErrStale
	}
}

// insert adds the rows of one table.
func insert[T any](w *importing, table string, rows []T) {
	for done := 0; done < len(rows) && w.err == nil; {
		batch := rows[done:min(done+importBatch, len(rows))]
		if err := w.tx.Create(&batch).Error; err != nil {
			w.err = fmt.Errorf("add to %s: %w", table, err)
			return
		}
		done += len(batch)
		if w.written != nil {
			w.written(table, done)
		}
	}
}

// PasswordsWith lists accounts whose stored password begins with prefix, by
// ascending key after the given one.
func (s *Imports) PasswordsWith(ctx context.Context, prefix, afterKey string, limit int) ([]model.Account, error) {
	var rows []model.Account
	err := s.db.read(ctx).Where("substr(password_hash, 1, ?) = ? AND accounts.key > ?", len(prefix), prefix, afterKey).
		Order("accounts.key").Limit(limit).Find(&rows).Error
	return rows, s.db.translate(err)
}

// ReplacePassword stores another form of the same password: no login ends, and
// nothing else changes. ErrStale says that the stored one is not old any more.
func (s *Imports) ReplacePassword(ctx context.Context, accountKey, old, stored string) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		done := tx.Model(&model.Account{}).Where("accounts.key = ? AND password_hash = ?", accountKey, old).
			Update("password_hash", stored)
		if done.Error != nil || done.RowsAffected == 0 {
			return firstError(done.Error, model.ErrStale)
		}
		return nil
	})
}
