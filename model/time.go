package model

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Time is an instant as the database keeps it: whole milliseconds since the
// Unix epoch, NULL for the zero Time. A number reads the same in every driver
// and compares without a time zone.
type Time struct{ time.Time }

// At is t cut to what a row can hold.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

// Value writes the instant for the database.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil //nolint:nilnil // NULL is how "never" is stored
	}
	return t.UnixMilli(), nil
}

// Scan reads what Value wrote.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Time{time.UnixMilli(v).UTC()}
	default:
		return fmt.Errorf("read an instant from %T", src)
	}
	return nil
}
