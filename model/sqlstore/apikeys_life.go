package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"latchkey/model"
)

// RevokeAPIKeyText revokes the key whose text has that hash, as leaked; if it is
// the text before the last rotation and works still, that alone ends.
// model.ErrNotFound says that no text that works has that hash.
func (s *APIKeys) RevokeAPIKeyText(ctx context.Context, hash string, at model.Time) (model.APIKey, error) {
	var row model.APIKey
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		err := tx.Where("revoked_at IS NULL").Where("(hash = ? OR (old_hash = ? AND old_until > ?))", hash, hash, at).
			Take(&row).Error
		if err != nil {
			return err
		}
		if row.Hash != hash {
			row.OldHash, row.OldUntil = "", model.Time{}
			return tx.Model(&model.APIKey{}).Where("id = ?", row.ID).
				Updates(map[string]any{"old_hash": "", "old_until": model.Time{}}).Error
		}
		row.RevokedAt, row.RevokedWhy = at, model.RevokedLeaked
		return revokeAPIKeys(tx.Where("id = ?", row.ID), model.RevokedLeaked, at).Error
	})
	return row, err
}

// RevokeDeviceAPIKeys revokes the keys that were made on a device, and returns
// those that were not revoked before.
func (s *APIKeys) RevokeDeviceAPIKeys(ctx context.Context, accountKey, deviceKey string, at model.Time) ([]model.APIKey, error) {
	var rows []model.APIKey
	err := s.db.write(ctx, func(tx *gorm.DB) error {
		made := tx.Where("created_on_device = ? AND revoked_at IS NULL", deviceKey)
		if accountKey != "" {
			made = made.Where("account_key = ?", accountKey)
		}
		if err := made.Order("id").Find(&rows).Error; err != nil {
			return fmt.Errorf("find keys of device: %w", err)
		}
		ids := make([]int64, len(rows))
		for i := range rows {
			ids[i], rows[i].RevokedAt, rows[i].RevokedWhy = rows[i].ID, at, model.RevokedDevice
		}
		return revokeAPIKeys(tx.Where("id IN ?", ids), model.RevokedDevice, at).Error
	})
	return rows, err
}

// revokeAPIKeys is the only statement that writes that an API key is revoked.
func revokeAPIKeys(which *gorm.DB, why model.RevokeReason, at model.Time) *gorm.DB {
	return which.Model(&model.APIKey{}).Where("revoked_at IS NULL").
		Updates(map[string]any{"revoked_at": at, "revoked_why": why})
}

// NoteAPIKeys writes when and from where keys were last used, and what they
// learnt. It never writes what decides about a key.
func (s *APIKeys) NoteAPIKeys(ctx context.Context, notes []model.APIKeyNote) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		for _, n := range notes {
			if err := firstError(noteAPIKeyUse(tx, n), noteAPIKeyLesson(tx, n)); err != nil {
				return fmt.Errorf("note API key %d: %w", n.ID, err)
			}
		}
		return nil
	})
}

func noteAPIKeyUse(tx *gorm.DB, n model.APIKeyNote) error {
	if n.At.IsZero() {
		return nil
	}
	return tx.Model(&model.APIKey{}).Where("id = ? AND (last_used_at IS NULL OR last_used_at < ?)", n.ID, n.At).
		Updates(map[string]any{"last_used_at": n.At, "last_used_ip": n.IP, "last_used_ua": n.UA}).Error
}

func noteAPIKeyLesson(tx *gorm.DB, n model.APIKeyNote) error {
	if len(n.Needed) == 0 {
		return nil
	}
	var rows []model.APIKey
	if err := tx.Where("id = ? AND learn_until IS NOT NULL", n.ID).Find(&rows).Error; err != nil || len(rows) == 0 {
		return err
	}
	return tx.Model(&model.APIKey{}).Where("id = ?", n.ID).Updates(map[string]any{
		"learnt_needed":  withWords(rows[0].LearntNeeded, n.Needed),
		"learnt_refused": withWords(rows[0].LearntRefused, n.Refused),
	}).Error
}

// withWords is a list of words with further ones, sorted and each once.
func withWords(list string, more []string) string {
	words := slices.Sorted(slices.Values(append(strings.Fields(list), more...)))
	return strings.Join(slices.Compact(words), " ")
}

// ExpiringAPIKeys lists keys that expire within days and were not warned of so
// few yet.
func (s *APIKeys) ExpiringAPIKeys(ctx context.Context, at model.Time, days int64, limit int) ([]model.APIKey, error) {
	var rows []model.APIKey
	until := model.At(at.Add(time.Duration(days) * 24 * time.Hour))
	err := s.db.read(ctx).Where("expires_at > ? AND expires_at <= ? AND revoked_at IS NULL", at, until).
		Where("(warned_days = 0 OR warned_days > ?)", days).Order("expires_at, id").Limit(limit).Find(&rows).Error
	return rows, s.db.translate(err)
}

// WarnAPIKey says that the key is warned of so many days before its expiry;
// model.ErrStale if that was said before, or the key is not as it was.
func (s *APIKeys) WarnAPIKey(ctx context.Context, key model.APIKey, days int64) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return oneOrStale(tx.Model(&model.APIKey{}).
			Where("id = ? AND expires_at = ? AND revoked_at IS NULL", key.ID, key.ExpiresAt).
			Where("(warned_days = 0 OR warned_days > ?)", days).Update("warned_days", days))
	})
}

// UnusedAPIKeys lists keys that were not used since an instant.
func (s *APIKeys) UnusedAPIKeys(ctx context.Context, q model.APIKeyIdle) ([]model.APIKey, error) {
	rows := unusedAPIKeys(s.db.read(ctx), q.Since)
	if q.Untold {
		rows = untoldAPIKeys(rows)
	}
	var list []model.APIKey
	err := rows.Where("id > ?", q.AfterID).Order("id").Limit(q.Limit).Find(&list).Error
	return list, s.db.translate(err)
}

// ReportAPIKey says that an unused key is reported; model.ErrStale if it was
// since it was used last, or is not unused.
func (s *APIKeys) ReportAPIKey(ctx context.Context, id int64, since, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return oneOrStale(untoldAPIKeys(unusedAPIKeys(tx.Model(&model.APIKey{}), since)).
			Where("id = ?", id).Update("unused_told_at", at))
	})
}

// RevokeUnusedAPIKey revokes an unused key; model.ErrStale if it is not unused.
func (s *APIKeys) RevokeUnusedAPIKey(ctx context.Context, id int64, since, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		return oneOrStale(revokeAPIKeys(unusedAPIKeys(tx, since).Where("id = ?", id), model.RevokedUnused, at))
	})
}

func unusedAPIKeys(q *gorm.DB, since model.Time) *gorm.DB {
	return q.Where("revoked_at IS NULL AND COALESCE(last_used_at, created_at) <= ?", since)
}

func untoldAPIKeys(q *gorm.DB) *gorm.DB {
	return q.Where("(unused_told_at IS NULL OR unused_told_at < last_used_at)")
}

// oneOrStale is model.ErrStale unless the statement changed a row. What it sets
// is never what was there, so that databases agree on what changed.
func oneOrStale(done *gorm.DB) error {
	if done.Error == nil && done.RowsAffected == 0 {
		return model.ErrStale
	}
	return done.Error
}
