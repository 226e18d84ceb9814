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

// The events.
const (
	SignedIn         = "signed_in"
	SignInRefused    = "sign_in_refused"
	SignInThrottled  = "sign_in_throttled"
	SignedOut        = "signed_out"
	DeviceEvicted    = "device_evicted"
	DevicesCleaned   = "devices_cleaned"
	ProfileChanged   = "profile_changed"
	PasswordChanged  = "password_changed"
	AccountCreated   = "account_created"
	AccountDisabled  = "account_disabled"
	AccountEnabled   = "account_enabled"
	AccountDeleted   = "account_deleted"
	AccountEdited    = "account_edited"
	RoleChanged      = "role_changed"
	SettingsChanged  = "settings_changed"
	TwoFactorEnabled = "two_factor_enabled"
	TwoFactorRemoved = "two_factor_removed"
	SSHKeyAdded      = "ssh_key_added"
	SSHKeyDeleted    = "ssh_key_deleted"
	KeyRotated       = "key_rotated"
	KeyRemoved       = "key_removed"
	Founded          = "founded"
	Commanded        = "changed_by_command" // somebody at the machine changed what the fields name; empty fields: everything
)

// Recorder writes events to the log. It is safe for concurrent use.
type Recorder struct{ log *slog.Logger }

// New makes a recorder.
func New(log *slog.Logger) *Recorder { return &Recorder{log: log} }

// Record notes an event of the caller in ctx. Attributes name things by id and
// never hold a credential.
func (r *Recorder) Record(ctx context.Context, event string, attrs ...slog.Attr) {
	by := access.From(ctx)
	all := make([]slog.Attr, 0, len(attrs)+5)
	all = append(all, slog.String("event", event))
	if by.Account != nil {
		all = append(all, slog.Int64("account_id", by.Account.ID))
	}
	if by.Address != "" {
		all = append(all, slog.String("peer", by.Address))
	}
	if by.DeviceKey != "" {
		all = append(all, slog.String("caller_device", by.DeviceKey))
	}
	all = append(all, attrs...)
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
