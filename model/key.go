package model

// KeyPurpose says what a key is for; a key serves one purpose only.
type KeyPurpose string

// The purposes of keys.
const (
	KeyToken   KeyPurpose = "token"   // signs session tokens
	KeyDevice  KeyPurpose = "device"  // makes device keys; never rotated
	KeySeal    KeyPurpose = "seal"    // seals secrets in rows
	KeyIDToken KeyPurpose = "idtoken" // an RSA key that signs id_tokens, as PKCS #8
)

// Key is a secret of the server, sealed under the master key.
type Key struct {
	Record `gorm:"-"`

	ID        string     `gorm:"primaryKey"` // kid: 8 lower-case hex digits
	Purpose   KeyPurpose // what it is for
	Sealed    string     // the secret under the master key
	CreatedAt Time       `gorm:"autoCreateTime:false"`
}

// TableName names the table.
func (Key) TableName() string { return "keys" }
