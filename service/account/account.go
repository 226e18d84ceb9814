package account

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
	"latchkey/service/cache"
	"latchkey/service/fault"
	"latchkey/service/revocation"
)

// What can be wrong with an account.
var (
	// ErrUnknown says that there is no such account.
	ErrUnknown = fault.New(fault.NotFound, "account_unknown", "failed get old user: record not found")
	// ErrNameTaken says that another account has the name, or one that differs
	// from it in case only.
	ErrNameTaken = fault.New(fault.Invalid, "username_taken", "username already exists")
	// ErrDisabled says that the account may not be used.
	ErrDisabled = fault.New(fault.Unauthenticated, "account_disabled", "Current user is disabled, replace please")
	// ErrEnded says that the caller's login ended while the change was prepared.
	ErrEnded = fault.New(fault.Unauthenticated, "session_inactive", "session inactive")
)

// Store keeps accounts and roles.
type Store interface {
	// Empty reports whether there is no account at all.
	Empty(ctx context.Context) (bool, error)
	// Found fills an empty database and reports whether it was empty.
	Found(ctx context.Context, roles []model.Role, accounts []model.Account) (bool, error)
	// CreateAccount chooses the id unless one is given; model.ErrConflict for a
	// taken name or id.
	CreateAccount(ctx context.Context, a model.Account) (model.Account, error)
	// AccountByID fails with model.ErrNotFound.
	AccountByID(ctx context.Context, id int64) (model.Account, error)
	// AccountPage lists accounts by id, and how many there are in all.
	AccountPage(ctx context.Context, offset, limit int) ([]model.Account, int64, error)
	// EditAccount is one transaction; a new password or being disabled ends
	// every login, a new password all but KeepLogin. model.ErrNotFound,
	// model.ErrConflict for a taken name, model.ErrStale for a role that is not
	// there, for a ByLogin that is not live or for another Epoch,
	// model.ErrLimit if no enabled admin would be left.
	EditAccount(ctx context.Context, key string, e model.AccountEdit) error
	// Role fails with model.ErrNotFound.
	Role(ctx context.Context, id int64) (model.Role, error)
	// RolePage lists roles by id, and how many there are in all.
	RolePage(ctx context.Context, offset, limit int) ([]model.Role, int64, error)
	// CreateRole chooses the id unless one is given; model.ErrConflict.
	CreateRole(ctx context.Context, r model.Role) (model.Role, error)
	// EditRole fails with model.ErrNotFound or, for a taken name,
	// model.ErrConflict.
	EditRole(ctx context.Context, id int64, e model.RoleEdit) error
	// DeleteRole fails with model.ErrNotFound, or with model.ErrLimit while an
	// account holds the role.
	DeleteRole(ctx context.Context, id int64) error
	// AccountByName prefers the exact spelling; model.ErrNotFound.
	AccountByName(ctx context.Context, exact, folded string) (model.Account, error)
	// AccountByEmail is the account that has one of the addresses and confirmed
	// it; model.ErrNotFound unless there is exactly one.
	AccountByEmail(ctx context.Context, addresses []string) (model.Account, error)
	// Profile fails with model.ErrNotFound.
	Profile(ctx context.Context, key string) (model.Profile, error)
	// FirstWithRole is the key of the enabled account with the lowest id;
	// model.ErrNotFound.
	FirstWithRole(ctx context.Context, role int64) (string, error)
	// DeleteAccount deletes all that hangs on it too; model.ErrNotFound, or
	// model.ErrLimit if no enabled admin would be left.
	DeleteAccount(ctx context.Context, key string) error
}

// Service is the accounts. It is safe for concurrent use.
type Service struct {
	store     Store
	hub       *revocation.Hub
	audit     *audit.Recorder
	now       func() time.Time
	snapshots *cache.Cache[string, *access.Account]
	firsts    *cache.Cache[int64, string] // role → the account that stands for it
}

// firstsGroup holds every entry of firsts: any change may change who is first.
const firstsGroup = "firsts"

