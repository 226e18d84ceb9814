package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// What an admin cannot do to an account.
var (
	// ErrIDTaken says that another account has the wished id.
	ErrIDTaken = fault.New(fault.Invalid, "account_id_taken", "id already exists")
	// ErrReservedRole says that nobody is made a guest or an admin here.
	ErrReservedRole = fault.New(fault.Invalid, "role_reserved", "cannot assign admin or guest role to user")
	// ErrAdminRole says that the account admin stays one.
	ErrAdminRole = fault.New(fault.Forbidden, "admin_role", "cannot change role of admin user")
	// ErrLastAdmin says that somebody must be able to administer.
	ErrLastAdmin = fault.New(fault.Invalid, "last_admin", "at least one enabled admin must be kept")
	// ErrReserved says that guests and admins are not deleted.
	ErrReserved = fault.New(fault.Invalid, "account_reserved", "cannot delete admin or guest")
)

// adminName is the account whose role the AList dialect protects by name.
const adminName = "admin"

// pageSize is how many entries a page has at most.
const pageSize = 1000

// ByID finds an account by its number on the wire. It fails with ErrUnknown.
func (s *Service) ByID(ctx context.Context, id int64) (model.Account, error) {
	a, err := s.store.AccountByID(ctx, id)
	return a, s.lookup(err, "account")
}

// Page lists accounts by id, and how many there are in all. A size below 1
// means 1000, which is also the most.
func (s *Service) Page(ctx context.Context, number, size int) ([]model.Account, int64, error) {
	offset, limit := window(number, size)
	rows, total, err := s.store.AccountPage(ctx, offset, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list accounts: %w", err)
	}
	return rows, total, nil
}

func window(number, size int) (offset, limit int) {
	if size < 1 || size > pageSize {
		size = pageSize
	}
	return (max(number, 1) - 1) * size, size
}

func (*Service) lookup(err error, what string) error {
	switch {
	case errors.Is(err, model.ErrNotFound):
		return ErrUnknown
	case err != nil:
		return fmt.Errorf("find %s: %w", what, err)
	}
	return nil
}

// Add adds an account as a is, with a key of its own and, unless a has one,
// an id. It fails with ErrName, ErrEmail, ErrNameTaken, ErrIDTaken or ErrNoRole.
func (s *Service) Add(ctx context.Context, a model.Account) (model.Account, error) {
	if err := CheckName(a.Username); err != nil {
		return a, err
	}
	if err := CheckEmail(a.Email); err != nil {
		return a, err
	}
	a.EmailVerified = a.EmailVerified && a.Email != ""
	a.Key, a.CreatedAt = secret.ID(), model.At(s.now())
	a.NameFolded = Fold(a.Username)
	a.NameKey = a.NameFolded
	a.BasePath = cleanPath(a.BasePath)
	if a.PasswordHash != "" {
		a.PasswordAt = a.CreatedAt
	}
	a.Roles = distinct(a.Roles)
	if err := s.rolesExist(ctx, a.Roles); err != nil {
		return a, err
	}
	made, err := s.store.CreateAccount(ctx, a)
	if errors.Is(err, model.ErrConflict) {
		return a, s.taken(ctx, a)
	}
	if err != nil {
		return a, fmt.Errorf("create account: %w", err)
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: made.Key}) // it may be the first of its role
	return made, s.audit.Record(ctx, audit.Event{Kind: audit.AccountCreated, AccountKey: made.Key})
}

// taken says whether it is the name or the wished id that another account has;
// of both, the name.
func (s *Service) taken(ctx context.Context, a model.Account) error {
	if _, err := s.store.AccountByName(ctx, a.Username, a.NameFolded); a.ID == 0 || err == nil {
		return ErrNameTaken
	}
	if _, err := s.store.AccountByID(ctx, a.ID); err == nil {
		return ErrIDTaken
	}
	return ErrNameTaken // of several imported twins
}

// distinct is the list with each id where it first stands.
func distinct(ids model.IntList) model.IntList {
	list := make(model.IntList, 0, len(ids))
	seen := map[int64]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	return list
}

