// Package audit owns the security events: their vocabulary, their recording and
// their reading. It must never be given a credential.
package audit

import "log/slog"

// Kind says what happened.
type Kind string

// The kinds of event.
const (
	SignedIn         Kind = "signed_in"
	SignInRefused    Kind = "sign_in_refused"
	SignInThrottled  Kind = "sign_in_throttled"
	SignedOut        Kind = "signed_out"
	Reauthenticated  Kind = "reauthenticated"
	DeviceAdded      Kind = "device_added" // the account signed in on a device that it did not use before, or not for long
	DeviceEvicted    Kind = "device_evicted"
	DevicesEvicted   Kind = "devices_evicted" // all but the caller's
	DevicesCleaned   Kind = "devices_cleaned"
	ProfileChanged   Kind = "profile_changed"
	PasswordChanged  Kind = "password_changed"
	EmailChanged     Kind = "email_changed"
	EmailVerified    Kind = "email_verified"
	SignInDisowned   Kind = "sign_in_disowned" // the owner says that a sign-in was not theirs
	AccountCreated   Kind = "account_created"
	AccountDisabled  Kind = "account_disabled"
	AccountEnabled   Kind = "account_enabled"
	AccountDeleted   Kind = "account_deleted"
	AccountEdited    Kind = "account_edited"
	AccountsImported Kind = "accounts_imported"
	RoleChanged      Kind = "role_changed"
	SettingsChanged  Kind = "settings_changed"
	TwoFactorEnabled Kind = "two_factor_enabled"
	TwoFactorRemoved Kind = "two_factor_removed"
	RecoveryRenewed  Kind = "recovery_codes_renewed"
	RecoveryUsed     Kind = "recovery_code_used"
	SSHKeyAdded      Kind = "ssh_key_added"
	SSHKeyChanged    Kind = "ssh_key_changed"
	SSHKeyLifted     Kind = "ssh_key_lifted" // a suspended key may sign in again
	SSHKeyDeleted    Kind = "ssh_key_deleted"
	APIKeyRefused    Kind = "api_key_refused" // a key that there never was
	APIKeyCreated    Kind = "api_key_created"
	APIKeyChanged    Kind = "api_key_changed"
	APIKeyRotated    Kind = "api_key_rotated"
	APIKeyDeleted    Kind = "api_key_deleted"
	APIKeyRevoked    Kind = "api_key_revoked"  // its text leaked, its device was evicted, or nobody used it
	APIKeyExpiring   Kind = "api_key_expiring" // it expires within days
	APIKeyUnused     Kind = "api_key_unused"   // nobody used it for long
	ThrottleLifted   Kind = "throttle_lifted"
	AppAuthorized    Kind = "oauth_app_authorized" // an app fetched its tokens
	AppRefused       Kind = "oauth_app_refused"
	AppWithdrawn     Kind = "oauth_app_withdrawn" // what an app was given was taken back
	TokenRevoked     Kind = "oauth_token_revoked"
	CodeReused       Kind = "oauth_code_reused" // and what it had been exchanged for was ended
	RefreshReused    Kind = "refresh_reused"    // and its family was ended
	TokenMinted      Kind = "token_minted"      // on the command line
	KeyRotated       Kind = "key_rotated"
	KeyRemoved       Kind = "key_removed"
	MasterKeyChanged Kind = "master_key_changed"
	Founded          Kind = "founded"
	AppRegistered    Kind = "oauth_app_registered"
	AppChanged       Kind = "oauth_app_changed"
	AppSecretRotated Kind = "oauth_app_secret_rotated"
	AppDeleted       Kind = "oauth_app_deleted"
	ScopeDeclared    Kind = "oauth_scope_declared"
	ScopeWithdrawn   Kind = "oauth_scope_withdrawn"
	Commanded        Kind = "changed_by_command" // somebody at the machine changed what the fields name; empty fields: everything. Logged and not stored: the command stores what it did
)

// Event is something that happened. Who did it, from which device and address,
// is the caller in the context that it is recorded with.
type Event struct {
	Kind       Kind
	AccountKey string      // whom it happened to; empty: the caller, or nobody known
	AccountID  int64       // the same by id; 0: the store looks for it
	Username   string      // the same by name; empty: the store looks for it. To be given where the account is gone by now
	DeviceKey  string      // the device it happened to or came from; empty: none, or the caller's
	Address    string      // where it came from, in full; empty: the caller's address
	Reason     string      // the fault's code, of a refusal
	Detail     []slog.Attr // what else there is to say, by id; never a credential
}
