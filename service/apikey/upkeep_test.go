package apikey_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/apikey"
	"latchkey/service/racetest"
	"latchkey/service/revocation"
)

func (f *fixture) upkeep() []string {
	f.t.Helper()
	f.heard()
	if err := f.Upkeep(f.t.Context()); err != nil {
		f.t.Fatalf("Upkeep = %v", err)
	}
	return f.heard()
}

func TestOwnersAreWarnedSevenDaysAndOneDayBefore(t *testing.T) {
	f := newFixture(t)
	_, key := f.make(func(w *apikey.Wanted) { w.Name, w.ExpiresAt = "k", f.now().Add(30*day) })
	event := func(days int) string {
		return fmt.Sprintf("api_key_expiring a11c [api_key_id=%d prefix=%s days=%d expires_at=%v]", key.ID, key.Prefix, days, key.ExpiresAt.Time)
	}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{0, nil},
		{23*day - time.Second, nil},
		{time.Second, []string{"mail: k expires", event(7)}},
		{time.Minute, nil},
		{6*day - 2*time.Minute, nil},
		{time.Minute, []string{"mail: k expires", event(1)}},
		{time.Minute, nil},
		{2 * day, nil},
	} {
		f.advance(step.after)
		if told := f.upkeep(); !slices.Equal(told, step.want) {
			t.Errorf("after %v more: %q, want %q", step.after, told, step.want)
		}
	}
}

func TestWarningsFollowTheExpiry(t *testing.T) {
	f := newFixture(t)
	_, key := f.make(func(w *apikey.Wanted) { w.Name, w.ExpiresAt = "three days", f.now().Add(3*day) })
	f.make(func(w *apikey.Wanted) { w.ExpiresAt = f.now().Add(time.Hour) }) // whoever made it knows
	if told := f.upkeep(); len(told) != 0 {
		t.Errorf("told of what was just chosen: %q", told)
	}
	f.advance(2*day + time.Hour)
	if told := f.upkeep(); len(told) != 2 || !strings.Contains(told[1], "days=1 ") {
		t.Errorf("a day before: %q", told)
	}
	if err := f.Update(t.Context(), f.as(alice), key.ID, apikey.Edit{ExpiresAt: new(f.now().Add(20 * day))}); err != nil {
		t.Fatal(err)
	}
	if told := f.upkeep(); len(told) != 0 {
		t.Errorf("told after it was put off: %q", told)
	}
	f.advance(14 * day)
	if told := f.upkeep(); len(told) != 2 || !strings.Contains(told[1], "days=7 ") {
		t.Errorf("seven days before the new expiry: %q", told)
	}
	// A server that was down for the first warning gives the last one only.
	f.make(func(w *apikey.Wanted) { w.Name, w.ExpiresAt = "late", f.now().Add(30*day) })
	f.advance(30*day - time.Hour)
	if told := f.upkeep(); len(told) != 2 || told[0] != "mail: late expires" || !strings.Contains(told[1], "days=1 ") {
		t.Errorf("after a long night: %q", told)
	}
}

func TestEachIsToldOnceWhateverTheProcesses(t *testing.T) {
	f := newFixture(t)
	var processes []*apikey.Service
	for range 4 {
		processes = append(processes, f.another(&revocation.Hub{}))
	}
	const keys = 100
	for n := range keys {
		f.make(func(w *apikey.Wanted) { w.Name, w.ExpiresAt = strconv.Itoa(n), f.now().Add(185*day) })
	}
	f.advance(180 * day) // unused, and about to expire
	f.heard()
	racetest.AtOnce(8, func(i int) {
		if err := processes[i%4].Upkeep(t.Context()); err != nil {
			t.Errorf("Upkeep = %v", err)
		}
	})
	count := map[string]int{}
	for _, line := range f.heard() {
		kind, _, _ := strings.Cut(line, " ")
		count[kind]++
	}
	if count["mail:"] != keys || count["api_key_expiring"] != keys || count["api_key_unused"] != keys {
		t.Errorf("told %v, want each of %d once", count, keys)
	}
}

func (f *fixture) isUnused(key model.APIKey) bool {
	f.t.Helper()
	v, err := f.Get(f.t.Context(), key.AccountKey, key.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return v.Unused
}

func TestUnusedKeysAreReported(t *testing.T) {
	f := newFixture(t)
	text, key := f.make()
	used, _ := f.make()
	f.advance(180*day - time.Hour)
	f.wantIn(used, nil) // noted, and not written
	if told := f.upkeep(); len(told) != 0 || f.isUnused(key) {
		t.Errorf("before its time: %q", told)
	}
	f.advance(2 * time.Hour)
	want := []string{fmt.Sprintf("api_key_unused a11c [api_key_id=%d prefix=%s used_at=%v]", key.ID, key.Prefix, key.CreatedAt.Time)}
	if told := f.upkeep(); !slices.Equal(told, want) || !f.isUnused(key) {
		t.Errorf("told %q, want %q", told, want)
	}
	f.advance(2 * time.Hour)
	if told := f.upkeep(); len(told) != 0 {
		t.Errorf("told again: %q", told)
	}
	f.wantIn(text, nil) // it still works
	if f.isUnused(key) {
		t.Error("shown as unused when it was just used")
	}
	f.advance(181 * day)
	if told := f.upkeep(); len(told) != 2 {
		t.Errorf("told %q, want both that are unused now", told)
	}
	f.unused = 0
	f.advance(500 * day)
	if told := f.upkeep(); len(told) != 0 || f.isUnused(key) {
		t.Errorf("told where nobody wants to know: %q", told)
	}
}

func TestUnusedKeysAreSwitchedOffIfTheOperatorSaysSo(t *testing.T) {
	f := newFixture(t)
	text, key := f.make()
	used, _ := f.make()
	f.advance(180 * day)
	f.wantIn(used, nil)
	if told := f.upkeep(); len(told) != 1 { // reported first
		t.Errorf("told %q", told)
	}
	f.wantIn(used, nil)
	f.off = true
	f.advance(time.Hour)
	want := []string{"notice a11c", fmt.Sprintf("api_key_revoked a11c [api_key_id=%d prefix=%s why=unused]", key.ID, key.Prefix)}
	if told := f.upkeep(); !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	f.wantIn(text, apikey.ErrInvalid)
	f.wantIn(used, nil)
	if row := f.row(key); row.RevokedWhy != model.RevokedUnused || f.isUnused(key) {
		t.Errorf("the row is %+v", row)
	}
	f.advance(time.Hour)
	if told := f.upkeep(); len(told) != 0 {
		t.Errorf("told again: %q", told)
	}
}
