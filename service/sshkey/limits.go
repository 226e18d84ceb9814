package sshkey

import (
	"path"
	"slices"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/address"
	"latchkey/service/fault"
	"latchkey/service/label"
)

const (
	maxPath = 1024                       // bytes of a path
	maxLife = 100 * 365 * 24 * time.Hour // how far ahead a key may expire
)

// What can be wrong with the limits of a key.
var (
	// ErrExpiry says that a key would be expired already, or expire too late.
	ErrExpiry = fault.New(fault.Invalid, "ssh_key_expiry", "expires_at must be in the future, and within 100 years")
	// ErrAddresses says that an address or network cannot be read, or that
	// there are too many.
	ErrAddresses = fault.New(fault.Invalid, "ssh_key_allowed_ips", "allowed_ips must be at most 32 addresses or networks, such as 192.0.2.7 or 2001:db8::/32")
	// ErrPath says that a key cannot be confined to the path.
	ErrPath = fault.New(fault.Invalid, "ssh_key_path", "path must be absolute and without .. , at most 1024 printable bytes")
)

// Limits say what a key may be used for. The zero value limits nothing.
type Limits struct {
	ExpiresAt  time.Time // it signs in before that; zero: for ever
	AllowedIPs []string  // addresses and networks it may come from; empty: any
	ReadOnly   bool      // it may not change files
	Path       string    // absolute path below the account's base path that it is confined to; empty: no further
}

// LimitsOf are the limits of a stored key.
func LimitsOf(key model.SSHKey) Limits {
	return Limits{
		ExpiresAt: key.ExpiresAt.Time, AllowedIPs: address.Split(key.AllowedIPs), ReadOnly: key.ReadOnly, Path: key.Path,
	}
}

// apply checks the limits and writes them into a key. now is not looked at
// while the expiry stays what it was.
func (l Limits) apply(key *model.SSHKey, now time.Time) error {
	expires := model.Time{}
	if !l.ExpiresAt.IsZero() {
		expires = model.At(l.ExpiresAt)
	}
	if !expires.Equal(key.ExpiresAt.Time) && !expires.IsZero() &&
		(!expires.After(now) || expires.After(now.Add(maxLife))) {
		return ErrExpiry
	}
	allowed, err := address.Canonical(l.AllowedIPs)
	if err != nil {
		return ErrAddresses
	}
	if !confines(l.Path) {
		return ErrPath
	}
	key.ExpiresAt, key.AllowedIPs, key.ReadOnly = expires, allowed, l.ReadOnly
	if key.Path = l.Path; key.Path != "" {
		key.Path = path.Clean(key.Path)
	}
	return nil
}

// confines reports whether a key may be confined to the path.
func confines(p string) bool {
	if p == "" {
		return true
	}
	return path.IsAbs(p) && len(p) <= maxPath && label.IsPrintable(p) && !strings.Contains(p, `\`) &&
		!slices.Contains(strings.Split(p, "/"), "..")
}
