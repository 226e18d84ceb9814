package model

// RecoveryCode stands in once for a code of an account's second factor.
type RecoveryCode struct {
	Record `gorm:"-"`

	AccountKey string `gorm:"primaryKey"`
	Hash       string `gorm:"primaryKey"` // SHA-256 in hex; nobody can read the code from it
	CreatedAt  Time   // when the set it belongs to was made
	UsedAt     Time   // zero until it is used
}

// TableName names the table.
func (RecoveryCode) TableName() string { return "recovery_codes" }
