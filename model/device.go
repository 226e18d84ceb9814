package model

// DeviceKind says through which door a device signs in.
type DeviceKind string

// The kinds of device.
const (
	DeviceWeb   DeviceKind = "web"   // a Client-Id from a browser
	DeviceAPI   DeviceKind = "api"   // a program, or a caller without a Client-Id
	DeviceOAuth DeviceKind = "oauth" // an app that was granted access
	DeviceSFTP  DeviceKind = "sftp"  // an SSH key or password at the SFTP door
	DeviceCLI   DeviceKind = "cli"   // minted on the command line
)

// Device is (account, Client-Id). It has no status of its own: it is active
// while one of its logins is live.
type Device struct {
	Record `gorm:"-"`

	Key        string `gorm:"primaryKey"` // 32 hex digits: session_id and device_key on the wire
	AccountKey string
	Kind       DeviceKind
	UserAgent  string // at most 512 bytes of valid UTF-8
	IP         string // masked
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	SeenAt     Time   // last request, to within the touch interval
	NewUntil   Time   // until when lists call it new; zero if it never was
	SSHKeyID   *int64 `gorm:"column:ssh_key_id"` // the key behind a device of kind sftp; nil: none
}

// TableName names the table.
func (Device) TableName() string { return "devices" }

// DeviceView is a device as a list shows it.
type DeviceView struct {
	Device

	AccountID int64
	Username  string
	ExpiresAt Time // when the last of its live logins expires
	New       bool `gorm:"-"` // NewUntil is not over yet
}
