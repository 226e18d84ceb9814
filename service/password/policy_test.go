package password_test

import (
	"errors"
	"strings"
	"testing"

	"latchkey/service/fault"
	"latchkey/service/password"
)

func TestCheckNew(t *testing.T) {
	for name, tt := range map[string]struct {
		plain string
		want  error
		text  string
	}{
		"a phrase nobody tries first is good":    {"tall giraffes hum", nil, ""},
		"8 characters are enough":                {"g7-kvq2x", nil, ""},
		"7 are not":                              {"g7-kvq2", password.ErrWeak, "Password too weak: use at least 8 characters"},
		"characters count, not bytes":            {"äöüßéèê", password.ErrWeak, "Password too weak: use at least 8 characters"},
		"256 of the longest characters are good": {strings.Repeat("🦒", 256), nil, ""},
		"257 characters are too many":            {strings.Repeat("x", 257), password.ErrWeak, "Password too weak: use at most 256 characters"},
		"1025 bytes are not even looked at":      {strings.Repeat("x", 1025), password.ErrTooLong, "Password is longer than 1024 bytes"},
		"nothing is no password":                 {"", password.ErrWeak, "Password too weak: it is blank"},
		"blanks are no password":                 {strings.Repeat(" \t", 6), password.ErrWeak, "Password too weak: it is blank"},
		"password123 is known":                   {"password123", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"known in capitals is known":             {"PassWord123", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"known in wide letters is known":         {"ｐａｓｓｗｏｒｄ１２３", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"known with blanks inside is known":      {"correct horse battery staple", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"the first of the list is known":         {"!qaz2wsx", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"the last of the list is known":          {"zzzzzzzz", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"a known one with more is another":       {"password123 giraffe", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := password.CheckNew(tt.plain)
			if !errors.Is(err, tt.want) {
				t.Fatalf("CheckNew = %v, want %v", err, tt.want)
			}
			if err != nil && (err.Error() != tt.text || fault.Of(err).Kind != fault.Invalid) {
				t.Errorf("CheckNew = %q (kind %d), want %q", err, fault.Of(err).Kind, tt.text)
			}
		})
	}
}

func TestCheckLength(t *testing.T) {
	if err := password.CheckLength(strings.Repeat("x", 1024)); err != nil {
		t.Errorf("1024 bytes: %v", err)
	}
	if err := password.CheckLength(strings.Repeat("x", 1025)); !errors.Is(err, password.ErrTooLong) {
		t.Errorf("1025 bytes: %v, want ErrTooLong", err)
	}
}
