package model

// TOTP is an account's second factor and the secret it may be about to enrol.
type TOTP struct {
	Record `gorm:"-"`

	AccountKey string `gorm:"primaryKey"`
	Secret     string // sealed; empty while nothing is enrolled
	EnrolledAt Time   // zero while nothing is enrolled
	LastStep   int64  // the last accepted 30-second step; only later ones are taken
	Pending    string // sealed; the newest secret issued and not yet confirmed
	PendingAt  Time   // when Pending was issued
}

// TableName names the table.
func (TOTP) TableName() string { return "totp" }
