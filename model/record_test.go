package model_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
)

func TestRecordsRefuseToBecomeJSON(t *testing.T) {
	for _, record := range []any{
		model.Account{},
		&model.Account{},
		model.Profile{},
		model.Device{},
		model.DeviceView{},
		model.Key{},
		model.Login{},
		model.Role{},
		model.Setting{},
		model.SSHKey{},
		model.TOTP{},
		[]model.Setting{{}},
		map[string]any{"data": model.Key{}},
		struct{ Account *model.Account }{&model.Account{}},
	} {
		if text, err := json.Marshal(record); err == nil {
			t.Errorf("%T became %s", record, text)
		}
	}
}

func TestLists(t *testing.T) {
	for name, tt := range map[string]struct {
		list model.IntList
		text string
		back model.IntList
	}{
		"nil":     {nil, "[]", model.IntList{}},
		"empty":   {model.IntList{}, "[]", model.IntList{}},
		"numbers": {model.IntList{3, -1, 1 << 62}, "[3,-1,4611686018427387904]", model.IntList{3, -1, 1 << 62}},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := tt.list.Value()
			if err != nil || text != tt.text {
				t.Fatalf("Value = %v, %v, want %s", text, err, tt.text)
			}
			for _, src := range []any{text, []byte(tt.text)} {
				got := model.IntList{9, 9, 9, 9}
				if err := got.Scan(src); err != nil || !cmp.Equal(got, tt.back) {
					t.Errorf("Scan(%T) = %v, %v, want %v", src, got, err, tt.back)
				}
			}
		})
	}
	scopes := model.ScopeList{{Path: "/ü\"", Permission: 0xFFFF}, {Path: "/"}}
	text, err := scopes.Value()
	if want := `[{"path":"/ü\"","permission":65535},{"path":"/","permission":0}]`; err != nil || text != want {
		t.Errorf("Value = %v, %v, want %s", text, err, want)
	}
	var got model.ScopeList
	if err := got.Scan(text); err != nil || !cmp.Equal(got, scopes) {
		t.Errorf("Scan = %v, %v, want %v", got, err, scopes)
	}
}

func TestScanRefuses(t *testing.T) {
	for name, src := range map[string]any{
		"a number": int64(1), "a time": time.Unix(0, 0), "no JSON": "[1,", "an object": "{}", "texts": `["a"]`, "nothing": "", "two lists": "[][]",
	} {
		list, scopes := model.IntList{1}, model.ScopeList{{}}
		if err := list.Scan(src); err == nil {
			t.Errorf("IntList took %s as %v", name, list)
		}
		if err := scopes.Scan(src); err == nil {
			t.Errorf("ScopeList took %s as %v", name, scopes)
		}
	}
	list := model.IntList{1}
	if err := list.Scan(nil); err != nil || list != nil {
		t.Errorf("Scan(nil) = %v, %v, want none", list, err)
	}
}

func TestTime(t *testing.T) {
	const ms = 1_772_366_400_123
	instant := time.UnixMilli(ms).UTC()
	for name, tt := range map[string]struct {
		in    time.Time
		value any
		back  time.Time
	}{
		"never":                    {time.Time{}, nil, time.Time{}},
		"whole milliseconds":       {instant, int64(ms), instant},
		"more than milliseconds":   {instant.Add(999_999), int64(ms), instant},
		"another time zone":        {instant.In(time.FixedZone("", 5*3600)), int64(ms), instant},
		"the epoch":                {time.UnixMilli(0), int64(0), time.UnixMilli(0).UTC()},
		"before the epoch":         {time.UnixMilli(-1), int64(-1), time.UnixMilli(-1).UTC()},
		"a clock with a monotonic": {time.Now().Truncate(time.Millisecond), nil, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a clock with a monotonic" {
				tt.back = tt.in.Round(0).UTC()
				tt.value = tt.in.UnixMilli()
			}
			at := model.At(tt.in)
			value, err := at.Value()
			if err != nil || value != tt.value {
				t.Fatalf("Value = %v, %v, want %v", value, err, tt.value)
			}
			got := model.Time{Time: instant.Add(time.Hour)}
			if err := got.Scan(value); err != nil || got.Time != tt.back || at != got { // == on purpose: one spelling per instant
				t.Errorf("At = %v and Scan = %v, %v, want %v", at, got, err, tt.back)
			}
		})
	}
	for _, src := range []any{"2026-03-01", 1.5, time.Unix(0, 0), []byte("1"), true} {
		var got model.Time
		if err := got.Scan(src); err == nil {
			t.Errorf("Scan(%T) = %v, want an error", src, got)
		}
	}
}
