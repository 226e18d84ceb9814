package alist_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/servertest"
)

// settingKeys are those of a fresh AList 3.63 (contract §5.29).
const settingKeys = `allow_indexed allow_mounted allow_register announcement audio_autoplay audio_cover
auto_update_index default_page_size default_role device_evict_policy device_session_ttl external_previews favicon
filename_char_mapping filter_readme_scripts forward_direct_link_params frontend_remember_sort frp_status hide_files
home_container home_icon iframe_previews ignore_direct_link_params ldap_login_enabled ldap_login_tips logo main_color
max_devices ocr_api package_download pagination_type preview_archives_by_default preview_settings readme_autorender
robots_txt search_index settings_layout site_title sso_compatibility_mode sso_login_enabled sso_login_platform
thumbnail_size use_newui version video_autoplay webauthn_login_enabled`

func TestPublicSettings(t *testing.T) {
	s := open(t)
	got := s.get(t, "", "/api/public/settings")
	var values map[string]string // fails unless all of them are text
	got.Into(t, &values)
	want := strings.Fields(settingKeys)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(values))); diff != "" || len(want) != 46 {
		t.Errorf("%d keys are not AList's 46 (-want +got):\n%s", len(values), diff)
	}
	if !strings.HasPrefix(values["version"], "v3.") || strings.Contains(got.Text, "v2.") {
		t.Errorf("version %q in %s, want v3. and no v2. anywhere", values["version"], got.Text)
	}
	if strings.Contains(got.Text, s.App.AdminToken()) {
		t.Error("the static token is public")
	}
	for _, key := range []string{"ldap_login_enabled", "sso_login_enabled", "webauthn_login_enabled"} {
		if values[key] != "false" {
			t.Errorf("%s is %q, want false", key, values[key])
		}
	}
	s.save(t, map[string]string{"site_title": "Our files", "max_devices": "5"})
	s.get(t, "", "/api/public/settings").Into(t, &values)
	if values["site_title"] != "Our files" || values["max_devices"] != "5" {
		t.Errorf("after saving: %q and %q", values["site_title"], values["max_devices"])
	}
}

func TestPublicListsAreEmptyArrays(t *testing.T) {
	s := open(t)
	for _, path := range []string{"/api/public/archive_extensions", "/api/public/offline_download_tools"} {
		wantBody(t, path, s.get(t, "", path), `{"code":200,"message":"success","data":[]}`)
	}
}

// AList's frontend sends its last token with everything, and others use other
// methods.
func TestPublicRoutesTakeEveryMethodAndMindNoToken(t *testing.T) {
	s := open(t)
	old := s.Admin(t, "gone")
	wantDone(t, "logout", s.get(t, old.Token, logoutRoute))
	for _, path := range []string{"/ping", "/api/public/settings", "/api/public/archive_extensions", "/api/public/offline_download_tools"} {
		plain := s.get(t, "", path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			for _, token := range []string{"", "garbage", "Bearer x", old.Token} {
				got := s.Do(t, servertest.Request{
					Method: method, Path: path, Token: token, ClientID: strings.Repeat("x", 300), Body: "{", Header: map[string]string{"Content-Type": "text/plain"},
				})
				if got.Status != http.StatusOK || got.Text != plain.Text {
					t.Errorf("%s %s with the token %.10q: %d %.80s", method, path, token, got.Status, got.Text)
				}
			}
		}
	}
}

func TestPing(t *testing.T) {
	s := open(t)
	for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"} {
		got := s.Do(t, servertest.Request{Method: method, Path: "/ping"})
		if got.Status != http.StatusOK || got.Text != "pong" || got.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %d %q %q", method, got.Status, got.Text, got.Header.Get("Content-Type"))
		}
	}
}
