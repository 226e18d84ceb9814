package model

// EndReason says why a login is over.
type EndReason string

// Why logins end. An empty reason means that it has not ended.
const (
	EndEvicted   EndReason = "evicted"    // the device was thrown out, by its owner or an admin
	EndLogout    EndReason = "logout"     // the caller signed out
	EndReplaced  EndReason = "replaced"   // the device signed in again, or had one login too many
	EndLimit     EndReason = "limit"      // the account had one device too many
	EndPassword  EndReason = "password"   // the password changed
	EndTwoFactor EndReason = "two_factor" // the second factor changed
	EndEmail     EndReason = "email"      // the e-mail address changed
	EndDisabled  EndReason = "disabled"   // the account was disabled
	EndKey       EndReason = "key"        // the SSH key was deleted or its limits changed
	EndCleaned   EndReason = "cleaned"    // the device was idle for too long
	EndRevoked   EndReason = "revoked"    // its tokens were revoked, or what was given to the app was taken back
	EndReused    EndReason = "reused"     // a code or refresh token was used twice: somebody else may have it
)

// LoginKind says what stands for a login, and so what ends it by itself.
type LoginKind string

// The kinds of login. An operator's lifetime of logins is for those that are
// signed: the others have one of their own. What an app was given is not idle as
// people are: unused, it ends with its refresh token.
const (
	LoginSigned LoginKind = ""       // a session token names it, or a connection hangs on it
	LoginMinted LoginKind = "minted" // the same, of a token that the operator made; under any Client-Id
	LoginPair   LoginKind = "pair"   // a pair of tokens stands for it, as a session token would
	LoginApp    LoginKind = "app"    // an app's; it was given by the owner and proves nothing
)

// SignedKinds are the kinds of login that a session token names.
func SignedKinds() []LoginKind { return []LoginKind{LoginSigned, LoginMinted} }

// IsSigned reports whether a session token names logins of the kind.
func (k LoginKind) IsSigned() bool { return k == LoginSigned || k == LoginMinted }

// Login is one successful sign-in under a device; its token names it as sid.
type Login struct {
	Record `gorm:"-"`

	ID         string `gorm:"primaryKey"` // 32 hex digits, random
	AccountKey string
	DeviceKey  string
	Kind       LoginKind
	CreatedAt  Time `gorm:"autoCreateTime:false"` // or renewed, where no token names it
	FreshAt    Time // when its owner last proved who they are
	SeenAt     Time // last request, to within the touch interval
	ExpiresAt  Time
	EndedAt    Time      // zero while it is live
	EndReason  EndReason // empty while it is live
}

// TableName names the table.
func (Login) TableName() string { return "logins" }

// Live is what makes a login live at an instant: it has not ended, it expires
// later than At, it was made after CreatedAfter and used after SeenAfter.
type Live struct {
	At           Time
	CreatedAfter Time // of those that are signed; zero: its expiry alone says how old a login may get
	SeenAfter    Time // of all but LoginApp; zero: a login may stay unused for as long as it lives
}

// LoginOpening asks for a new login and for the room it needs. The whole of it
// happens, or nothing.
type LoginOpening struct {
	Login  Login
	Device Device // created, or brought up to date
	Live   Live

	Epoch       int64  // what the account's epoch was when its password was checked
	Replaces    string // a login of the same device that ends with this one; may be empty
	MaxDevices  int64  // live devices the account may have with this one; 0 means no limit. OAuth and SFTP devices count among their own kind only
	EvictOldest bool   // at the limit: end the idlest devices instead of refusing
	DeviceCap   int64  // live devices the account may have in any case; the idlest ends
	LoginCap    int    // live logins the device may have; the one unused for longest ends
	KeepEnded   int    // ended logins whose rows the account keeps; the oldest are forgotten
	KeepIdle    int    // devices without a live login whose rows the account keeps
}

// LoginProof says that the owner of a login proved who they are, at Live.At.
type LoginProof struct {
	AccountKey string
	LoginID    string
	Epoch      int64 // what the account's epoch was when its password was checked
	Live       Live  // what the login must be
}

// Touch says that a login was used. It never brings anything back to life.
type Touch struct {
	LoginID   string
	DeviceKey string
	At        Time
	UserAgent string
	IP        string // masked
	Keep      bool   // an empty UserAgent or IP leaves what is there
}

// Renewal says which logins go on because connections hang on them. It never
// brings anything back to life.
type Renewal struct {
	IDs       []string
	Live      Live // what they must be; At becomes their CreatedAt
	ExpiresAt Time
}

// Cleaning says what the background cleaner may take away.
type Cleaning struct {
	Now         Time
	DeviceIdle  int64 // seconds a device without a live login may stay unseen; accounts may override it; 0 or less keeps it
	ExpiredAt   Time  // logins that expired before this are forgotten
	AtMost      int   // rows of each kind in one go
	UnusedSince Time  // live logins not used since then end; zero ends none
}
