package password_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"latchkey/service/fault"
	"latchkey/service/password"
)

//
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
		"known with blanks around is known":      {" password123\t", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"a first name is known":                  {"Jennifer", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"the first of the list is known":         {"!qaz2wsx", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"the last of the list is known":          {"zzzzzzzz", password.ErrWeak, "Password too weak: it is among the best-known passwords"},
		"a known one with more is another":       {"password123 giraffe", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := password.Policy{}.CheckNew(tt.plain)
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

// whoever asks for more gets it, and nobody less than 8.
func TestCheckNewAsksForTheLeastLength(t *testing.T) {
	for least, tt := range map[int]struct{ short, long string }{
		-1: {"g7-kvq2", "g7-kvq2x"},
		0:  {"g7-kvq2", "g7-kvq2x"},
		15: {strings.Repeat("ü", 14), strings.Repeat("ü", 15)},
		64: {strings.Repeat("ü", 63), strings.Repeat("ü", 64)},
	} {
		p := password.Policy{MinChars: func() int { return least }}
		want := fmt.Sprintf("Password too weak: use at least %d characters", max(8, least))
		if err := p.CheckNew(tt.short); err == nil || err.Error() != want {
			t.Errorf("at least %d: %q = %v, want %q", least, tt.short, err, want)
		}
		if err := p.CheckNew(tt.long); err != nil {
			t.Errorf("at least %d: %q = %v", least, tt.long, err)
		}
	}
}

func TestCheckNewRefusesNames(t *testing.T) {
	p := password.Policy{SiteName: func() string { return "Our Tidy House" }}
	names := []string{"Zoë-the-giraffe", "", "zoe@giraffes.example"}
	for _, plain := range []string{
		"Zoë-the-giraffe", "ZOË-THE-GIRAFFE", "zoe\u0308-the-giraffe", " zoë-the-giraffe ", "ＺＯË-the-giraffe",
		"Zoe@Giraffes.example", "our tidy house", "OUR TIDY HOUSE",
	} {
		if err := p.CheckNew(plain, names...); err == nil || err.Error() != "Password too weak: it is your name" {
			t.Errorf("CheckNew(%q) = %v, want it to be a name", plain, err)
		}
	}
	for _, plain := range []string{"Zoë-the-giraffe!", "our tidy housе", "giraffes.example"} {
		if err := p.CheckNew(plain, names...); err != nil {
			t.Errorf("CheckNew(%q) = %v", plain, err)
		}
	}
	var open password.Policy
	if err := open.CheckNew("our tidy house"); err != nil {
		t.Errorf("without names: %v", err)
	}
}

// the 3,000 most frequent passwords, of a list of its own.
func TestTheMostFrequentPasswordsAreRefused(t *testing.T) {
	file, err := os.ReadFile("testdata/top3000.txt")
	if err != nil {
		t.Fatal(err)
	}
	top := strings.Fields(string(file))
	if len(top) < 600 {
		t.Fatalf("the list has %d passwords of 8 characters, want more", len(top))
	}
	var open password.Policy
	for _, plain := range top {
		for _, spelt := range []string{plain, strings.ToUpper(plain)} {
			if err := open.CheckNew(spelt); !errors.Is(err, password.ErrWeak) {
				t.Errorf("CheckNew(%q) = %v", spelt, err)
			}
		}
	}
}

// The search relies on it.
func TestTheListIsSortedAndFolded(t *testing.T) {
	list := strings.Split(strings.TrimSuffix(password.Common(), "\n"), "\n")
	if len(list) < 8000 {
		t.Errorf("the list has %d passwords, want at least 8000", len(list))
	}
	var open password.Policy
	for i, line := range list {
		if i > 0 && list[i-1] >= line {
			t.Errorf("%q does not come after %q", line, list[i-1])
		}
		if len(line) < 8 || strings.TrimSpace(line) != line || strings.ToLower(norm.NFKC.String(line)) != line {
			t.Errorf("%q is too short or not folded", line)
		}
		if err := open.CheckNew(line); err == nil || !strings.HasSuffix(err.Error(), "best-known passwords") {
			t.Errorf("CheckNew(%q) = %v", line, err)
		}
	}
}

func BenchmarkCheckNew(b *testing.B) {
	var p password.Policy
	for b.Loop() {
		if err := p.CheckNew("tall giraffes hum"); err != nil {
			b.Fatal(err)
		}
	}
}
