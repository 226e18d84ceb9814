package setting_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/setting"
	"latchkey/service/setting/settingtest"
)

func TestListIsInTheOrderOfItems(t *testing.T) {
	s := newService(t, settingtest.New(), settingtest.NewSealer())
	save(t, s, map[string]string{setting.KeySiteTitle: "Home"})
	everything := s.List(nil)
	for i, v := range everything {
		if v.Index != i || v.Key != setting.Items()[i].Key || v.Value != s.Get(v.Key) {
			t.Errorf("entry %d is %+v", i, v)
		}
	}
	for _, groups := range [][]int{{setting.GroupSite}, {setting.GroupLDAP, setting.GroupSite}, {5}, {}, {-1, 0}} {
		var want []string
		for _, v := range everything {
			if len(groups) == 0 || slices.Contains(groups, v.Group) {
				want = append(want, v.Key)
			}
		}
		var got []string
		for _, v := range s.List(groups) {
			got = append(got, v.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("List(%v) (-want +got):\n%s", groups, diff)
		}
	}
	if s.List([]int{5}) == nil {
		t.Error("a group without settings is nil, want an empty list")
	}
}

func TestTrue(t *testing.T) {
	s := newService(t, settingtest.New(), settingtest.NewSealer())
	for value, want := range map[string]bool{"true": true, "1": true, "false": false, "0": false} {
		save(t, s, map[string]string{setting.KeyAllowRegister: value})
		if got := s.True(setting.KeyAllowRegister); got != want {
			t.Errorf("True with %q = %t, want %t", value, got, want)
		}
	}
	if s.True("nothing") || s.True(setting.KeySiteTitle) {
		t.Error("True is true for what is no switch")
	}
}

// whatever lies in the row, nobody may have fewer than 8 characters.
func TestPasswordMin(t *testing.T) {
	for stored, want := range map[string]int{"8": 8, "15": 15, "64": 64, "0": 8, "-1": 8, "7": 8, "65": 64, "many": 8, "": 8} {
		store := settingtest.New()
		if err := store.SaveSettings(t.Context(), []model.Setting{{Key: setting.KeyPasswordMin, Value: stored}}); err != nil {
			t.Fatal(err)
		}
		if got := newService(t, store, settingtest.NewSealer()).PasswordMin(); got != want {
			t.Errorf("a row of %q: %d, want %d", stored, got, want)
		}
	}
}
