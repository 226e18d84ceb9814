package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// DropSuccessors drops what refresh tokens were answered with that were used
// before that instant, and reports whether younger ones are left.
func (s *Grants) DropSuccessors(ctx context.Context, before model.Time, atMost int) (bool, error) {
	var sealed []model.GrantToken
	err := s.db.read(ctx).Select("hash", "rotated_at").Where("successor <> ''").
		Order("rotated_at").Limit(atMost).Find(&sealed).Error
	if err != nil {
		return true, s.db.translate(err)
	}
	var due []string
	for _, t := range sealed {
		if t.RotatedAt.Before(before.Time) {
			due = append(due, t.Hash)
		}
	}
	left := len(due) < len(sealed) || len(sealed) == atMost
	if len(due) == 0 {
		return left, nil
	}
	return left, s.db.write(ctx, func(tx *gorm.DB) error {
		return tx.Model(&model.GrantToken{}).Where("hash IN ?", due).Update("successor", "").Error
	})
}

// Clean forgets codes, tokens and device authorizations that nobody needs, at
// most so many of each. It returns how many rows went. They are found beside the
// writer: none of them can come back meanwhile.
func (s *Grants) Clean(ctx context.Context, c model.GrantCleaning) (int64, error) {
	q := s.db.read(ctx)
	var codes, families, tokens, devices []string
	living := live(q.Model(&model.Login{}), model.Live{At: c.Now}).Select("1").Where("logins.id = oauth_codes.login_id")
	err := firstError(
		q.Model(&model.GrantCode{}).Where("expires_at < ? AND NOT EXISTS (?)", c.ExpiredAt, living).
			Limit(c.AtMost).Pluck("hash", &codes).Error,
		q.Model(&model.Grant{}).Joins("JOIN logins ON logins.id = oauth_grants.login_id").
			Where("logins.ended_at < ?", c.ExpiredAt).Limit(c.AtMost).Pluck("oauth_grants.login_id", &families).Error,
		q.Model(&model.GrantToken{}).Where("expires_at < ?", c.ExpiredAt).Limit(c.AtMost).Pluck("hash", &tokens).Error,
		q.Model(&model.DeviceCode{}).Where("expires_at < ?", c.ExpiredAt).Limit(c.AtMost).Pluck("hash", &devices).Error,
	)
	if err != nil {
		return 0, s.db.translate(fmt.Errorf("find what nobody needs: %w", err))
	}
	total := len(codes) + len(families) + len(tokens) + len(devices)
	if total == 0 {
		return 0, nil
	}
	return int64(total), s.db.write(ctx, func(tx *gorm.DB) error {
		return firstError(
			tx.Where("hash IN ?", codes).Delete(&model.GrantCode{}).Error,
			tx.Where("login_id IN ?", families).Delete(&model.Grant{}).Error,
			tx.Where("hash IN ?", tokens).Delete(&model.GrantToken{}).Error,
			tx.Where("hash IN ?", devices).Delete(&model.DeviceCode{}).Error,
		)
	})
}
