package settingtest_test

import (
	"testing"

	"latchkey/service/setting"
	"latchkey/service/setting/settingtest"
)

func TestStore(t *testing.T) {
	settingtest.Conformance(t, func(*testing.T) setting.Store { return settingtest.New() })
}
