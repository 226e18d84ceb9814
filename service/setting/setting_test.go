package setting_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/racetest"
	"latchkey/service/setting"
	"latchkey/service/setting/settingtest"
)

// plainToken is a static token as it must never lie in a row.
const plainToken = "latchkey-clear-text-token"

func newService(t *testing.T, store setting.Store, sealer setting.Sealer) *setting.Service {
	t.Helper()
	s, err := setting.New(t.Context(), store, sealer)
	if err != nil {
		t.Fatalf("New = %v", err)
	}
	return s
}

func save(t *testing.T, s *setting.Service, values map[string]string) {
	t.Helper()
	if err := s.Save(t.Context(), values); err != nil {
		t.Fatalf("Save = %v", err)
	}
}

func stored(t *testing.T, store setting.Store) map[string]string {
	t.Helper()
	rows, err := store.Settings(t.Context())
	if err != nil {
		t.Fatalf("Settings = %v", err)
	}
	all := map[string]string{}
	for _, row := range rows {
		all[row.Key] = row.Value
	}
	return all
}

func TestPublicSettingsAreThoseOfTheContract(t *testing.T) { // contract §5.29: 46 keys
	want := strings.Fields(`allow_indexed allow_mounted allow_register announcement audio_autoplay audio_cover
		auto_update_index default_page_size default_role device_evict_policy device_session_ttl external_previews
		favicon filename_char_mapping filter_readme_scripts forward_direct_link_params frontend_remember_sort
		frp_status hide_files home_container home_icon iframe_previews ignore_direct_link_params ldap_login_enabled
		ldap_login_tips logo main_color max_devices ocr_api package_download pagination_type
		preview_archives_by_default preview_settings readme_autorender robots_txt search_index settings_layout
		site_title sso_compatibility_mode sso_login_enabled sso_login_platform thumbnail_size use_newui version
		video_autoplay webauthn_login_enabled`)
	public := newService(t, settingtest.New(), settingtest.NewSealer()).Public()
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(public))); diff != "" {
		t.Errorf("public keys (-contract +ours):\n%s", diff)
	}
	if len(want) != 46 {
		t.Errorf("the test lists %d keys, want 46", len(want))
	}
	if v := public[setting.KeyVersion]; v != "v3.63.0" {
		t.Errorf("version = %q, want v3.63.0 (ruling 11)", v)
	}
	for key, value := range public {
		if strings.Contains(value, "v2.") || key != setting.KeyVersion && strings.Contains(value, "v3.") {
			t.Errorf("%s = %q misleads clients that look for the API version", key, value)
		}
	}
}

