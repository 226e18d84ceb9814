package model

// SSHKey is a public key that may sign in at the SFTP door.
type SSHKey struct {
	Record `gorm:"-"`

	ID          int64 `gorm:"primaryKey"`
	AccountKey  string
	Title       string
	Fingerprint string // OpenSSH form: SHA256:…
	PublicKey   string // "type base64", without options and comment
	Comment     string
	AddedAt     Time
	LastUsedAt  Time // zero until it first proved itself

	ExpiresAt   Time   // it signs in before that; zero: for ever
	AllowedIPs  string `gorm:"column:allowed_ips"` // canonical CIDRs it may come from, separated by commas; empty: any
	ReadOnly    bool   // it may not change files, whatever its account may
	Path        string // absolute path below the account's base path that it is confined to; empty: no further
	VerifiedAt  Time   // when it first proved itself; zero: never
	SuspendedAt Time   // its device was evicted then, and nobody lifted that; zero: it may sign in
}

// TableName names the table.
func (SSHKey) TableName() string { return "ssh_keys" }

// Edited is the key with what an edit may change, its title and its limits, as
// by has them.
func (k SSHKey) Edited(by SSHKey) SSHKey {
	k.Title, k.ExpiresAt, k.AllowedIPs, k.ReadOnly, k.Path = by.Title, by.ExpiresAt, by.AllowedIPs, by.ReadOnly, by.Path
	return k
}

// RevokedSSHKey is a key that was deleted. Its account may be gone too.
type RevokedSSHKey struct {
	Record `gorm:"-"`

	ID          int64 `gorm:"primaryKey"` // later ones were deleted later
	AccountKey  string
	Fingerprint string // OpenSSH form: SHA256:…
}

// TableName names the table.
func (RevokedSSHKey) TableName() string { return "revoked_ssh_keys" }
