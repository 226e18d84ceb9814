package alistdb

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// row is one row with whatever types the driver gave it. A column that is not
// there reads as empty; one that makes no sense too, and is noted in odd.
type row struct {
	index  map[string]int // column → place
	values []any
	odd    []string
}

func (r *row) value(column string) any {
	i, ok := r.index[column]
	if !ok {
		return nil
	}
	return r.values[i]
}

func (r *row) note(column, what string) { r.odd = append(r.odd, column+" "+what) }

// text is a column as valid UTF-8.
func (r *row) text(column string) string { return r.nullable(column).Text }

func (r *row) nullable(column string) Text {
	var s string
	switch v := r.value(column).(type) {
	case nil:
		return Text{}
	case string:
		s = v
	case []byte:
		s = string(v)
	case time.Time:
		s = v.Format(time.RFC3339)
	default:
		s = fmt.Sprint(v)
	}
	if !utf8.ValidString(s) {
		r.note(column, "is not UTF-8")
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return Text{Text: s, Valid: true}
}

// number is a column as a whole number; NULL is 0.
func (r *row) number(column string) int64 {
	n, ok := toNumber(r.value(column))
	if !ok {
		r.note(column, "is no number")
	}
	return n
}

func (r *row) optional(column string) *int64 {
	if r.value(column) == nil {
		return nil
	}
	n := r.number(column)
	return &n
}

func toNumber(value any) (int64, bool) {
	switch v := value.(type) {
	case nil:
		return 0, true
	case int64:
		return v, true
	case uint64: // MySQL's BIGINT UNSIGNED
		return int64(v), v <= math.MaxInt64 //nolint:gosec // the second result says so
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case float64:
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			return 0, false
		}
		return int64(v), true
	case []byte:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, err == nil
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// flag is a column as true or false; NULL is false.
func (r *row) flag(column string) bool {
	switch v := r.value(column).(type) {
	case []byte:
		return r.word(column, string(v))
	case string:
		return r.word(column, v)
	}
	return r.number(column) != 0
}

func (r *row) word(column, text string) bool {
	if len(text) == 1 && text[0] <= 1 { // MySQL's BIT(1)
		return text[0] == 1
	}
	is, err := strconv.ParseBool(text)
	if err != nil {
		r.note(column, "is neither true nor false")
	}
	return is
}

// at is a column as an instant; NULL is the zero time.
func (r *row) at(column string) time.Time {
	switch v := r.value(column).(type) {
	case nil:
		return time.Time{}
	case time.Time:
		return v.UTC()
	}
	text := r.text(column)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999 -0700 MST", time.DateTime,
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	r.note(column, "is no time")
	return time.Time{}
}