func TestDefaults(t *testing.T) {
	s := newService(t, settingtest.New(), settingtest.NewSealer())
	for key, want := range map[string]string{
		setting.KeySiteTitle: "Latchkey", setting.KeyMaxDevices: "0", setting.KeyEvictPolicy: "deny", setting.KeyDeviceTTL: "86400",
		setting.KeyToken: "", "allow_register": "false", "default_role": "3", "webauthn_login_enabled": "false",
		"ldap_login_enabled": "false", "sso_login_enabled": "false", "no_such_setting": "",
	} {
		if got := s.Get(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if s.MaxDevices() != 0 || s.EvictOldest() || s.DeviceTTL() != 24*time.Hour {
		t.Errorf("MaxDevices %d, EvictOldest %v, DeviceTTL %v, want 0, false, 24h", s.MaxDevices(), s.EvictOldest(), s.DeviceTTL())
	}
}

func TestItemsAgreeWithThemselves(t *testing.T) {
	seen := map[string]bool{}
	store := settingtest.New()
	s := newService(t, store, settingtest.NewSealer())
	for _, item := range setting.Items() {
		if seen[item.Key] {
			t.Errorf("%s is listed twice", item.Key)
		}
		seen[item.Key] = true
		if item.Secret && !item.Private {
			t.Errorf("%s is secret and public", item.Key)
		}
		if !item.Fixed && !item.Secret {
			if err := s.Save(t.Context(), map[string]string{item.Key: item.Default}); err != nil {
				t.Errorf("%s does not take its default %q: %v", item.Key, item.Default, err)
			}
		}
	}
}

func TestSaveChecksKinds(t *testing.T) {
	for name, tt := range map[string]struct {
		key, value string
		want       error
	}{
		"any text":                    {setting.KeySiteTitle, "<b>\n🏠", nil},
		"no text":                     {setting.KeySiteTitle, "", nil},
		"true":                        {"allow_register", "true", nil},
		"a one for true":              {"allow_register", "1", nil},
		"another word for true":       {"allow_register", "yes", setting.ErrValue},
		"nothing for a flag":          {"allow_register", "", setting.ErrValue},
		"a number":                    {setting.KeyMaxDevices, "5", nil},
		"a negative number":           {setting.KeyMaxDevices, "-1", nil},
		"the largest number":          {setting.KeyMaxDevices, "2147483647", nil},
		"a number too large":          {setting.KeyMaxDevices, "2147483648", setting.ErrValue},
		"a number with a fraction":    {setting.KeyMaxDevices, "1.5", setting.ErrValue},
		"a number with a blank":       {setting.KeyMaxDevices, " 1", setting.ErrValue},
		"a word for a number":         {setting.KeyMaxDevices, "many", setting.ErrValue},
		"nothing for a number":        {setting.KeyMaxDevices, "", setting.ErrValue},
		"one of the choices":          {setting.KeyEvictPolicy, "evict_oldest", nil},
		"none of the choices":         {setting.KeyEvictPolicy, "evict_newest", setting.ErrValue},
		"a choice in another case":    {setting.KeyEvictPolicy, "Deny", setting.ErrValue},
		"an empty secret":             {setting.KeyToken, "", setting.ErrValue},
		"a secret":                    {setting.KeyToken, plainToken, nil},
		"what is fixed":               {setting.KeyVersion, "v2.0.0", setting.ErrFixed},
		"what is fixed, as it is":     {setting.KeyVersion, "v3.63.0", nil},
		"a door that is not there":    {"sso_login_enabled", "true", setting.ErrFixed},
		"an unknown setting":          {"no_such_setting", "x", setting.ErrUnknown},
		"a known one in another case": {"Site_Title", "x", setting.ErrUnknown},
		"a setting without a name":    {"", "x", setting.ErrUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			store := settingtest.New()
			s := newService(t, store, settingtest.NewSealer())
			before := s.Get(tt.key)
			if err := s.Save(t.Context(), map[string]string{tt.key: tt.value}); !errors.Is(err, tt.want) {
				t.Fatalf("Save(%q, %q) = %v, want %v", tt.key, tt.value, err, tt.want)
			}
			want := tt.value
			if tt.want != nil {
				want = before
				if n := len(stored(t, store)); n != 0 {
					t.Errorf("a refused value left %d rows", n)
				}
			}
			if got := s.Get(tt.key); got != want {
				t.Errorf("Get(%q) = %q, want %q", tt.key, got, want)
			}
		})
	}
}

func TestSaveIsAllOrNothing(t *testing.T) {
	store := settingtest.New()
	s := newService(t, store, settingtest.NewSealer())
	save(t, s, map[string]string{"announcement": "before"})
	err := s.Save(t.Context(), map[string]string{"announcement": "after", "logo": "x", setting.KeyMaxDevices: "many"})
	if !errors.Is(err, setting.ErrValue) {
		t.Errorf("Save = %v, want %v", err, setting.ErrValue)
	}
	store.Fail(model.ErrUnavailable)
	if err := s.Save(t.Context(), map[string]string{"announcement": "after"}); !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("Save = %v, want %v", err, model.ErrUnavailable)
	}
	if err := s.Reload(t.Context()); !errors.Is(err, model.ErrUnavailable) {
		t.Errorf("Reload = %v, want %v", err, model.ErrUnavailable)
	}
	store.Fail(nil)
	if diff := cmp.Diff(map[string]string{"announcement": "before"}, stored(t, store)); diff != "" {
		t.Errorf("the rows (-want +got):\n%s", diff)
	}
	if got := s.Get("announcement"); got != "before" {
		t.Errorf("announcement = %q, want what was before", got)
	}
	save(t, s, map[string]string{"announcement": "after", "logo": "x", setting.KeyMaxDevices: "3", setting.KeyEvictPolicy: "evict_oldest", setting.KeyDeviceTTL: "60"})
	if s.Get("announcement") != "after" || s.Get("logo") != "x" || s.MaxDevices() != 3 || !s.EvictOldest() || s.DeviceTTL() != time.Minute {
		t.Error("a save of five values is not there as a whole")
	}
	save(t, s, nil)
	save(t, s, map[string]string{setting.KeyMaxDevices: "-1", setting.KeyDeviceTTL: "-1"})
	if s.MaxDevices() != 0 || s.DeviceTTL() != 0 {
		t.Errorf("negative numbers count as %d and %v, want 0", s.MaxDevices(), s.DeviceTTL())
	}
}

