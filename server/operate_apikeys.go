package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/apikey"
)

// ErrNoAPIKey says that there is no API key of that id.
var ErrNoAPIKey = errors.New("no such API key: latchkey apikey list shows them")

// APIKeyOf is an API key as the operator sees it.
type APIKeyOf struct {
	apikey.View

	Username string
}

// ListAPIKeys lists the keys of the account that the name means, or everybody's if
// it is empty, revoked ones too. It fails with ErrNoAccount.
func (a *App) ListAPIKeys(ctx context.Context, name string) ([]APIKeyOf, error) {
	if name != "" {
		var list []APIKeyOf
		_, err := a.withAccount(ctx, name, func(found model.Account) (err error) {
			list, err = a.apiKeysOf(ctx, found.Key, found.Username)
			return err
		})
		return list, err
	}
	accounts, err := all(ctx, a.Accounts.Page)
	if err != nil {
		return nil, err
	}
	var list []APIKeyOf
	for _, owner := range accounts {
		keys, err := a.apiKeysOf(ctx, owner.Key, owner.Username)
		if err != nil {
			return nil, err
		}
		list = append(list, keys...)
	}
	slices.SortFunc(list, func(x, y APIKeyOf) int { return int(x.ID - y.ID) })
	return list, nil
}

func (a *App) apiKeysOf(ctx context.Context, accountKey, username string) ([]APIKeyOf, error) {
	keys, err := all(ctx, func(ctx context.Context, page, perPage int) ([]apikey.View, int64, error) {
		return a.apiKeys.List(ctx, accountKey, page, perPage)
	})
	list := make([]APIKeyOf, len(keys))
	for i, key := range keys {
		list[i] = APIKeyOf{View: key, Username: username}
	}
	return list, err
}

// unusedFor is from when on the operator is shown a key that nobody uses, unless
// the setting says how long that is.
const unusedFor = 180 * 24 * time.Hour

// UnusedAPIKeys lists the keys that work and were not used for long.
func (a *App) UnusedAPIKeys(ctx context.Context) ([]APIKeyOf, error) {
	list, err := a.ListAPIKeys(ctx, "")
	now, most := a.opts.Now(), cmp.Or(a.Settings.APIKeyUnused(), unusedFor)
	return slices.DeleteFunc(list, func(k APIKeyOf) bool {
		dead := !k.RevokedAt.IsZero() || !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt.Time)
		return dead || now.Sub(k.UsedAt().Time) < most
	}), err
}

// MakeAPIKey makes a key for the account that the name means and returns its
// text, which is told this once. It works for life; 0 is for ever. The operator
// proves nothing. It fails with ErrNoAccount and as apikey.Service.Create does.
func (a *App) MakeAPIKey(ctx context.Context, name string, w apikey.Wanted, life time.Duration) (text string, key APIKeyOf, err error) {
	if life > 0 {
		w.ExpiresAt = a.opts.Now().Add(life)
	}
	key.Username, err = a.withAccount(ctx, name, func(found model.Account) error {
		by, err := a.asOwner(ctx, found.Key)
		if err == nil {
			text, key.APIKey, err = a.apiKeys.Create(ctx, by, w)
		}
		return err
	})
	return text, key, err
}

// RotateAPIKey gives a key another text and returns it, this once; the present
// one works for overlap more. It fails with ErrNoAPIKey, apikey.ErrRevoked or
// apikey.ErrOverlap.
func (a *App) RotateAPIKey(ctx context.Context, id int64, overlap time.Duration) (text string, key APIKeyOf, err error) {
	key, err = a.withAPIKey(ctx, id, func(by access.Caller) error {
		text, err = a.apiKeys.Rotate(ctx, by, id, overlap)
		return err
	})
	return text, key, err
}

// DeleteAPIKey deletes a key. It fails with ErrNoAPIKey.
func (a *App) DeleteAPIKey(ctx context.Context, id int64) (APIKeyOf, error) {
	return a.withAPIKey(ctx, id, func(by access.Caller) error { return a.apiKeys.Delete(ctx, by, id) })
}

// withAPIKey does something as the owner of a key, and returns the key as it was.
func (a *App) withAPIKey(ctx context.Context, id int64, act func(by access.Caller) error) (APIKeyOf, error) {
	var of APIKeyOf
	key, err := a.apiKeys.Store.APIKey(ctx, "", id)
	if errors.Is(err, model.ErrNotFound) {
		return of, ErrNoAPIKey
	}
	if err != nil {
		return of, err
	}
	by, err := a.asOwner(ctx, key.AccountKey)
	if err == nil {
		of = APIKeyOf{View: apikey.View{APIKey: key}, Username: by.Account.Username}
		err = act(by)
	}
	if errors.Is(err, apikey.ErrNoKey) || errors.Is(err, account.ErrUnknown) {
		return of, ErrNoAPIKey
	}
	return of, err
}

// asOwner is the account's owner, who has proved just now who they are: whoever
// runs commands at the machine could set their password.
func (a *App) asOwner(ctx context.Context, accountKey string) (access.Caller, error) {
	owner, err := a.Accounts.Snapshot(ctx, accountKey)
	return access.Caller{Kind: access.SessionToken, Account: owner, FreshAt: a.opts.Now()}, err
}

// ScopeNames is every permission that a key can have, for help texts.
func ScopeNames() string {
	var names []string
	for _, s := range access.Vocabulary() {
		names = append(names, string(s.Scope))
	}
	return strings.Join(names, ", ")
}
