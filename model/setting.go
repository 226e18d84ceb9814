package model

// Setting is one value that an admin changed from its default. Secret settings
// are sealed.
type Setting struct {
	Record `gorm:"-"`

	Key   string `gorm:"primaryKey"`
	Value string
}

// TableName names the table.
func (Setting) TableName() string { return "settings" }