func TestSecretIsSealedAndPrivate(t *testing.T) { // ruling 30
	store, sealer := settingtest.New(), settingtest.NewSealer()
	s := newService(t, store, sealer)
	save(t, s, map[string]string{setting.KeyToken: plainToken, setting.KeySiteTitle: "title"})
	for key, value := range stored(t, store) {
		if strings.Contains(value, plainToken) {
			t.Errorf("the row of %s holds the clear token", key)
		}
	}
	for key, value := range s.Public() {
		if key == setting.KeyToken || strings.Contains(value, plainToken) {
			t.Errorf("the token is public as %s = %q", key, value)
		}
	}
	if got := s.Get(setting.KeyToken); got != plainToken {
		t.Errorf("the token is %q, want %q: it must be shown again", got, plainToken)
	}
	if got := newService(t, store, sealer).Get(setting.KeyToken); got != plainToken {
		t.Errorf("after a restart the token is %q, want %q", got, plainToken)
	}
	if _, err := setting.New(t.Context(), store, settingtest.NewSealer()); err == nil {
		t.Error("New opened the token with another key")
	}
	moved := settingtest.New()
	sealed, err := sealer.Seal("settings|value|other", []byte(plainToken))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"in the clear": plainToken, "moved from another row": sealed} {
		if err := moved.SaveSettings(t.Context(), []model.Setting{{Key: setting.KeyToken, Value: value}}); err != nil {
			t.Fatal(err)
		}
		if _, err := setting.New(t.Context(), moved, sealer); err == nil || strings.Contains(err.Error(), plainToken) {
			t.Errorf("New with a token %s = %v, want an error without it", name, err)
		}
	}
}