func (s *Service) rolesExist(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		if _, err := s.Role(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Edit changes an account for an admin. When it returns, nobody is let in by
// what it ended. It fails with ErrUnknown, ErrName, ErrEmail, ErrNameTaken,
// ErrNoRole, ErrReservedRole, ErrAdminRole or ErrLastAdmin.
func (s *Service) Edit(ctx context.Context, old model.Account, e model.AccountEdit) error {
	e.At = model.At(s.now())
	if err := editRoles(old, &e); err != nil {
		return err
	}
	if err := editName(old, &e); err != nil {
		return err
	}
	if err := editEmail(old, &e); err != nil {
		return err
	}
	if e.BasePath != nil {
		clean := cleanPath(*e.BasePath)
		e.BasePath = &clean
	}
	return s.edit(ctx, old, e)
}

// SetRoles gives an account other roles, whichever they are: it is for the
// operator. It fails with ErrUnknown, ErrNoRole or ErrLastAdmin.
func (s *Service) SetRoles(ctx context.Context, old model.Account, roles []int64) error {
	list := distinct(roles)
	return s.edit(ctx, old, model.AccountEdit{Roles: &list, At: model.At(s.now())})
}

func (s *Service) edit(ctx context.Context, old model.Account, e model.AccountEdit) error {
	err := s.store.EditAccount(ctx, old.Key, e)
	switch {
	case errors.Is(err, model.ErrLimit):
		return ErrLastAdmin
	case errors.Is(err, model.ErrConflict):
		return ErrNameTaken
	case errors.Is(err, model.ErrStale):
		return ErrNoRole
	case err != nil:
		return s.lookup(err, "account to edit")
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: old.Key})
	names := changed(old, e)
	if e.Email != nil {
		err = s.audit.Record(ctx, audit.Event{Kind: audit.EmailChanged, AccountKey: old.Key})
		if names == "" {
			return err // nothing else was changed
		}
	}
	return errors.Join(err, s.audit.Record(ctx, audit.Event{
		Kind: audit.AccountEdited, AccountKey: old.Key, Detail: []slog.Attr{slog.String("changed", names)},
	}))
}

// changed names what an edit changes, in the words of the dialect. Forms send
// everything back, changed or not.
func changed(old model.Account, e model.AccountEdit) string {
	var names []string
	for _, field := range []struct {
		name string
		is   bool
	}{
		{"username", e.Username != nil},
		{"password", e.PasswordHash != nil},
		{"role", e.Roles != nil},
		{"disabled", differs(e.Disabled, old.Disabled)},
		{"permission", differs(e.Permission, old.Permission)},
		{"base_path", differs(e.BasePath, old.BasePath)},
		{"sso_id", differs(e.SSOID, old.SSOID)},
		{"max_devices", e.MaxDevices != nil},
		{"session_ttl", e.SessionTTL != nil},
		{"email_verified", differs(e.EmailVerified, old.EmailVerified)},
	} {
		if field.is {
			names = append(names, field.name)
		}
	}
	return strings.Join(names, " ")
}

func differs[T comparable](wanted *T, held T) bool { return wanted != nil && *wanted != held }

// editName leaves a name alone that does not change: an imported one need not
// be as new ones must, and a twin keeps its exact spelling.
func editName(old model.Account, e *model.AccountEdit) error {
	if e.Username == nil || *e.Username == old.Username {
		e.Username = nil
		return nil
	}
	folded := Fold(*e.Username)
	e.NameFolded, e.NameKey = &folded, &folded
	return CheckName(*e.Username)
}

// editRoles holds the dialect's rules of who may be given which roles. Roles
// that do not change are not written, so that a form sent back whole gives
// nothing back that was taken away meanwhile.
func editRoles(old model.Account, e *model.AccountEdit) error {
	if e.Roles == nil || slices.Equal(old.Roles, *e.Roles) {
		e.Roles = nil
		return nil
	}
	roles := distinct(*e.Roles)
	e.Roles = &roles
	if old.Username == adminName {
		return ErrAdminRole
	}
	if HasReserved(roles) {
		return ErrReservedRole
	}
	return nil
}

// HasReserved reports whether the roles of guests or admins are among them.
func HasReserved(roles []int64) bool {
	return slices.Contains(roles, model.RoleGuest) || slices.Contains(roles, model.RoleAdmin)
}

// Remove deletes an account that is neither guest nor admin, and all that
// hangs on it. It fails with ErrUnknown or ErrReserved.
func (s *Service) Remove(ctx context.Context, old model.Account) error {
	if HasReserved(old.Roles) {
		return ErrReserved
	}
	return s.Delete(ctx, old.Key)
}

// Forget makes everything remembered of an account be read again. It fails
// with ErrUnknown.
func (s *Service) Forget(ctx context.Context, name string) error {
	a, err := s.ForSignIn(ctx, name)
	if err != nil {
		return err
	}
	s.hub.Publish(ctx, revocation.Notice{AccountKey: a.Key})
	return nil
}
