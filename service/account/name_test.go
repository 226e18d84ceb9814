package account_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"latchkey/service/account"
)

func TestCheckName(t *testing.T) {
	for name, tt := range map[string]struct {
		in string
		ok bool
	}{
		"a plain name":                     {"admin", true},
		"one character":                    {"a", true},
		"64 characters":                    {strings.Repeat("a", 64), true},
		"64 characters of 3 bytes":         {strings.Repeat("名", 64), true},
		"a blank inside":                   {"Mary Ann", true},
		"an address":                       {"a.b+c@example.org", true},
		"letters of other scripts":         {"Jürgen-Ωμέγα-Имя", true},
		"a combining mark":                 {"e\u0301ve", true},
		"an emoji":                         {"🔑", true},
		"what means something in SQL":      {`x' OR '1'='1`, true},
		"what means something in LIKE":     {"%_*", true},
		"nothing":                          {"", false},
		"65 characters":                    {strings.Repeat("a", 65), false},
		"a blank":                          {" ", false},
		"a blank in front":                 {" a", false},
		"a blank at the end":               {"a ", false},
		"a line break at the end":          {"a\n", false},
		"a line break inside":              {"a\r\nb", false},
		"a tab":                            {"a\tb", false},
		"a NUL":                            {"a\x00", false},
		"an escape":                        {"\x1b[31mred", false},
		"DEL":                              {"a\x7f", false},
		"a C1 control":                     {"a\u0085b", false},
		"a slash":                          {"a/b", false},
		"a backslash":                      {`a\b`, false},
		"a fullwidth slash":                {"a\uff0fb", false},
		"a fullwidth backslash":            {"a\uff3cb", false},
		"a sign that folds to a slash":     {"\u2100x", false},
		"a sign that folds to a blank":     {"\u00a8x", false},
		"no-break blank":                   {"a\u00a0b", false},
		"ideographic blank":                {"a\u3000b", false},
		"zero width blank":                 {"a\u200bb", false},
		"byte order mark":                  {"\ufeffadmin", false},
		"text turned round":                {"a\u202egpj", false},
		"a soft hyphen":                    {"ad\u00admin", false},
		"a letter that nobody sees":        {"admin\u3164", false},
		"nothing but a letter nobody sees": {"\u115f", false},
		"a joiner that nobody sees":        {"ad\u034fmin", false},
		"a variation selector":             {"admin\ufe0f", false},
		"a tag":                            {"a\U000e0041", false},
		"a private character":              {"a\ue000", false},
		"not UTF-8":                        {"a\xff", false},
		"a surrogate":                      {"a\xed\xa0\x80", false},
		"a line separator":                 {"a\u2028b", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := account.CheckName(tt.in)
			if tt.ok && err != nil || !tt.ok && !errors.Is(err, account.ErrName) {
				t.Errorf("CheckName(%q) = %v, want it taken: %v", tt.in, err, tt.ok)
			}
		})
	}
}

func TestFold(t *testing.T) {
	for name, tt := range map[string]struct{ one, other string }{
		"case":                        {"Admin", "aDMIN"},
		"sharp s":                     {"STRASSE", "straße"},
		"capital sharp s":             {"ẞ", "ss"},
		"final sigma":                 {"ΟΔΟΣ", "οδος"},
		"composed and decomposed":     {"J\u00fcrgen", "Ju\u0308rgen"},
		"fullwidth letters":           {"\uff41\uff44\uff4d\uff49\uff4e", "admin"},
		"a ligature":                  {"\ufb01x", "fix"},
		"a Kelvin sign":               {"\u212a", "k"},
		"a dotted capital i":          {"\u0130", "i\u0307"},
		"marks in another order":      {"a\u0301\u0323", "a\u0323\u0301"},
		"letters in a circle":         {"ⒶⒷ", "ab"},
		"mathematical letters":        {"𝐀dmin", "admin"},
		"a Greek iota under a letter": {"ᾳ", "αι"},
	} {
		t.Run(name, func(t *testing.T) {
			if one, other := account.Fold(tt.one), account.Fold(tt.other); one != other {
				t.Errorf("Fold(%q) = %q and Fold(%q) = %q, want them alike", tt.one, one, tt.other, other)
			}
		})
	}
	for name, tt := range map[string]struct{ one, other string }{
		"other letters":               {"admin", "admim"},
		"accents":                     {"e", "é"},
		"a Cyrillic a":                {"admin", "аdmin"},
		"a dotless i":                 {"ı", "i"},
		"a blank":                     {"ab", "a b"},
		"an underscore":               {"a_b", "a%b"},
		"letters and numbers":         {"O", "0"},
		"names that only begin alike": {"admin", "admin2"},
	} {
		t.Run("not "+name, func(t *testing.T) {
			if one := account.Fold(tt.one); one == account.Fold(tt.other) {
				t.Errorf("Fold(%q) = Fold(%q) = %q, want them to differ", tt.one, tt.other, one)
			}
		})
	}
}

func TestFoldKnowsEveryCase(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		other := unicode.SimpleFold(r)
		if other == r {
			continue
		}
		one, two := account.Fold(string(r)), account.Fold(string(other))
		if one != two {
			t.Errorf("%q folds to %q and %q to %q, want them alike", r, one, other, two)
		}
		if again := account.Fold(one); again != one {
			t.Errorf("%q folds to %q and that to %q", r, one, again)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, seed := range []string{
		"admin", "Jürgen", "STRASSE", "ẞ", "\u0130", "a\u0345\u0301", "\u1fb3", "\u3392", "\u2100", "\u00a8", "ſ", "ﬃ",
		"\u03d2\u0301", "ͅ", "\uff0f", "\u1e9b\u0323", "\u3164", "\xff", strings.Repeat("\ufdfa", 64), "ΐ", "ᾼ", "Ꭰ", "ꭰ", "\U0001d160",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		folded := account.Fold(name)
		if utf8.ValidString(name) {
			for what, other := range map[string]string{
				"its folded form": folded, "NFC": norm.NFC.String(name), "NFD": norm.NFD.String(name),
				"NFKC": norm.NFKC.String(name), "NFKD": norm.NFKD.String(name),
			} {
				if got := account.Fold(other); got != folded {
					t.Errorf("Fold(%q) = %q, but Fold of %s %q = %q", name, folded, what, other, got)
				}
			}
		}
		if account.CheckName(name) != nil {
			return
		}
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > 64 {
			t.Errorf("CheckName took %q", name)
		}
		for _, form := range []string{name, folded} {
			bad := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }
			if form == "" || strings.TrimSpace(form) != form || strings.ContainsFunc(form, bad) {
				t.Errorf("CheckName took %q, which folds to %q", name, folded)
			}
		}
		if err := account.CheckName(folded); err != nil && utf8.RuneCountInString(folded) <= 64 {
			t.Errorf("CheckName took %q and not %q, to which it folds", name, folded)
		}
	})
}
