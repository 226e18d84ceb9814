package alistdb

import (
	"slices"
	"time"
)

// Dump is everything that was asked for, each table by ascending id.
type Dump struct {
	Users    []User
	Roles    []Role
	Keys     []SSHKey
	Settings []Setting
	Sessions []Session
	Missing  []string // tables ("x_roles") and columns ("x_users.salt") that older versions do not have
}

// Lacks reports whether a table, or a column as "table.column", was missing.
// Names are without the prefix.
func (d Dump) Lacks(name string) bool {
	return slices.Contains(d.Missing, name)
}

// User is a row of users. PwdHash, Password and OTPSecret are secrets.
type User struct {
	ID         int64
	Username   string
	PwdHash    string // hex(SHA256(static + "-" + Salt)), since 3.25
	Salt       string
	Password   string // plain, before 3.25; random for accounts made by SSO or LDAP
	BasePath   string
	Role       Text // a JSON list since 3.46, a bare number before
	Disabled   bool
	Permission int64
	OTPSecret  string // base32
	SSOID      string
	Authn      string // JSON list of WebAuthn credentials
	MaxDevices *int64 // of AList's branch with limits per user
	SessionTTL *int64 // seconds; of the same branch
	Odd        []string
}

// Text is a column that may be NULL.
type Text struct {
	Text  string
	Valid bool
}

// Role is a row of roles.
type Role struct {
	ID          int64
	Name        string
	Description string
	Default     bool
	Scopes      string // JSON list of {"path","permission"}
	Odd         []string
}

// SSHKey is a row of ssh_public_keys.
type SSHKey struct {
	ID         int64
	UserID     int64
	Title      string
	Text       string
	AddedAt    time.Time
	LastUsedAt time.Time
	Odd        []string
}

// Setting is a row of setting_items.
type Setting struct {
	Key   string
	Value string
	Odd   []string
}

// Session is a row of sessions.
type Session struct {
	UserID     int64
	DeviceKey  string
	UserAgent  string
	IP         string // masked
	LastActive int64  // seconds since the Unix epoch
	Odd        []string
}
