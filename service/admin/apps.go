package admin

import (
	"context"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/client"
)

// RegisterApp registers an OAuth app for an admin with a fresh login: an app is
// handed other people's accounts, so a stolen token is not enough. It fails with
// access.ErrNotFresh or as client.Service.Register does.
func (s *Service) RegisterApp(ctx context.Context, by access.Caller, r client.Registration) (model.OAuthClient, string, error) {
	if err := by.CheckFresh(s.Now()); err != nil {
		return model.OAuthClient{}, "", err
	}
	return s.Apps.Register(ctx, r)
}

// UpdateApp changes an app. It fails with access.ErrNotFresh or as
// client.Service.Update does.
func (s *Service) UpdateApp(ctx context.Context, by access.Caller, id string, e client.Edit) (model.OAuthClient, error) {
	if err := by.CheckFresh(s.Now()); err != nil {
		return model.OAuthClient{}, err
	}
	return s.Apps.Update(ctx, id, e)
}

// DeleteApp deletes an app and ends what was issued to it. It fails with
// access.ErrNotFresh or as client.Service.Delete does.
func (s *Service) DeleteApp(ctx context.Context, by access.Caller, id string) error {
	if err := by.CheckFresh(s.Now()); err != nil {
		return err
	}
	return s.Apps.Delete(ctx, id)
}

// RotateAppSecret gives an app another secret and returns it. It fails with
// access.ErrNotFresh or as client.Service.Rotate does.
func (s *Service) RotateAppSecret(ctx context.Context, by access.Caller, id, supplied string, overlap time.Duration) (string, error) {
	if err := by.CheckFresh(s.Now()); err != nil {
		return "", err
	}
	return s.Apps.Rotate(ctx, id, supplied, overlap)
}

// DeclareScope declares a scope or describes it in other words. It fails with
// access.ErrNotFresh or as client.Service.Declare does.
func (s *Service) DeclareScope(ctx context.Context, by access.Caller, name, text string) error {
	if err := by.CheckFresh(s.Now()); err != nil {
		return err
	}
	return s.Apps.Declare(ctx, name, text)
}

// WithdrawScope takes a declared scope back. It fails with access.ErrNotFresh or
// as client.Service.Withdraw does.
func (s *Service) WithdrawScope(ctx context.Context, by access.Caller, name string) error {
	if err := by.CheckFresh(s.Now()); err != nil {
		return err
	}
	return s.Apps.Withdraw(ctx, name)
}
