package model

// NoticeChannel is the way a notice goes.
type NoticeChannel string

// The ways notices go.
const (
	NoticeMail    NoticeChannel = "mail"
	NoticeWebhook NoticeChannel = "webhook"
)

// Notice is a message that waits to be sent.
type Notice struct {
	Record `gorm:"-"`

	ID         string `gorm:"primaryKey"` // 32 hex digits, random; the same on every try
	AccountKey string // whom it is about
	Channel    NoticeChannel
	Payload    string // sealed, bound to the id
	Tries      int64  // that failed
	NextAt     Time   // when to try
	CreatedAt  Time   `gorm:"autoCreateTime:false"`
}

// TableName names the table.
func (Notice) TableName() string { return "notices" }
