package model

// Account is a person or program that can sign in.
type Account struct {
	Record `gorm:"-"`

	ID           int64   `gorm:"primaryKey"` // the number on the wire; unique among living accounts
	Key          string  // 32 hex digits, random and immutable: what everything else hangs on
	Username     string  // as written; exact spelling is unique
	NameFolded   string  // NFKC and case folded, for the second try at sign-in
	NameKey      string  // what must be unique: the folded name, or the exact one of an imported twin
	PasswordHash string  // PHC string of Argon2id over the static hash; empty means no password sign-in
	PasswordAt   Time    // when the password was last changed; zero if it never was
	Epoch        int64   // raised by every change of what a sign-in checks, so that none under way can finish on the old terms
	BasePath     string  // cleaned absolute path
	Roles        IntList // role ids in order
	Permission   int64   // AList's bit mask
	Disabled     bool
	SSOID        string `gorm:"column:sso_id"`
	MaxDevices   *int64 // overrides the setting; nil means the setting counts
	SessionTTL   *int64 `gorm:"column:session_ttl"` // seconds; overrides the setting
	CreatedAt    Time   `gorm:"autoCreateTime:false"`
	ImportedAs   string // "ID:NAME" in the database it came from; empty if it was made here
	Email        string // as given, at most 254 bytes; empty: none. Not unique
	Passkeys     string // AList's JSON of WebAuthn credentials, kept as data; often empty
	ProfileAt    Time   // when name or address were last changed; zero if they never were

	EmailVerified      bool // somebody who reads mail sent there said so, or the operator
	MustChangePassword bool // the password lets nobody in until it is another one
}

// TableName names the table.
func (Account) TableName() string { return "accounts" }

// Profile is an account with all that decides what it may do.
type Profile struct {
	Account

	RoleRows  []Role // in the order of Roles; ids without a row are left out
	TwoFactor bool
}
