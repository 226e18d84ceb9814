package model

// AccountEdit is a change of an account, by itself or by an admin; nil leaves a
// value as it is. What it does not name, credentials above all, is not touched.
type AccountEdit struct {
	Username, NameFolded, NameKey *string
	PasswordHash                  *string // ends every login of the account but KeepLogin
	BasePath                      *string
	Roles                         *IntList
	Permission                    *int64
	Disabled                      *bool // true ends every login of the account
	SSOID                         *string
	MaxDevices                    **int64 // to nil: the setting counts
	SessionTTL                    **int64 // seconds; to nil: the setting counts
	Email                         *string // of the owner's making, it ends every login but ByLogin
	EmailVerified                 *bool
	ByLogin                       string // a login that must be live when the change is written; empty: whoever asks may
	KeepLogin                     string // a login that outlives a new password; empty: none does
	KeptFreshAt                   Time   // when KeepLogin's owner proved who they are; zero: as it was
	Epoch                         *int64 // what the account's epoch must still be when the change is written
	At                            Time
}

// Shows reports whether the change gives the account another name or address.
func (e AccountEdit) Shows(old Account) bool {
	return e.Username != nil && *e.Username != old.Username || e.Email != nil && *e.Email != old.Email
}

// RoleEdit is a change of a role; nil leaves a value as it is.
type RoleEdit struct {
	Name        *string
	Description *string
	Scopes      *ScopeList

	RequireTwoFactor *bool
}
