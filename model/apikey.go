package model

// RevokeReason says why an API key lets nobody in any more.
type RevokeReason string

// Why API keys are revoked.
const (
	RevokedLeaked RevokeReason = "leaked" // somebody found its text
	RevokedDevice RevokeReason = "device" // the device it was made on was evicted, and its keys with it
	RevokedUnused RevokeReason = "unused" // nobody used it for long, and the operator wants such keys off
)

// APIKey is a named key of an account. The row stays when the key is revoked,
// so that its owner sees why, until they delete it.
type APIKey struct {
	Record `gorm:"-"`

	ID         int64 `gorm:"primaryKey"`
	AccountKey string
	Name       string // 1 to 64 characters; unique among the account's keys that are not revoked
	Hash       string // SHA-256 of the text, 64 lower-case hex digits
	Prefix     string // the first 8 characters of the text, for people to recognise it by
	Scopes     string // sorted, with a blank between
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
	ExpiresAt  Time   // it works before that; zero: for ever

	AllowQuery      bool   // it may be sent in the URL
	AllowedIPs      string `gorm:"column:allowed_ips"` // canonical CIDRs it may come from, separated by commas; empty: any
	CreatedOnDevice string // device key; empty: none

	LastUsedAt Time   // to within a minute; zero: never
	LastUsedIP string `gorm:"column:last_used_ip"` // masked
	LastUsedUA string `gorm:"column:last_used_ua"` // at most 512 bytes of valid UTF-8

	RevokedAt  Time         // zero: it is not
	RevokedWhy RevokeReason // empty: it is not

	OldHash  string // of the text before the last rotation, as Hash; empty: none
	OldUntil Time   // that text works before that

	LearnUntil    Time   // what its requests need is noted before that; zero: never
	LearntNeeded  string // scopes its requests needed, as Scopes
	LearntRefused string // those of them that were refused

	WarnedDays   int64 // the warning before its expiry that went out last: 7, 1; 0: none
	UnusedToldAt Time  // when it was last reported as unused
}

// TableName names the table.
func (APIKey) TableName() string { return "api_keys" }

// Edited is the key with what an edit may change as by has it: name, scopes,
// expiry, how and from where it may be sent, and with the expiry the warnings
// that count as sent.
func (k APIKey) Edited(by APIKey) APIKey {
	k.Name, k.Scopes, k.ExpiresAt, k.AllowQuery, k.AllowedIPs = by.Name, by.Scopes, by.ExpiresAt, by.AllowQuery, by.AllowedIPs
	k.WarnedDays = by.WarnedDays
	return k
}

// UsedAt is when the key was last used, or made if it never was.
func (k APIKey) UsedAt() Time {
	if k.LastUsedAt.IsZero() {
		return k.CreatedAt
	}
	return k.LastUsedAt
}

// APIKeyMaker is what must be so still when a key is made or gets another text:
// whoever asks may have been thrown out since they were let in.
type APIKeyMaker struct {
	Epoch   int64  // the account's, as they knew it
	LoginID string // live at At; empty: they ask without a login
	At      Time
}

// APIKeyRotation gives a key another text.
type APIKeyRotation struct {
	Hash     string
	Prefix   string
	OldUntil Time // the present text works before that; zero: no more
	By       APIKeyMaker
}

// APIKeyNote is what requests with a key leave behind. It never brings anything
// back to life.
type APIKeyNote struct {
	ID int64

	At Time   // of the last use; zero: none to note
	IP string // masked
	UA string

	Needed  []string // scopes, to be added to those noted before
	Refused []string
}

// APIKeyIdle asks for keys that are not revoked and were not used since an
// instant.
type APIKeyIdle struct {
	Since   Time
	Untold  bool  // only those that were not reported since they were used last
	AfterID int64 // only higher ones
	Limit   int
}
