package model

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
)

// What a store answers when it cannot do as asked. Everything else it returns
// is a fault of the storage itself.
var (
	// ErrNotFound says that no row answers to the key that was given.
	ErrNotFound = errors.New("record not found")
	// ErrConflict says that a row with the same unique value is already there.
	ErrConflict = errors.New("record already exists")
	// ErrLimit says that the row would be one too many for its owner.
	ErrLimit = errors.New("limit reached")
	// ErrStale says that the row changed since the caller looked at it.
	ErrStale = errors.New("record changed meanwhile")
	// ErrUnavailable says that the storage cannot serve right now: it is
	// locked, full or gone, and nothing was written.
	ErrUnavailable = errors.New("storage unavailable")

	errNoJSON = errors.New("a record does not become JSON, write a reply struct")
)

// Record is embedded by every record so that none of them can leak through a
// reply by accident.
type Record struct{}

// MarshalJSON always fails.
func (Record) MarshalJSON() ([]byte, error) { return nil, errNoJSON }

// IntList is a list of numbers kept as a JSON array in one column.
type IntList []int64

// Value writes the list as JSON; a nil list is "[]".
func (l IntList) Value() (driver.Value, error) { return jsonValue([]int64(l)) }

// Scan reads what Value wrote.
func (l *IntList) Scan(src any) error { return jsonScan(src, (*[]int64)(l)) }

func jsonValue[T any](list []T) (driver.Value, error) {
	if list == nil {
		return "[]", nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("encode list: %w", err)
	}
	return string(text), nil
}

func jsonScan[T any](src any, into *[]T) error {
	var text []byte
	switch v := src.(type) {
	case nil:
		*into = nil
		return nil
	case string:
		text = []byte(v)
	case []byte:
		text = v
	default:
		return fmt.Errorf("decode list from %T", src)
	}
	*into = nil
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("decode list: %w", err)
	}
	return nil
}
