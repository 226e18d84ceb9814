package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Mistake is one thing that is wrong. It never holds a secret.
type Mistake struct {
	Source  string // "command line", "environment", or the file and line
	Name    string // as written there
	Value   string // as written there, quoted and shortened; may be empty
	Problem string // a phrase that continues the value
	Want    string // what is expected; may be empty
}

// String is one line.
func (m Mistake) String() string {
	var b strings.Builder
	b.WriteString(m.Source)
	b.WriteByte(':')
	for _, part := range []string{m.Name, m.Value, m.Problem} {
		if part != "" {
			b.WriteString(" " + part)
		}
	}
	if m.Want != "" {
		b.WriteString("; expected " + m.Want)
	}
	return b.String()
}

// Mistakes is everything that is wrong.
type Mistakes []Mistake //nolint:errname // Mistakes is what callers look for, not an XxxError

// Error is one line for each mistake.
func (all Mistakes) Error() string {
	lines := make([]string, len(all))
	for i, m := range all {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

func (all Mistakes) err() error {
	if len(all) == 0 {
		return nil
	}
	return all
}

// origin is where a value was written.
type origin struct{ source, name string }

func (o origin) mistake(problem string) Mistake {
	return Mistake{Source: o.source, Name: o.name, Problem: problem}
}

// shownLength is how many bytes of a wrong value are repeated.
const shownLength = 80

// shown is a value in quotes, without what may be a password in a URL.
func shown(in string) string {
	if scheme, rest, ok := strings.Cut(in, "://"); ok {
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			in = scheme + "://…" + rest[at:]
		}
	}
	if len(in) > shownLength {
		cut := shownLength
		for !utf8.RuneStart(in[cut]) && cut > shownLength-utf8.UTFMax {
			cut--
		}
		in = in[:cut] + "…"
	}
	return fmt.Sprintf("%q", in)
}

// unknown says that a name is none of ours, and which one may be meant.
func unknown(name string, known []string) string {
	if meant := nearest(name, known); meant != "" {
		return "is unknown; did you mean " + meant + "?"
	}
	return "is unknown"
}

// nearest is the known name that takes the fewest changes, at most a third of
// the letters after LATCHKEY_; none if there is no such name.
func nearest(name string, known []string) string {
	name = strings.TrimPrefix(name, envPrefix)
	best, least := "", min(len(name)/3, 4)+1
	if len(name) > shownLength {
		return ""
	}
	for _, k := range known {
		if d := distance(name, strings.TrimPrefix(k, envPrefix)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's: letters to insert, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
