// Package audit owns the security events: their vocabulary and their
// recording. It must never be given a credential.
package audit

import (
	"context"
	"log/slog"
	"strings"
	"unicode"

	"latchkey/service/access"
)

// Kind says what happened.
type Kind string

// The kinds of event.
const (
	SignedIn         Kind = "signed_in"
	SignInRefused    Kind = "sign_in_refused"
	SignInThrottled  Kind = "sign_in_throttled"
	SignedOut        Kind = "signed_out"
	Reauthenticated  Kind = "reauthenticated"
	DeviceAdded      Kind = "device_added" // the account signed in on a device it never used before
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
	ThrottleLifted   Kind = "throttle_lifted"
	KeyRotated       Kind = "key_rotated"
	KeyRemoved       Kind = "key_removed"
	Founded          Kind = "founded"
	Commanded        Kind = "changed_by_command" // somebody at the machine changed what the fields name; empty fields: everything
)

// Event is something that happened. Who did it, from which device and address,
// is the caller in the context that it is recorded with.
type Event struct {
	Kind       Kind
	AccountKey string      // whom it happened to; empty: the caller, or nobody known
	DeviceKey  string      // the device it happened to or came from; empty: none, or the caller's
	Address    string      // where it came from, in full; empty: the caller's address
	Reason     string      // the fault's code, of a refusal
	Detail     []slog.Attr // what else there is to say, by id; never a credential
}

// Recorder writes events to the log. It is safe for concurrent use.
type Recorder struct{ log *slog.Logger }

// New makes a recorder.
func New(log *slog.Logger) *Recorder { return &Recorder{log: log} }

// Record notes an event that must not be lost: when it returns nil, the event
// is stored.
func (r *Recorder) Record(ctx context.Context, e Event) error {
	r.write(ctx, e)
	return nil
}

// Note notes an event that may be stored a little later, such as a sign-in.
func (r *Recorder) Note(ctx context.Context, e Event) { r.write(ctx, e) }

func (r *Recorder) write(ctx context.Context, e Event) {
	by := access.From(ctx)
	all := make([]slog.Attr, 0, len(e.Detail)+8)
	all = append(all, slog.String("event", string(e.Kind)))
	if by.Account != nil {
		all = append(all, slog.Int64("account_id", by.Account.ID))
	}
	if by.DeviceKey != "" {
		all = append(all, slog.String("caller_device", by.DeviceKey))
	}
	if e.Address == "" {
		e.Address = by.Address
	}
	for _, named := range [][2]string{
		{"peer", e.Address}, {"account_key", e.AccountKey}, {"device", e.DeviceKey}, {"reason", e.Reason},
	} {
		if named[1] != "" {
			all = append(all, slog.String(named[0], named[1]))
		}
	}
	all = append(all, e.Detail...)
	for i, a := range all {
		all[i] = printable(a)
	}
	r.log.LogAttrs(ctx, slog.LevelInfo, "audit", all...)
}

// printable is the attribute without what a terminal obeys or does not show.
// JSON would keep C1 controls and marks that turn the text round.
func printable(a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindString {
		return a
	}
	return slog.String(a.Key, strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, a.Value.String()))
}
