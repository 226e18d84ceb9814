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
}

// TableName names the table.
func (SSHKey) TableName() string { return "ssh_keys" }