// New makes the service. It remembers at most cacheSize accounts and forgets
// what the hub says has changed.
func New(store Store, hub *revocation.Hub, rec *audit.Recorder, now func() time.Time, cacheSize int) *Service {
	s := &Service{
		store: store, hub: hub, audit: rec, now: now,
		snapshots: cache.New[string, *access.Account](cacheSize),
		firsts:    cache.New[int64, string](1),
	}
	hub.Subscribe(func(_ context.Context, n revocation.Notice) {
		s.firsts.Invalidate(firstsGroup)
		if n.AccountKey == "" {
			s.snapshots.InvalidateAll()
			return
		}
		s.snapshots.Invalidate(n.AccountKey)
	})
	return s
}

// Snapshot is the account as it is now. It fails with ErrUnknown.
func (s *Service) Snapshot(ctx context.Context, key string) (*access.Account, error) {
	if a, ok := s.snapshots.Get(key); ok {
		return a, nil
	}
	a, err := s.snapshots.Load(ctx, key, key, func(ctx context.Context) (*access.Account, error) {
		p, err := s.store.Profile(ctx, key)
		if err != nil {
			return nil, err
		}
		return snapshot(p), nil
	})
	if errors.Is(err, model.ErrNotFound) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, fmt.Errorf("read account: %w", err)
	}
	return a, nil
}

// First is the enabled account with the lowest id that holds the role. It
// fails with ErrUnknown.
func (s *Service) First(ctx context.Context, role int64) (*access.Account, error) {
	key, ok := s.firsts.Get(role)
	if !ok {
		var err error
		key, err = s.firsts.Load(ctx, role, firstsGroup, func(ctx context.Context) (string, error) {
			key, err := s.store.FirstWithRole(ctx, role)
			if errors.Is(err, model.ErrNotFound) {
				return "", nil // worth remembering: guests ask all the time
			}
			return key, err
		})
		if err != nil {
			return nil, fmt.Errorf("find account with role %d: %w", role, err)
		}
	}
	if key == "" {
		return nil, ErrUnknown
	}
	return s.Snapshot(ctx, key)
}

// ForSignIn finds the account that a name typed at sign-in means. It fails
// with ErrUnknown.
func (s *Service) ForSignIn(ctx context.Context, name string) (model.Account, error) {
	a, err := s.store.AccountByName(ctx, name, Fold(name))
	if errors.Is(err, model.ErrNotFound) {
		return a, ErrUnknown
	}
	if err != nil {
		return a, fmt.Errorf("find account: %w", err)
	}
	return a, nil
}

// Profile is the account's record with its password hash, for those who check
// one. It fails with ErrUnknown.
func (s *Service) Profile(ctx context.Context, key string) (model.Profile, error) {
	p, err := s.store.Profile(ctx, key)
	if errors.Is(err, model.ErrNotFound) {
		return p, ErrUnknown
	}
	return p, err
}

// Change is what an account may change of itself; nil leaves a value alone.
type Change struct {
	Username     *string
	SSOID        *string
	PasswordHash *string // ends every login of the account but KeepLogin
	Email        *string // ends every other login of the account; nobody has confirmed the address yet
	ByLogin      string  // the caller's; it must be live when the change is written. Empty: the operator asks
	KeepLogin    string  // outlives a new password; empty: no login does
	Proven       bool    // whoever holds KeepLogin proved who they are for this
	Epoch        *int64  // the account's when the change was allowed; nil: no matter
}

// Change changes the account. When it returns, nobody is let in by what it
// ended. It fails with ErrName, ErrNameTaken, ErrEmail, ErrUnknown, or ErrEnded if
// ByLogin is over or Epoch is past.
func (s *Service) Change(ctx context.Context, key string, c Change) error {
	row := model.AccountEdit{
		SSOID: c.SSOID, PasswordHash: c.PasswordHash, ByLogin: c.ByLogin, KeepLogin: c.KeepLogin, Epoch: c.Epoch, At: model.At(s.now()),
	}
	if c.Proven {
		row.KeptFreshAt = row.At
	}
	if c.Username != nil {
		if err := CheckName(*c.Username); err != nil {
			return err
		}
		folded := Fold(*c.Username)
		row.Username, row.NameFolded, row.NameKey = c.Username, &folded, &folded
	}
	if c.Email != nil {
		if err := CheckEmail(*c.Email); err != nil {
			return err
		}
		row.Email, row.EmailVerified = c.Email, new(bool)
	}
	if err := s.change(ctx, key, row); err != nil {
		return err
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: key})
	return s.audit.Record(ctx, audit.Event{Kind: c.kind(), AccountKey: key})
}

