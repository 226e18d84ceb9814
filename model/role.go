package model

import "database/sql/driver"

// The role ids that the AList dialect gives a fixed meaning.
const (
	RoleGuest int64 = 1
	RoleAdmin int64 = 2
)

// Role is a named set of rights.
type Role struct {
	Record `gorm:"-"`

	ID          int64 `gorm:"primaryKey"`
	Name        string
	Description string
	Scopes      ScopeList

	RequireTwoFactor bool // its holders may do nothing but enrol a second factor until they have one
}

// TableName names the table.
func (Role) TableName() string { return "roles" }

// PathScope grants AList permission bits below a path.
type PathScope struct {
	Path       string `json:"path"`
	Permission int64  `json:"permission"`
}

// ScopeList is a role's scopes, kept as a JSON array in one column.
type ScopeList []PathScope

// Value writes the list as JSON; a nil list is "[]".
func (l ScopeList) Value() (driver.Value, error) { return jsonValue([]PathScope(l)) }

// Scan reads what Value wrote.
func (l *ScopeList) Scan(src any) error { return jsonScan(src, (*[]PathScope)(l)) }
