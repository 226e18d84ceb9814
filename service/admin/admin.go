// Package admin is the flow of what admins do to other people's accounts, to
// roles and to settings, and of people registering themselves. It owns what
// these have to do with each other, such as the default role.
package admin

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/client"
	"latchkey/service/fault"
	"latchkey/service/password"
	"latchkey/service/secret"
	"latchkey/service/setting"
	"latchkey/service/throttle"
	"latchkey/service/totp"
)

// What is refused.
var (
	// ErrReserved says that guests and admins are not made this way.
	ErrReserved = fault.New(fault.Invalid, "create_reserved", "admin or guest user can not be created")
	// ErrRegistration says that nobody may register themselves.
	ErrRegistration = fault.New(fault.Forbidden, "registration_disabled", "registration is disabled")
	// ErrDefaultReserved says that new people are neither guests nor admins.
	ErrDefaultReserved = fault.New(fault.Invalid, "default_reserved", "cannot set admin or guest as default role")
	// ErrDefaultUnknown says that the default role must be one.
	ErrDefaultUnknown = fault.New(fault.Invalid, "default_unknown", "failed get role: record not found")
	// ErrDefaultHeld says that new people are given the role.
	ErrDefaultHeld = fault.New(fault.Invalid, "default_held", "cannot delete the default role")
	// ErrToken says that a static token would be too easy to guess.
	ErrToken = fault.New(fault.Invalid, "token_weak", "token must be 16 to 1024 printable characters without blanks")
)

// Deps are the services the flow runs through.
type Deps struct {
	Accounts *account.Service
	Settings *setting.Service
	Hasher   *password.Hasher
	Policy   password.Policy
	Factors  *totp.Service
	Throttle *throttle.Service
	Apps     *client.Service
	Audit    *audit.Recorder
	Now      func() time.Time
	EmailSet func(ctx context.Context, accountKey, old string) // tells the owners of both addresses; must not wait for anybody
}

// Service does what admins ask for. It is safe for concurrent use.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{Deps: d} }

// CreateAccount adds an account; plain may be empty, then it has no password
// to sign in with. Without roles it has the default one, and its base path is
// the first path of its first role that has any. Delegated callers bind it to no
// other service: access.ErrFirstParty. It fails with ErrReserved, password.ErrWeak, password.ErrUnchecked and as account.Service.Add does.
func (s *Service) CreateAccount(ctx context.Context, a model.Account, plain string) (model.Account, error) {
	if a.SSOID != "" {
		if err := access.From(ctx).CheckOwner(); err != nil {
			return a, err
		}
	}
	if len(a.Roles) == 0 {
		a.Roles = model.IntList{s.DefaultRole()}
	}
	if account.HasReserved(a.Roles) {
		return a, ErrReserved
	}
	return s.CreateAny(ctx, a, plain)
}

// CreateAny is CreateAccount with any roles: it is for the operator. It fails
// with password.ErrWeak, password.ErrUnchecked and as account.Service.Add does.
func (s *Service) CreateAny(ctx context.Context, a model.Account, plain string) (model.Account, error) {
	base, err := s.basePath(ctx, a.Roles, a.BasePath)
	if err != nil {
		return a, err
	}
	a.BasePath = base
	if plain != "" {
		if a.PasswordHash, err = s.hash(ctx, plain, a.Username, a.Email); err != nil {
			return a, err
		}
	}
	made, err := s.Accounts.Add(ctx, a)
	if err == nil && made.Email != "" {
		s.EmailSet(ctx, made.Key, "")
	}
	return made, err
}

func (s *Service) basePath(ctx context.Context, roles []int64, otherwise string) (string, error) {
	for _, id := range roles {
		role, err := s.Accounts.Role(ctx, id)
		if err != nil {
			return "", err
		}
		if len(role.Scopes) > 0 {
			return role.Scopes[0].Path, nil
		}
	}
	return otherwise, nil
}

// hash is the stored form of a password that somebody of these names may have.
func (s *Service) hash(ctx context.Context, plain string, names ...string) (string, error) {
	if err := s.Policy.CheckNew(plain, names...); err != nil {
		return "", err
	}
	return s.Hasher.Hash(ctx, password.Static(plain))
}

