package model

// Place is where an account signed in from: a device key, or what stands for
// the address of a caller without a Client-Id.
type Place struct {
	Record `gorm:"-"`

	AccountKey string `gorm:"primaryKey"`
	Place      string `gorm:"primaryKey"` // 32 hex digits
	SeenAt     Time   // last sign-in, to within a day
}

// TableName names the table.
func (Place) TableName() string { return "places" }

// PlaceNote says that an account has just signed in.
type PlaceNote struct {
	Place

	DeviceKey string // whose row is marked if the place is news
	NewUntil  Time   // how long it stays marked
	Keep      int    // places that are kept of the account; those unused for longest are forgotten
}
