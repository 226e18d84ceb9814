package model

import "database/sql/driver"

// OAuthClient is an app that the operator registered for OAuth 2.0.
type OAuthClient struct {
	Record `gorm:"-"`

	ID            string   `gorm:"primaryKey"` // client_id: 32 hex digits or a UUID, lower case; public
	Name          string   // what people read when they are asked
	Icon          string   // an https URL or an Iconify name, never fetched; empty: none
	Homepage      string   // an http or https URL; empty: none
	RedirectURIs  TextList `gorm:"column:redirect_uris"` // in the order they were given; empty: it can only use the device flow
	Scopes        TextList // what it may ask for, by the alphabet
	Confidential  bool     // it keeps a secret; false: a public app, which has none
	SecretHash    string   // hex of an HMAC; empty in a public app
	PreviousHash  string   // of the secret before, which counts until PreviousUntil; empty: none
	PreviousUntil Time
	PKCERequired  bool  `gorm:"column:pkce_required"`
	RefreshTTL    int64 `gorm:"column:refresh_ttl"` // seconds a refresh token lives
	Disabled      bool
	Revision      int64 // raised by every change
	CreatedAt     Time  `gorm:"autoCreateTime:false"`
	UpdatedAt     Time  `gorm:"autoUpdateTime:false"`
}

// TableName names the table.
func (OAuthClient) TableName() string { return "oauth_clients" }

// OAuthScope is a scope that the operator declared for the programs behind this
// server.
type OAuthScope struct {
	Record `gorm:"-"`

	Name        string `gorm:"primaryKey"`
	Description string // one line, for the person who gives it
	CreatedAt   Time   `gorm:"autoCreateTime:false"`
}

// TableName names the table.
func (OAuthScope) TableName() string { return "oauth_scopes" }

// TextList is a list of texts kept as a JSON array in one column.
type TextList []string

// Value writes the list as JSON; a nil list is "[]".
func (l TextList) Value() (driver.Value, error) { return jsonValue([]string(l)) }

// Scan reads what Value wrote.
func (l *TextList) Scan(src any) error { return jsonScan(src, (*[]string)(l)) }
