package account

import (
	"context"
	"errors"
	"fmt"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// allRights is the admin's permission mask (contract §7.1).
const allRights = 0xFFFF

// RoleGeneral is the id of the role that ordinary people are made with.
const RoleGeneral int64 = 3

// Empty reports whether there is no account at all.
func (s *Service) Empty(ctx context.Context) (bool, error) {
	empty, err := s.store.Empty(ctx)
	if err != nil {
		return false, fmt.Errorf("look for accounts: %w", err)
	}
	return empty, nil
}

// Found fills an empty database with the roles guest, admin and general, a
// disabled guest and an admin whose password hashes to adminHash. It reports
// whether the database was empty.
func (s *Service) Found(ctx context.Context, adminHash string) (bool, error) {
	at := model.At(s.now())
	roles := []model.Role{
		{ID: model.RoleGuest, Name: "guest", Description: "Guest", Scopes: rootScope(0)},
		{ID: model.RoleAdmin, Name: "admin", Description: "Administrator", Scopes: rootScope(allRights)},
		{ID: RoleGeneral, Name: "general", Description: "General User", Scopes: rootScope(0)},
	}
	guest := newAccount(1, "guest", model.RoleGuest, at)
	guest.Disabled = true
	admin := newAccount(2, "admin", model.RoleAdmin, at)
	admin.PasswordHash, admin.Permission = adminHash, allRights
	founded, err := s.store.Found(ctx, roles, []model.Account{guest, admin})
	if err != nil {
		return false, fmt.Errorf("create first accounts: %w", err)
	}
	if !founded {
		return false, nil
	}
	return true, s.audit.Record(ctx, audit.Event{Kind: audit.Founded, AccountKey: admin.Key})
}

// Create adds an ordinary account with the general role and no device limit of
// its own. It fails with ErrName or ErrNameTaken.
func (s *Service) Create(ctx context.Context, name, passwordHash string) (model.Account, error) {
	if err := CheckName(name); err != nil {
		return model.Account{}, err
	}
	fresh := newAccount(0, name, RoleGeneral, model.At(s.now()))
	fresh.PasswordHash, fresh.PasswordAt = passwordHash, fresh.CreatedAt
	made, err := s.store.CreateAccount(ctx, fresh)
	if errors.Is(err, model.ErrConflict) {
		return model.Account{}, ErrNameTaken
	}
	if err != nil {
		return model.Account{}, fmt.Errorf("create account: %w", err)
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: made.Key}) // it may be the first of its role
	return made, s.audit.Record(ctx, audit.Event{Kind: audit.AccountCreated, AccountKey: made.Key})
}

func newAccount(id int64, name string, role int64, at model.Time) model.Account {
	folded := Fold(name)
	return model.Account{
		ID: id, Key: secret.ID(), Username: name, NameFolded: folded, NameKey: folded,
		BasePath: "/", Roles: model.IntList{role}, CreatedAt: at,
	}
}

func rootScope(permission int64) model.ScopeList {
	return model.ScopeList{{Path: "/", Permission: permission}}
}
