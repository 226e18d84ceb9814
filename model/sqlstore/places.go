package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"latchkey/model"
)

// placeStale is how old the time of a known place may get before it is written
// again: a sign-in from a known place mostly costs one read.
const placeStale = 24 * time.Hour

// NotePlace remembers where the account signed in from. It reports whether that
// is news: the account was never there before, and has been elsewhere. Then the
// row of the device is marked. Of parallel calls one is told so.
func (s *Logins) NotePlace(ctx context.Context, n model.PlaceNote) (bool, error) {
	known, err := findPlace(s.db.read(ctx), n)
	if err == nil && known.SeenAt.After(n.SeenAt.Add(-placeStale)) {
		return false, nil
	}
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		return false, s.db.translate(err)
	}
	news := false
	err = s.db.write(ctx, func(tx *gorm.DB) (err error) {
		news, err = notePlace(tx, n)
		return err
	})
	return news && err == nil, err
}

func findPlace(q *gorm.DB, n model.PlaceNote) (model.Place, error) {
	var row model.Place
	err := q.Where("account_key = ? AND place = ?", n.AccountKey, n.Place.Place).Take(&row).Error
	return row, err
}

func notePlace(tx *gorm.DB, n model.PlaceNote) (bool, error) {
	news := false
	_, err := findPlace(tx, n)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		news, err = beenElsewhere(tx, n)
	}
	if err != nil {
		return false, fmt.Errorf("look for place: %w", err)
	}
	later := clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_key"}, {Name: "place"}},
		DoUpdates: clause.AssignmentColumns([]string{"seen_at"}),
	}
	if err := tx.Clauses(later).Create(&n.Place).Error; err != nil {
		return false, fmt.Errorf("save place: %w", err)
	}
	if news {
		err = tx.Model(&model.Device{}).Where("devices.key = ? AND account_key = ?", n.DeviceKey, n.AccountKey).
			Update("new_until", n.NewUntil).Error
	}
	return news, firstError(err, forgetPlaces(tx, n))
}

// beenElsewhere reports whether the account signed in from another place, or
// was on another device before it moved in.
func beenElsewhere(tx *gorm.DB, n model.PlaceNote) (bool, error) {
	var places, devices int64
	err := firstError(
		tx.Model(&model.Place{}).Where("account_key = ?", n.AccountKey).Limit(1).Count(&places).Error,
		tx.Model(&model.Device{}).Where("account_key = ? AND devices.key <> ?", n.AccountKey, n.DeviceKey).Limit(1).Count(&devices).Error,
	)
	return places+devices > 0, err
}

// forgetPlaces bounds the places of an account.
func forgetPlaces(tx *gorm.DB, n model.PlaceNote) error {
	var surplus []string
	err := tx.Model(&model.Place{}).Where("account_key = ? AND place <> ?", n.AccountKey, n.Place.Place).
		Order("seen_at DESC, place").Limit(forgetAtMost).Offset(n.Keep-1).Pluck("place", &surplus).Error
	if err != nil || len(surplus) == 0 {
		return err
	}
	return tx.Where("account_key = ? AND place IN ?", n.AccountKey, surplus).Delete(&model.Place{}).Error
}