func TestReloadSeesOtherProcesses(t *testing.T) {
	store, sealer := settingtest.New(), settingtest.NewSealer()
	server, command := newService(t, store, sealer), newService(t, store, sealer)
	save(t, command, map[string]string{setting.KeyToken: plainToken, "logo": "x"})
	if server.Get("logo") != "" {
		t.Error("the server changed by itself")
	}
	err := store.SaveSettings(t.Context(), []model.Setting{
		{Key: setting.KeyVersion, Value: "v2.0.0"}, {Key: "gone", Value: "x"}, {Key: setting.KeyMaxDevices, Value: "many"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Reload(t.Context()); err != nil {
		t.Fatalf("Reload = %v", err)
	}
	if server.Get("logo") != "x" || server.Get(setting.KeyToken) != plainToken {
		t.Error("Reload does not see what another process saved")
	}
	if server.Get(setting.KeyVersion) != "v3.63.0" || server.Get("gone") != "" || server.MaxDevices() != 0 {
		t.Errorf("odd rows count: version %q, gone %q, %d devices", server.Get(setting.KeyVersion), server.Get("gone"), server.MaxDevices())
	}
}

func TestPublicIsACopy(t *testing.T) {
	s := newService(t, settingtest.New(), settingtest.NewSealer())
	s.Public()[setting.KeySiteTitle] = "changed"
	if got := s.Get(setting.KeySiteTitle); got != "Latchkey" {
		t.Errorf("site_title = %q", got)
	}
}

// slowStore holds back an answer of Settings at its gate.
type slowStore struct {
	*settingtest.Store

	gate *racetest.Gate
}

func (s *slowStore) Settings(ctx context.Context) ([]model.Setting, error) {
	rows, err := s.Store.Settings(ctx)
	s.gate.Pass()
	return rows, err
}

func TestReplacedTokenNeverComesBack(t *testing.T) { // with a Reload that is under way
	slow := &slowStore{Store: settingtest.New(), gate: racetest.NewGate()}
	s := newService(t, slow, settingtest.NewSealer())
	save(t, s, map[string]string{setting.KeyToken: "old"})
	slow.gate.Overtake(func() {
		if err := s.Reload(t.Context()); err != nil { // has read the old token at the gate
			t.Errorf("Reload = %v", err)
		}
	}, func() {
		if err := s.Save(t.Context(), map[string]string{setting.KeyToken: "new"}); err != nil {
			t.Errorf("Save = %v", err)
		}
	})
	if got := s.Get(setting.KeyToken); got != "new" {
		t.Errorf("the token is %q again, want the new one", got)
	}
}

func TestServiceIsSafeForConcurrentUse(t *testing.T) {
	store := settingtest.New()
	s := newService(t, store, settingtest.NewSealer())
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 20 {
				v := fmt.Sprint(i, j)
				if err := s.Save(t.Context(), map[string]string{"logo": v, "favicon": v}); err != nil {
					t.Errorf("Save = %v", err)
				}
				if public := s.Public(); public["logo"] != public["favicon"] {
					t.Errorf("half a save is visible: %q and %q", public["logo"], public["favicon"])
				}
			}
		})
	}
	group.Wait()
	if rows := stored(t, store); s.Get("logo") != rows["logo"] {
		t.Errorf("memory says %q, the row %q", s.Get("logo"), rows["logo"])
	}
}

// A form sends everything back: what is fixed does no harm as it is.
func TestSaveTakesFixedSettingsAsTheyAre(t *testing.T) {
	store := settingtest.New()
	s := newService(t, store, settingtest.NewSealer())
	values := map[string]string{}
	for _, v := range s.List([]int{setting.GroupSite, setting.GroupGlobal, setting.GroupSSO, setting.GroupLDAP, setting.GroupFRP}) {
		values[v.Key] = v.Value
	}
	save(t, s, values)
	for _, item := range setting.Items() {
		if _, there := stored(t, store)[item.Key]; item.Fixed && there {
			t.Errorf("%s is fixed and was stored", item.Key)
		}
		if item.Fixed {
			if err := s.Save(t.Context(), map[string]string{item.Key: item.Default + "x"}); !errors.Is(err, setting.ErrFixed) {
				t.Errorf("Save of another %s = %v, want %v", item.Key, err, setting.ErrFixed)
			}
		}
	}
}

// impatient is a store whose caller leaves as soon as the values are saved.
type impatient struct {
	*settingtest.Store

	leave context.CancelFunc
}

func (s impatient) SaveSettings(ctx context.Context, rows []model.Setting) error {
	defer s.leave()
	return s.Store.SaveSettings(ctx, rows)
}

func (s impatient) Settings(ctx context.Context) ([]model.Setting, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.Store.Settings(ctx)
}

// A static token that was replaced must not go on being taken because the one
// who replaced it hung up.
func TestWhatIsSavedCountsThoughTheCallerLeft(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	s := newService(t, impatient{settingtest.New(), leave}, settingtest.NewSealer())
	if err := s.Save(ctx, map[string]string{setting.KeyToken: plainToken}); err != nil {
		t.Errorf("Save = %v", err)
	}
	if got := s.Get(setting.KeyToken); got != plainToken {
		t.Errorf("the token is %q, want the saved one", got)
	}
}
