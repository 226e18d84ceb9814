package model

// LinkPurpose says what a one-time link is for.
type LinkPurpose string

// What one-time links are for.
const (
	LinkConfirmEmail LinkPurpose = "confirm_email"
	LinkDisown       LinkPurpose = "disown_sign_in" // "this was not me"
	LinkSetPassword  LinkPurpose = "set_password"
)

// Link is a one-time link that somebody was sent.
type Link struct {
	Record `gorm:"-"`

	Hash       string `gorm:"primaryKey"` // SHA-256 of the token in hex; the token itself is nowhere
	Purpose    LinkPurpose
	AccountKey string
	DeviceKey  string // LinkDisown only: whose logins end
	UserAgent  string // LinkDisown only: the device's, to be shown
	IP         string // LinkDisown only: masked
	Email      string // LinkConfirmEmail: the address that is confirmed; else the one it was mailed to, empty if to none
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	ExpiresAt  Time
	UsedAt     Time // zero until it has done what it is for
}

// TableName names the table.
func (Link) TableName() string { return "links" }

// LinkLimit bounds the links of one purpose that an account is sent.
type LinkLimit struct {
	AtMost int
	Since  Time // links made after this count
}
