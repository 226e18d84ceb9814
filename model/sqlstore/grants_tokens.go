package sqlstore

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"latchkey/model"
)

// AddGrant gives a live login a family of tokens. ErrStale says that the login
// is over, or not the account's.
func (s *Grants) AddGrant(ctx context.Context, g model.Grant, tokens []model.GrantToken, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var n int64
		err := live(tx.Model(&model.Login{}), model.Live{At: at}).
			Where("id = ? AND account_key = ?", g.LoginID, g.AccountKey).Limit(1).Count(&n).Error
		if err != nil || n == 0 {
			return firstError(err, model.ErrStale)
		}
		return addGrant(tx, g, tokens)
	})
}

// viewColumns are the columns of a model.GrantView.
const viewColumns = `oauth_tokens.*, logins.device_key, logins.end_reason, logins.expires_at AS login_ends,
	oauth_grants.login_id AS grant_login_id, oauth_grants.account_key AS grant_account_key,
	oauth_grants.client_id AS grant_client_id, oauth_grants.scopes AS grant_scopes,
	oauth_grants.resource AS grant_resource, oauth_grants.auth_time AS grant_auth_time, oauth_grants.amr AS grant_amr,
	oauth_grants.refresh_seconds AS grant_refresh_seconds, oauth_grants.created_at AS grant_created_at`

// Token finds a token, with its family and what became of its login.
func (s *Grants) Token(ctx context.Context, hash string) (model.GrantView, error) {
	var row model.GrantView
	err := s.db.read(ctx).Table("oauth_tokens").Select(viewColumns).
		Joins("JOIN oauth_grants ON oauth_grants.login_id = oauth_tokens.login_id").
		Joins("JOIN logins ON logins.id = oauth_tokens.login_id").
		Where("oauth_tokens.hash = ?", hash).Take(&row).Error
	return row, s.db.translate(err)
}

// Rotate marks a refresh token as used and stores what takes its place. ErrStale
// says that it was used, is expired, or that its login or app is over. It
// reports whether a live access token was forgotten for the new one.
func (s *Grants) Rotate(ctx context.Context, r model.GrantRotation) (bool, error) {
	forgot := false
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		alive := live(tx.Model(&model.Login{}), model.Live{At: r.At}).Select("1").Where("logins.id = oauth_tokens.login_id")
		used := tx.Model(&model.GrantToken{}).
			Where("hash = ? AND login_id = ? AND kind = ?", r.Hash, r.LoginID, model.RefreshToken).
			Where("rotated_at IS NULL AND expires_at > ? AND EXISTS (?)", r.At, alive).
			Updates(map[string]any{"rotated_at": r.At, "successor": r.Successor})
		if used.Error != nil || used.RowsAffected == 0 {
			return firstError(used.Error, model.ErrStale)
		}
		if err := checkApp(tx, r.ClientID); err != nil {
			return err
		}
		if err := tx.Create(&r.Tokens).Error; err != nil {
			return fmt.Errorf("save tokens: %w", err)
		}
		forgot, err = forgetTokens(tx, r)
		return err
	})
	return forgot && err == nil, err
}

// forgetTokens bounds the tokens of a family: the oldest are deleted. It reports
// whether an access token was among them that had not expired. The unused
// refresh token stays even if a clock that was set back makes it look old.
func forgetTokens(tx *gorm.DB, r model.GrantRotation) (bool, error) {
	access, err := oldTokens(tx, r.LoginID, model.AccessToken, r.Keep.Access)
	if err != nil {
		return false, err
	}
	refresh, err := oldTokens(tx, r.LoginID, model.RefreshToken, r.Keep.Refresh+1)
	if err != nil {
		return false, err
	}
	var unexpired int64
	if len(access) > 0 {
		err := tx.Model(&model.GrantToken{}).Where("hash IN ? AND expires_at > ?", access, r.At).Count(&unexpired).Error
		if err != nil {
			return false, err
		}
	}
	if old := append(access, refresh...); len(old) > 0 {
		err = tx.Where("hash IN ? AND (kind = ? OR rotated_at IS NOT NULL)", old, model.AccessToken).
			Delete(&model.GrantToken{}).Error
	}
	return unexpired > 0, err
}

// oldTokens are some of the family's beyond the newest. The index has all that
// is asked for, in this order.
func oldTokens(tx *gorm.DB, loginID string, kind model.GrantTokenKind, keep int) ([]string, error) {
	var old []string
	err := tx.Model(&model.GrantToken{}).Where("login_id = ? AND kind = ?", loginID, kind).
		Order("created_at DESC, hash DESC").Limit(forgetAtMost).Offset(keep).Pluck("hash", &old).Error
	if err != nil {
		return nil, fmt.Errorf("find old tokens: %w", err)
	}
	return old, nil
}

// EndFamily ends the login that a family hangs on, and returns how many that
// were.
func (s *Grants) EndFamily(ctx context.Context, loginID string, why model.EndReason, at model.Time) (int64, error) {
	var ended int64
	err := s.db.write(ctx, func(tx *gorm.DB) (err error) {
		ended, err = endFamily(tx, loginID, why, at)
		return err
	})
	return ended, err
}

func endFamily(tx *gorm.DB, loginID string, why model.EndReason, at model.Time) (int64, error) {
	ended, err := endLogins(tx.Where("id = ?", loginID), why, at)
	if err != nil {
		return 0, err
	}
	return ended, tx.Model(&model.GrantToken{}).Where("login_id = ? AND successor <> ''", loginID).Update("successor", "").Error
}

// EndToken deletes an access token, or ends its login if there is nothing to
// renew it with. A token that is not there is no error.
func (s *Grants) EndToken(ctx context.Context, hash string, at model.Time) error {
	return s.db.write(ctx, func(tx *gorm.DB) error {
		var token model.GrantToken
		found := tx.Where("hash = ? AND kind = ?", hash, model.AccessToken).Limit(1).Find(&token)
		if found.Error != nil || found.RowsAffected == 0 {
			return found.Error
		}
		var renewable int64
		err := tx.Model(&model.GrantToken{}).Where("login_id = ? AND kind = ?", token.LoginID, model.RefreshToken).
			Limit(1).Count(&renewable).Error
		if err != nil {
			return err
		}
		if renewable > 0 {
			return tx.Where("hash = ?", hash).Delete(&model.GrantToken{}).Error
		}
		_, err = endFamily(tx, token.LoginID, model.EndRevoked, at)
		return err
	})
}
