package settingtest

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/setting"
)

// Conformance is what every setting.Store must do. open makes a fresh one for
// each part.
func Conformance(t *testing.T, open func(t *testing.T) setting.Store) {
	t.Helper()
	for name, part := range map[string]func(*testing.T, setting.Store){
		"a new store is empty":                       startsEmpty,
		"values come back as they were saved":        keepsValues,
		"a saved value replaces the one before":      replaces,
		"saving nothing changes nothing":             savesNothing,
		"what is saved together appears together":    savesWhole,
		"parallel saves of the same keys all finish": savesInParallel,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func save(t *testing.T, s setting.Store, rows ...model.Setting) {
	t.Helper()
	if err := s.SaveSettings(t.Context(), rows); err != nil {
		t.Fatalf("SaveSettings = %v", err)
	}
}

func values(t *testing.T, s setting.Store) map[string]string {
	t.Helper()
	rows, err := s.Settings(t.Context())
	if err != nil {
		t.Fatalf("Settings = %v", err)
	}
	all := map[string]string{}
	for _, row := range rows {
		if _, twice := all[row.Key]; twice {
			t.Errorf("%s is listed twice", row.Key)
		}
		all[row.Key] = row.Value
	}
	return all
}

func has(t *testing.T, s setting.Store, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, values(t, s)); diff != "" {
		t.Errorf("the settings differ (-want +got):\n%s", diff)
	}
}

func startsEmpty(t *testing.T, s setting.Store) { has(t, s, map[string]string{}) }

func keepsValues(t *testing.T, s setting.Store) {
	want := map[string]string{
		"empty": "", "Case": "upper", "case": "lower", "odd": "'\"\r\n\t%_🏠\\", "long": strings.Repeat("ä", 100_000), "blank ": " x ",
	}
	for key, value := range want {
		save(t, s, model.Setting{Key: key, Value: value})
	}
	has(t, s, want)
}

func replaces(t *testing.T, s setting.Store) {
	save(t, s, model.Setting{Key: "a", Value: "1"}, model.Setting{Key: "b", Value: "1"})
	save(t, s, model.Setting{Key: "c", Value: "2"}, model.Setting{Key: "a", Value: "2"})
	has(t, s, map[string]string{"a": "2", "b": "1", "c": "2"})
	save(t, s, model.Setting{Key: "a"})
	has(t, s, map[string]string{"a": "", "b": "1", "c": "2"})
}

func savesNothing(t *testing.T, s setting.Store) {
	save(t, s, model.Setting{Key: "a", Value: "1"})
	save(t, s)
	save(t, s, []model.Setting{}...)
	has(t, s, map[string]string{"a": "1"})
}

func savesWhole(t *testing.T, s setting.Store) {
	save(t, s, model.Setting{Key: "a", Value: "0"}, model.Setting{Key: "b", Value: "0"})
	var group sync.WaitGroup
	group.Go(func() {
		for i := range 50 {
			v := strconv.Itoa(i)
			if err := s.SaveSettings(t.Context(), []model.Setting{{Key: "a", Value: v}, {Key: "b", Value: v}}); err != nil {
				t.Errorf("SaveSettings = %v", err)
			}
		}
	})
	for range 50 {
		rows, err := s.Settings(t.Context())
		if err != nil || len(rows) != 2 || rows[0].Value != rows[1].Value {
			t.Errorf("Settings = %v, %v, want two equal values", rows, err)
		}
	}
	group.Wait()
}

func savesInParallel(t *testing.T, s setting.Store) {
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			if err := s.SaveSettings(t.Context(), []model.Setting{{Key: "a", Value: "1"}, {Key: "b", Value: "1"}}); err != nil {
				t.Errorf("SaveSettings = %v", err)
			}
		})
	}
	group.Wait()
	has(t, s, map[string]string{"a": "1", "b": "1"})
}