// Register adds an account with the default role for somebody unknown. Every
// try counts against the address it comes from. It fails with ErrRegistration,
// throttle.ErrThrottled, password.ErrWeak, password.ErrUnchecked,
// account.ErrName or account.ErrNameTaken.
func (s *Service) Register(ctx context.Context, name, plain, address string) error {
	if !s.RegistrationOpen() {
		return ErrRegistration
	}
	if err := account.CheckName(name); err != nil {
		return err
	}
	if err := s.Policy.CheckNew(plain, name); err != nil {
		return err
	}
	attempt, err := s.Throttle.Begin(ctx, throttle.Attempt{Name: account.Fold(name), Address: address})
	if err != nil {
		return err
	}
	defer attempt.Fail() // an account that was made costs its address one try too
	_, err = s.CreateAccount(ctx, model.Account{Username: name}, plain)
	return err
}

// RegistrationOpen reports whether people may register themselves.
func (s *Service) RegistrationOpen() bool { return s.Settings.True(setting.KeyAllowRegister) }

// EditAccount changes the account with the id. An empty password stays. It
// fails with access.ErrNotFresh, access.ErrFirstParty, password.ErrWeak, password.ErrUnchecked and as
// account.Service.Edit does.
func (s *Service) EditAccount(ctx context.Context, id int64, e model.AccountEdit, plain string) error {
	old, err := s.Accounts.ByID(ctx, id)
	if err != nil {
		return err
	}
	if err := mayEdit(access.From(ctx), old, e, plain); err != nil {
		return err
	}
	if plain != "" || changesEmail(old, e) {
		if err := s.mayChange(access.From(ctx), old.Key); err != nil {
			return err
		}
	}
	if plain != "" {
		hash, err := s.hash(ctx, plain, namesOf(old, e)...)
		if err != nil {
			return err
		}
		e.PasswordHash = &hash
	}
	err = s.Accounts.Edit(ctx, old, e)
	if e.Email != nil { // EmailSet looks: what was made and could not be recorded is told all the same
		s.EmailSet(ctx, old.Key, old.Email)
	}
	return err
}

func changesEmail(old model.Account, e model.AccountEdit) bool {
	return e.Email != nil && *e.Email != old.Email || e.EmailVerified != nil && *e.EmailVerified != old.EmailVerified
}

// mayChange asks for a fresh login where admins change what signs themselves
// in, or how often that is tried: a stolen token is not enough for that here either (T-08, rulings 20).
func (s *Service) mayChange(by access.Caller, accountKey string) error {
	if by.Kind != access.SessionToken || by.Account.Key != accountKey {
		return nil
	}
	return by.CheckFresh(s.Now())
}

// namesOf is how an account was called and how it will be.
func namesOf(old model.Account, e model.AccountEdit) []string {
	names := []string{old.Username, old.Email}
	for _, name := range []*string{e.Username, e.Email} {
		if name != nil {
			names = append(names, *name)
		}
	}
	return names
}

// DeleteAccount deletes the account with the id and all that hangs on it. It
// fails with account.ErrUnknown or account.ErrReserved.
func (s *Service) DeleteAccount(ctx context.Context, id int64) error {
	old, err := s.Accounts.ByID(ctx, id)
	if err != nil {
		return err
	}
	return s.Accounts.Remove(ctx, old)
}

// CancelTwoFactor takes the second factor and the recovery codes off the account
// with the id and ends its logins, but for the admin's own. It fails with
// account.ErrUnknown, access.ErrNotFresh, access.ErrFirstParty, or totp.ErrEnded if the admin's own
// login is over.
func (s *Service) CancelTwoFactor(ctx context.Context, by access.Caller, id int64) error {
	old, err := s.Accounts.ByID(ctx, id)
	if err != nil {
		return err
	}
	if err := by.CheckOwner(); err != nil {
		return err
	}
	if err := s.mayChange(by, old.Key); err != nil {
		return err
	}
	return s.Factors.Remove(ctx, old.Key, by.LoginID)
}

// DefaultRole is the role of new accounts.
func (s *Service) DefaultRole() int64 {
	id, err := strconv.ParseInt(s.Settings.Get(setting.KeyDefaultRole), 10, 64)
	if err != nil || id < 1 {
		return account.RoleGeneral
	}
	return id
}

// CreateRole adds a role and, if asked to, makes it the default one. It fails
// as account.Service.AddRole does; making it the default takes the scope for
// settings, too.
func (s *Service) CreateRole(ctx context.Context, r model.Role, makeDefault bool) error {
	if makeDefault {
		if err := access.From(ctx).CheckScope(access.AdminSettingUpdate); err != nil {
			return err
		}
	}
	made, err := s.Accounts.AddRole(ctx, r)
	if err != nil || !makeDefault {
		return err
	}
	return s.setDefaultRole(ctx, made.ID)
}

