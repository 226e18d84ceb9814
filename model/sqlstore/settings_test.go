package sqlstore_test

import (
	"errors"
	"testing"

	"latchkey/model"
	"latchkey/service/setting"
	"latchkey/service/setting/settingtest"
)

func TestSettings(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			settingtest.Conformance(t, func(t *testing.T) setting.Store { return open(t, opts).Settings() })
		})
	}
}

func TestAddSettingKeepsTheFirstValue(t *testing.T) {
	for name, opts := range drivers(t) {
		t.Run(name, func(t *testing.T) {
			s := open(t, opts).Settings()
			if err := s.AddSetting(t.Context(), model.Setting{Key: "k", Value: "first"}); err != nil {
				t.Fatalf("AddSetting = %v", err)
			}
			if err := s.AddSetting(t.Context(), model.Setting{Key: "k", Value: "second"}); !errors.Is(err, model.ErrConflict) {
				t.Errorf("second AddSetting = %v, want %v", err, model.ErrConflict)
			}
			rows, err := s.Settings(t.Context())
			if err != nil || len(rows) != 1 || rows[0].Value != "first" {
				t.Errorf("Settings = %v, %v, want the first value", rows, err)
			}
		})
	}
}
