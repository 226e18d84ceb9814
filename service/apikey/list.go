package apikey

import (
	"context"
	"fmt"

	"latchkey/model"
)

// List returns one page of the account's keys, oldest first, and how many there
// are in all; revoked ones are among them. Pages count from 1 and hold at most
// 1000 keys; perPage 0 asks for that many.
func (s *Service) List(ctx context.Context, accountKey string, page, perPage int) ([]View, int64, error) {
	if perPage < 1 || perPage > maxPage {
		perPage = maxPage
	}
	// No account has keys beyond that page; it keeps the product small.
	page = min(max(page, 1), maxKeys+1)
	keys, total, err := s.Store.APIKeys(ctx, accountKey, (page-1)*perPage, perPage)
	if err != nil {
		return nil, 0, fmt.Errorf("list API keys: %w", err)
	}
	views := make([]View, len(keys))
	for i, key := range keys {
		views[i] = s.view(key)
	}
	return views, total, nil
}

// Get is a key of the account, revoked or not. It fails with ErrNoKey.
func (s *Service) Get(ctx context.Context, accountKey string, id int64) (View, error) {
	if accountKey == "" {
		return View{}, ErrNoKey
	}
	key, err := s.Store.APIKey(ctx, accountKey, id)
	if err != nil {
		return View{}, keyFailure(err, "read", id)
	}
	return s.view(key), nil
}

// Count is how many keys of the account are neither revoked nor expired.
func (s *Service) Count(ctx context.Context, accountKey string) (int64, error) {
	n, err := s.Store.CountAPIKeys(ctx, accountKey, model.At(s.Now()))
	if err != nil {
		return 0, fmt.Errorf("count API keys: %w", err)
	}
	return n, nil
}

// view is a key with the use that is not written yet.
func (s *Service) view(key model.APIKey) View {
	if n, ok := s.notes.Waiting(key.ID); ok && n.At.After(key.LastUsedAt.Time) {
		key.LastUsedAt, key.LastUsedIP, key.LastUsedUA = n.At, n.IP, n.UA
	}
	most := s.UnusedFor()
	return View{APIKey: key, Unused: key.RevokedAt.IsZero() && most > 0 && s.Now().Sub(key.UsedAt().Time) >= most}
}