// EditRole changes a role and, if asked to, makes it the default one. It fails
// as account.Service.EditRole does, or with ErrDefaultReserved, access.ErrFirstParty
// or access.ErrScope.
func (s *Service) EditRole(ctx context.Context, id int64, e model.RoleEdit, makeDefault bool) error {
	if makeDefault && id == model.RoleGuest {
		return ErrDefaultReserved
	}
	if err := s.mayEditRole(ctx, id, e, makeDefault); err != nil {
		return err
	}
	if err := s.Accounts.EditRole(ctx, id, e); err != nil || !makeDefault {
		return err
	}
	return s.setDefaultRole(ctx, id)
}

// DeleteRole deletes a role that nobody holds or will be given. It fails as
// account.Service.DeleteRole does, or with ErrDefaultHeld.
func (s *Service) DeleteRole(ctx context.Context, id int64) error {
	if id == s.DefaultRole() {
		return ErrDefaultHeld
	}
	return s.Accounts.DeleteRole(ctx, id)
}

func (s *Service) setDefaultRole(ctx context.Context, id int64) error {
	return s.saveSettings(ctx, map[string]string{setting.KeyDefaultRole: strconv.FormatInt(id, 10)})
}

// SaveSettings stores all of the values, or none. The default role is named.
// It fails with ErrDefaultReserved, ErrDefaultUnknown, ErrToken,
// access.ErrFirstParty and as setting.Service.Save does.
func (s *Service) SaveSettings(ctx context.Context, values map[string]string) error {
	if err := s.maySave(access.From(ctx), values); err != nil {
		return err
	}
	if name, ok := values[setting.KeyDefaultRole]; ok {
		id, err := s.RoleNamed(ctx, name)
		if err != nil {
			return err
		}
		if account.HasReserved([]int64{id}) {
			return ErrDefaultReserved
		}
		values[setting.KeyDefaultRole] = strconv.FormatInt(id, 10)
	}
	if token, ok := values[setting.KeyToken]; ok && !goodToken(token) {
		return ErrToken
	}
	return s.saveSettings(ctx, values)
}

// saveSettings records the names of what changed, and no value.
func (s *Service) saveSettings(ctx context.Context, values map[string]string) error {
	if err := s.Settings.Save(ctx, values); err != nil {
		return err
	}
	return s.Audit.Record(ctx, audit.Event{Kind: audit.SettingsChanged, Detail: []slog.Attr{
		slog.String("settings", strings.Join(slices.Sorted(maps.Keys(values)), " ")),
	}})
}

// RoleNamed is the id of the role of that name, else that with the id as text.
// It fails with ErrDefaultUnknown.
func (s *Service) RoleNamed(ctx context.Context, name string) (int64, error) {
	roles, err := s.roles(ctx)
	if err != nil {
		return 0, err
	}
	byID := int64(0)
	for _, r := range roles {
		if r.Name == name {
			return r.ID, nil
		}
		if strconv.FormatInt(r.ID, 10) == name {
			byID = r.ID
		}
	}
	if byID == 0 {
		return 0, ErrDefaultUnknown
	}
	return byID, nil
}

func (s *Service) roles(ctx context.Context) ([]model.Role, error) {
	roles, _, err := s.Accounts.Roles(ctx, 1, 0)
	return roles, err
}

// NewToken replaces the static token by a random one, or by the given one if
// it is not empty, and returns it. The old one is refused at once. It fails
// with ErrToken.
func (s *Service) NewToken(ctx context.Context, token string) (string, error) {
	if token == "" {
		token = secret.StaticToken()
	}
	return token, s.SaveSettings(ctx, map[string]string{setting.KeyToken: token})
}

// goodToken reports whether a chosen token can be sent as a header and is not
// guessed in passing.
func goodToken(token string) bool {
	if len(token) < 16 || len(token) > 1024 {
		return false
	}
	for _, b := range []byte(token) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

// SettingsOf lists the settings of the groups, or all of them without any. The
// default role is shown by its name, among the names it could have. Delegated
// callers see no secret ones.
func (s *Service) SettingsOf(ctx context.Context, groups []int) ([]setting.View, error) {
	views := seen(access.From(ctx), s.Settings.List(groups))
	for i := range views {
		if views[i].Key != setting.KeyDefaultRole {
			continue
		}
		roles, err := s.roles(ctx)
		if err != nil {
			return nil, err
		}
		views[i].Kind, views[i].Value = setting.Choice, ""
		for _, r := range roles {
			if account.HasReserved([]int64{r.ID}) {
				continue
			}
			views[i].Options = append(views[i].Options, r.Name)
			if r.ID == s.DefaultRole() {
				views[i].Value = r.Name
			}
		}
	}
	return views, nil
}
