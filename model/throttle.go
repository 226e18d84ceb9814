package model

// ThrottleKind says what a Throttle counts.
type ThrottleKind string

// The kinds of Throttle.
const (
	ThrottleAddress     ThrottleKind = "address"      // failures from one address
	ThrottleAccount     ThrottleKind = "account"      // failures on one account from unknown sources
	ThrottleSource      ThrottleKind = "source"       // failures on one account from one known source
	ThrottleCodes       ThrottleKind = "codes"        // wrong codes of one account
	ThrottleSourceCodes ThrottleKind = "source_codes" // wrong codes of one account from one address
	ThrottleAPIKeys     ThrottleKind = "api_keys"     // wrong API keys from one address
	ThrottleKnown       ThrottleKind = "known"        // no count: an address from which an account signed in
)

// ThrottleID names one counter by hashes under a key of the server.
type ThrottleID struct {
	Kind  ThrottleKind `gorm:"primaryKey"`
	Who   int64        `gorm:"primaryKey;autoIncrement:false"` // an account, a name that nobody has, or an address
	Place int64        `gorm:"primaryKey;autoIncrement:false"` // where from; 0 where that does not matter
}

// Throttle is how far a counter of failed sign-ins has filled up.
type Throttle struct {
	Record `gorm:"-"`
	ThrottleID

	Until      Time   // when it is empty again, or when the address is not known any more
	AccountKey string // the account; empty for a name that nobody has, and for an address
	Address    string // the address, IPv6 as its /64; empty for all but ThrottleAddress and ThrottleAPIKeys
}

// TableName names the table.
func (Throttle) TableName() string { return "throttle" }

// ThrottleQuery asks for counters of one kind.
type ThrottleQuery struct {
	Kind     ThrottleKind
	After    Time // those that are empty later than this
	Labelled bool // only those of an account or address that can be named
	Limit    int  // at most so many, those that are empty last
}

// ThrottleLift names a counter's subject: everything of the kinds is deleted.
type ThrottleLift struct {
	Who   int64
	Kinds []ThrottleKind
}