// kind is what the change is called.
func (c Change) kind() audit.Kind {
	switch {
	case c.PasswordHash != nil:
		return audit.PasswordChanged
	case c.Email != nil:
		return audit.EmailChanged
	}
	return audit.ProfileChanged
}

func (s *Service) change(ctx context.Context, key string, row model.AccountEdit) error {
	err := s.store.EditAccount(ctx, key, row)
	switch {
	case errors.Is(err, model.ErrConflict):
		return ErrNameTaken
	case errors.Is(err, model.ErrStale):
		return ErrEnded
	case errors.Is(err, model.ErrNotFound):
		return ErrUnknown
	case err != nil:
		return fmt.Errorf("change account: %w", err)
	}
	return nil
}

// SetDisabled disables or enables an account. When disabling returns, nobody
// is let in as the account, and enabling it again revives no login. It fails
// with ErrUnknown or ErrLastAdmin.
func (s *Service) SetDisabled(ctx context.Context, key string, disabled bool) error {
	if err := s.store.EditAccount(ctx, key, model.AccountEdit{Disabled: &disabled, At: model.At(s.now())}); err != nil {
		if errors.Is(err, model.ErrLimit) {
			return ErrLastAdmin
		}
		return s.lookup(err, "account to disable")
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: key})
	kind := audit.AccountEnabled
	if disabled {
		kind = audit.AccountDisabled
	}
	return s.audit.Record(ctx, audit.Event{Kind: kind, AccountKey: key})
}

// Delete deletes an account and all that hangs on it. It fails with
// ErrUnknown or ErrLastAdmin.
func (s *Service) Delete(ctx context.Context, key string) error {
	old, err := s.Profile(ctx, key) // the event has to say who it was
	if err != nil {
		return err
	}
	if err := s.store.DeleteAccount(ctx, key); err != nil {
		if errors.Is(err, model.ErrLimit) {
			return ErrLastAdmin
		}
		return s.lookup(err, "account to delete")
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: key})
	return s.audit.Record(ctx, audit.Event{
		Kind: audit.AccountDeleted, AccountKey: key, AccountID: old.ID, Username: old.Username,
	})
}

// snapshot works out what an account may do. The admin's rights are what its
// role means, whatever the row says.
func snapshot(p model.Profile) *access.Account {
	a := &access.Account{
		Key: p.Key, ID: p.ID, Username: p.Username, BasePath: cleanPath(p.BasePath),
		RoleIDs: p.Roles, RoleNames: []string{}, Permission: p.Permission, Permissions: []model.PathScope{},
		Disabled: p.Disabled, TwoFactor: p.TwoFactor, SSOID: p.SSOID, Epoch: p.Epoch,
		Email: p.Email, EmailVerified: p.EmailVerified, CreatedAt: p.CreatedAt.Time, ChangedAt: p.CreatedAt.Time,
	}
	if !p.ProfileAt.IsZero() {
		a.ChangedAt = p.ProfileAt.Time
	}
	if a.RoleIDs == nil {
		a.RoleIDs = []int64{}
	}
	at := map[string]int{}
	for _, role := range p.RoleRows {
		a.RoleNames = append(a.RoleNames, role.Name)
		a.RequiresTwoFactor = a.RequiresTwoFactor || role.RequireTwoFactor
		for _, scope := range role.Scopes {
			clean := cleanPath(scope.Path)
			if i, seen := at[clean]; seen {
				a.Permissions[i].Permission |= scope.Permission
				continue
			}
			at[clean] = len(a.Permissions)
			a.Permissions = append(a.Permissions, model.PathScope{Path: clean, Permission: scope.Permission})
		}
	}
	return a
}

func cleanPath(p string) string { return path.Clean("/" + p) }
