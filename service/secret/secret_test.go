package secret_test

import (
	"math"
	"regexp"
	"testing"

	"latchkey/service/secret"
)

func TestForms(t *testing.T) {
	for name, tt := range map[string]struct {
		make func() string
		want string
	}{
		"an id is 32 lower-case hex digits": {secret.ID, `^[0-9a-f]{32}$`},
		"a password has no look-alikes": {
			func() string { return secret.Password(500) }, `^[2-9A-HJ-NP-Za-kmnp-z]{500}$`,
		},
		"a password of no characters is empty":  {func() string { return secret.Password(0) }, `^$`},
		"a password of -1 characters is empty":  {func() string { return secret.Password(-1) }, `^$`},
		"a user code is 8 consonants":           {secret.UserCode, `^[BCDFGHJKLMNPQRSTVWXZ]{8}$`},
		"a static token has AList's form":       {secret.StaticToken, `^alist-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}[0-9A-Za-z]{64}$`},
		"a static token is 106 characters long": {secret.StaticToken, `^.{106}$`},
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				if got := tt.make(); !regexp.MustCompile(tt.want).MatchString(got) {
					t.Fatalf("%q does not match %s", got, tt.want)
				}
			}
		})
	}
}

func TestNothingComesTwice(t *testing.T) {
	for name, draw := range map[string]func() string{
		"ids":           secret.ID,
		"passwords":     func() string { return secret.Password(12) },
		"static tokens": secret.StaticToken,
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			for range 2000 {
				s := draw()
				if seen[s] {
					t.Fatalf("%q came twice", s)
				}
				seen[s] = true
			}
		})
	}
}

// A plain remainder would draw the first 256 % 56 = 32 characters a quarter more
// often than the rest; that is 50 standard deviations here, the limit is 6.
func TestEveryCharacterIsAsLikely(t *testing.T) {
	const n = 560_000
	count := map[rune]int{}
	for _, r := range secret.Password(n) {
		count[r]++
	}
	if len(count) != 56 {
		t.Fatalf("%d different characters, want 56", len(count))
	}
	mean := float64(n) / 56
	for r, c := range count {
		if math.Abs(float64(c)-mean) > 6*math.Sqrt(mean) {
			t.Errorf("%q came %d times, want about %.0f", r, c, mean)
		}
	}
}

func TestEqual(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b string
		want bool
	}{
		"a secret equals itself":                   {"alist-1", "alist-1", true},
		"another one of the same length differs":   {"alist-1", "alist-2", false},
		"a prefix differs":                         {"alist-1", "alist-", false},
		"case counts":                              {"alist-a", "alist-A", false},
		"an unset secret is nobody's":              {"", "", false},
		"nothing does not open a set secret":       {"", "alist-1", false},
		"something does not open an unset secret":  {"alist-1", "", false},
		"a zero byte at the end makes a different": {"alist-1", "alist-1\x00", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := secret.Equal(tt.a, tt.b); got != tt.want {
				t.Errorf("Equal(%q, %q) = %v, want %v", tt.a, tt.b, got, tt.want)
			}
		})
	}
}
