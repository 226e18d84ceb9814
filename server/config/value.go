package config

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is the form of a value, and the word for it in help.
type kind string

const (
	kindText   kind = "text"
	kindList   kind = "list"
	kindSpan   kind = "duration"
	kindNumber kind = "number"
	kindTruth  kind = "bool"
)

// value is how one field of Config is read, written and judged. What is wrong
// is said in a phrase; an empty one means nothing is.
type value struct {
	kind  kind
	want  string                              // what a right value looks like
	told  bool                                // help tells want, a few words
	set   func(c *Config, text string) string // changes nothing when something is wrong
	text  func(c Config) string               // set reads it back
	check func(c Config) string
}

// field builds a value from the reading and writing of its type. Judging what
// the field holds is reading what it would be written as.
func field[T any](at func(*Config) *T, parse func(string) (T, string), show func(T) string) value {
	return value{
		set: func(c *Config, in string) string {
			v, wrong := parse(in)
			if wrong == "" {
				*at(c) = v
			}
			return wrong
		},
		text: func(c Config) string { return show(*at(&c)) },
		check: func(c Config) string {
			held := show(*at(&c))
			v, wrong := parse(held)
			if wrong == "" && show(v) != held {
				return "has to be written " + shown(show(v))
			}
			return wrong
		},
	}
}

func (v value) as(k kind, want string) value {
	v.kind, v.want = k, want
	return v
}

// few makes help tell what the value may be, since it is one of a few words.
func (v value) few() value {
	v.told = true
	return v
}

// parsed is text that is brought into one form.
func parsed(at func(*Config) *string, parse func(string) (string, string), want string) value {
	return field(at, parse, func(s string) string { return s }).as(kindText, want)
}

// text is text that is taken as it is, if the rule finds nothing wrong.
func text(at func(*Config) *string, rule func(string) string, want string) value {
	return parsed(at, func(s string) (string, string) { return s, rule(s) }, want)
}

// list is items separated by commas; empty ones are skipped.
func list[T any](at func(*Config) *[]T, parse func(string) (T, string), show func(T) string, want string) value {
	return field(at,
		func(in string) ([]T, string) {
			var all []T
			var wrong []string
			for _, item := range items(in) {
				v, bad := parse(item)
				if bad != "" {
					wrong = append(wrong, shown(item)+" "+bad)
				}
				all = append(all, v)
			}
			return all, strings.Join(wrong, ", ")
		},
		func(all []T) string {
			out := make([]string, len(all))
			for i, v := range all {
				out[i] = show(v)
			}
			return strings.Join(out, ",")
		},
	).as(kindList, want)
}

// origins is a list that may be "*" alone.
func origins(at func(*Config) *[]string, want string) value {
	v := list(at, corsOrigin, func(s string) string { return s }, want)
	set, check := v.set, v.check
	v.set = func(c *Config, in string) string {
		if wrong := onlyStar(items(in)); wrong != "" {
			return wrong
		}
		return set(c, in)
	}
	v.check = func(c Config) string {
		if wrong := onlyStar(*at(&c)); wrong != "" {
			return wrong
		}
		return check(c)
	}
	return v
}

func onlyStar(all []string) string {
	if len(all) > 1 && slices.Contains(all, "*") {
		return "* is every site already and stands alone"
	}
	return ""
}

func items(in string) []string {
	var all []string
	for item := range strings.SplitSeq(in, ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// span is a duration from lo to hi.
func span(at func(*Config) *time.Duration, lo, hi time.Duration) value {
	return field(at, duration(lo, hi), showSpan).
		as(kindSpan, fmt.Sprintf("a duration from %s to %s", showSpan(lo), showSpan(hi)))
}

// spanOrZero is 0, or a duration from lo to hi.
func spanOrZero(at func(*Config) *time.Duration, lo, hi time.Duration) value {
	within := duration(lo, hi)
	v := field(at, func(in string) (time.Duration, string) {
		if d, err := time.ParseDuration(in); err == nil && d == 0 {
			return 0, ""
		}
		return within(in)
	}, showSpan)
	return v.as(kindSpan, fmt.Sprintf("0, or a duration from %s to %s", showSpan(lo), showSpan(hi)))
}

func duration(lo, hi time.Duration) func(string) (time.Duration, string) {
	return func(in string) (time.Duration, string) {
		d, err := time.ParseDuration(in)
		if _, bare := strconv.ParseFloat(in, 64); err != nil && bare == nil {
			return 0, "has no unit (s, m or h)"
		}
		switch {
		case err != nil:
			return 0, "is not a duration in hours (h), minutes (m) and seconds (s)"
		case d < lo:
			return 0, "is too short"
		case d > hi:
			return 0, "is too long"
		}
		return d, ""
	}
}

// showSpan is 48h rather than 48h0m0s, and 0 rather than 0s.
func showSpan(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// count is a whole number from lo to hi; 1_000_000 is read, too.
func count(at func(*Config) *int, lo, hi int) value {
	return field(at, func(in string) (int, string) {
		n, err := strconv.Atoi(strings.ReplaceAll(in, "_", ""))
		switch {
		case err != nil:
			return 0, "is not a whole number"
		case n < lo:
			return 0, "is too small"
		case n > hi:
			return 0, "is too large"
		}
		return n, ""
	}, strconv.Itoa).as(kindNumber, fmt.Sprintf("a whole number from %d to %d", lo, hi))
}

func truth(at func(*Config) *bool) value {
	return field(at, func(in string) (bool, string) {
		switch strings.ToLower(in) {
		case "true", "yes", "on", "1":
			return true, ""
		case "false", "no", "off", "0":
			return false, ""
		}
		return false, "is neither true nor false"
	}, strconv.FormatBool).as(kindTruth, "true or false")
}

func level(at func(*Config) *slog.Level) value {
	return field(at, func(in string) (slog.Level, string) {
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			if strings.EqualFold(in, l.String()) {
				return l, ""
			}
		}
		return 0, "is not a level"
	}, func(l slog.Level) string { return strings.ToLower(l.String()) }).
		as(kindText, "debug, info, warn or error").few()
}
