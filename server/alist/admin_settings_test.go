package alist_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

const (
	settingListRoute = "/api/admin/setting/list"
	settingGetRoute  = "/api/admin/setting/get"
	settingSaveRoute = "/api/admin/setting/save"
	settingDropRoute = "/api/admin/setting/delete"
	resetTokenRoute  = "/api/admin/setting/reset_token"
	setTokenRoute    = "/api/admin/setting/set_token"

	unfit     = "this value does not suit the setting "
	weakToken = "token must be 16 to 1024 printable characters without blanks"
	goodToken = "a-token-of-my-own-choice"
)

// shownSetting is a row of the settings pages.
type shownSetting struct {
	Key, Value, Help, Type, Options string
	Group, Flag, Index              int
}

func (s *site) settings(t testing.TB, query string) []shownSetting {
	t.Helper()
	var rows []shownSetting
	s.get(t, s.App.AdminToken(), settingListRoute+query).Into(t, &rows)
	return rows
}

func TestSettingListByGroup(t *testing.T) {
	s := open(t)
	everything := s.settings(t, "")
	if !slices.IsSortedFunc(everything, func(a, b shownSetting) int { return a.Index - b.Index }) || everything[0].Key != "token" {
		t.Errorf("the list begins with %v and is not in order", everything[0])
	}
	for query, groups := range map[string][]int{
		"?group=1": {1}, "?group=4": {4}, "?groups=5,0": {5, 0}, "?groups=8,1": {8, 1}, "?group=1&groups=8": {1, 8},
		"?group=11": {11}, "?groups=": nil, "?group=": nil, "?groups=1,,8": {1, 8}, "?group=-1": {-1},
	} {
		var want []shownSetting
		for _, row := range everything {
			if groups == nil || slices.Contains(groups, row.Group) {
				want = append(want, row)
			}
		}
		if diff := cmp.Diff(want, append([]shownSetting(nil), s.settings(t, query)...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	wantBody(t, "a group without settings", s.get(t, s.App.AdminToken(), settingListRoute+"?group=5"), succeeded("[]"))
	for _, query := range []string{"?group=x", "?groups=1,x", "?groups=1;2", "?group=99999999999999999999"} {
		wantRefused(t, query, s.get(t, s.App.AdminToken(), settingListRoute+query), 400, "group must be a number, groups a list of them")
	}
	wantRefused(t, "a group twice", s.get(t, s.App.AdminToken(), settingListRoute+"?group=1&group=2"), 400, `parameter "group" is given twice`)
}

func TestSettingGet(t *testing.T) {
	s := open(t)
	token := s.App.AdminToken()
	const (
		title   = `{"key":"site_title","value":"Latchkey","help":"also the name that authenticator apps show","type":"string","options":"","group":1,"flag":0,"index":2}`
		version = `{"key":"version","value":"v3.63.0","help":"","type":"string","options":"","group":1,"flag":2,"index":1}`
	)
	for query, want := range map[string]string{
		"?key=site_title":                        succeeded(title),
		"?keys=version,nothing,site_title":       succeeded(`[` + version + `,` + title + `]`),
		"?keys=nothing":                          succeeded(`[]`),
		"?keys=version&key=site_title":           succeeded(`[` + version + `]`),
		"?key=nothing":                           refusal(400, "record not found"),
		"?key=":                                  refusal(400, "record not found"),
		"":                                       refusal(400, "record not found"),
		"?key=SITE_TITLE":                        refusal(400, "record not found"),
		"?key=site_title&key=version":            refusal(400, `parameter "key" is given twice`),
		"?key=%00":                               refusal(400, `parameter "key" must not contain control characters or broken text`),
		"?key=" + strings.Repeat("x", 100):       refusal(400, "record not found"),
		"?key=site_title%27%20OR%20%271%27=%271": refusal(400, "record not found"),
	} {
		wantBody(t, query, s.get(t, token, settingGetRoute+query), want)
	}
	wantDone(t, "roles", s.act(t, roleCreateRoute, object{"name": "team"}))
	for key, want := range map[string]shownSetting{
		"token":               {Value: token, Type: "string", Flag: 1, Group: 0},
		"default_role":        {Value: "general", Type: "select", Options: "general,team", Group: 1},
		"device_evict_policy": {Value: "deny", Type: "select", Options: "deny,evict_oldest", Group: 4},
		"max_devices":         {Value: "0", Type: "number", Group: 4},
		"allow_register":      {Value: "false", Type: "bool", Group: 1},
		"announcement":        {Type: "text", Group: 1},
	} {
		var got shownSetting
		s.get(t, token, settingGetRoute+"?key="+key).Into(t, &got)
		want.Key, want.Help, want.Index = key, got.Help, got.Index
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

func TestSettingSave(t *testing.T) {
	s := open(t)
	save := func(body any) servertest.Reply { return s.act(t, settingSaveRoute, body) }
	wantDone(t, "two", save([]object{{"key": "site_title", "value": "Home"}, {"key": "max_devices", "value": "3"}}))
	wantDone(t, "none", save([]object{}))
	before := s.settings(t, "")
	for _, group := range []string{"?group=0", "?group=1", "?group=2", "?group=3", "?group=4", "?group=6", "?group=7", "?group=8", "?group=12", ""} {
		wantDone(t, "what came, sent back: "+group, save(string(s.get(t, s.App.AdminToken(), settingListRoute+group).Data)))
	}
	if diff := cmp.Diff(before, s.settings(t, "")); diff != "" {
		t.Errorf("sending back changed (-before +after):\n%s", diff)
	}
	const fixed, reserved = "this setting cannot be changed", "cannot set admin or guest as default role"
	for what, tt := range map[string]struct {
		key, value string
		code       int
		message    string
	}{
		"an unknown one":                   {"nothing", "x", 404, "record not found"},
		"one without a name":               {"", "x", 400, `field "key" is required`},
		"a read-only one":                  {"version", "v4.0.0", 400, fixed},
		"a switch that is held":            {"webauthn_login_enabled", "true", 400, fixed},
		"text for a number":                {"max_devices", "many", 400, unfit + "max_devices: a whole number"},
		"a number out of range":            {"max_devices", "99999999999", 400, unfit + "max_devices: a whole number"},
		"text for a switch":                {"allow_register", "yes", 400, unfit + "allow_register: true or false"},
		"none of the choices":              {"device_evict_policy", "maybe", 400, unfit + "device_evict_policy: deny, evict_oldest"},
		"an empty token":                   {"token", "", 400, weakToken},
		"a short token":                    {"token", "short", 400, weakToken},
		"a token with a blank":             {"token", "a token of my own choice", 400, weakToken},
		"an unknown default role":          {"default_role", "nobody", 400, noRole},
		"no default role":                  {"default_role", "", 400, noRole},
		"the admin's as the default":       {"default_role", "admin", 400, reserved},
		"the guest's as the default":       {"default_role", "guest", 400, reserved},
		"the admin's as the default by id": {"default_role", "2", 400, reserved},
	} {
		got := save([]object{{"key": "site_title", "value": "Changed"}, {"key": tt.key, "value": tt.value}, {"key": "logo", "value": "x"}})
		wantRefused(t, what, got, tt.code, tt.message)
	}
	for what, tt := range map[string]struct{ body, message string }{
		"an object":           {`{"key":"logo","value":"x"}`, "request body must be a JSON list"},
		"text in the list":    {`["logo"]`, "request body is not valid JSON"},
		"a number for a text": {`[{"key":"logo","value":1}]`, `field "value" must be a string`},
		"nothing":             {``, "request body is empty"},
		"more than a list":    {`[] []`, "request body is not valid JSON"},
		"a key twice in one":  {`[{"key":"logo","KEY":"token","value":"x"}]`, "request body names a field twice"},
	} {
		wantRefused(t, what, save(tt.body), 400, tt.message)
	}
	if diff := cmp.Diff(before, s.settings(t, "")); diff != "" {
		t.Errorf("refusals changed (-before +after):\n%s", diff)
	}
	wantRefused(t, "nobody", s.get(t, "", "/api/me"), http.StatusUnauthorized, noGuests) // an empty token would open this
}

func TestSettingDelete(t *testing.T) {
	s := open(t)
	for query, want := range map[string]string{
		"?key=site_title": "setting [site_title] is not deprecated",
		"?key=nothing":    "setting [nothing] is not deprecated",
		"":                "setting [] is not deprecated",
		"?key=%3Cb%3E":    "setting [<b>] is not deprecated",
		"?key=%00":        `parameter "key" must not contain control characters or broken text`,
	} {
		got := s.act(t, settingDropRoute+query, nil)
		if got.Code != 400 || got.Message != want {
			t.Errorf("%s: %s, want 400 %s", query, got.Text, want)
		}
	}
	if got := s.value(t, "site_title"); got != "Latchkey" {
		t.Errorf("site_title is %q", got)
	}
}

func TestStaticTokenIsReplacedAtOnce(t *testing.T) {
	data := t.TempDir()
	s := open(t, func(c *config.Config, _ *server.Options) { c.Data = data })
	old := s.App.AdminToken()
	var fresh string
	s.post(t, old, resetTokenRoute, nil).Into(t, &fresh)
	if len(fresh) != 106 || !strings.HasPrefix(fresh, "alist-") || fresh == old {
		t.Errorf("the new token is %q", fresh)
	}
	s.wantDead(t, "the old token", old, invalid)
	wantBody(t, "the new token", s.get(t, fresh, "/api/me"), adminBody)
	for what, token := range map[string]string{
		"short": "short", "with a blank": "a token of my own choice", "of letters beyond ASCII": "äääääääääääääääää", "with a line end": goodToken + "\n",
		"too long": strings.Repeat("x", 1025),
	} {
		wantRefused(t, "one that is "+what, s.post(t, fresh, setTokenRoute, object{"token": token}), 400, weakToken)
	}
	for _, body := range []string{`{}`, `{"token":""}`, `{"token":null}`} {
		wantRefused(t, body, s.post(t, fresh, setTokenRoute, body), 400, `field "token" is required`)
	}
	wantBody(t, "after refusals", s.get(t, fresh, "/api/me"), adminBody)
	wantBody(t, "choose", s.post(t, fresh, setTokenRoute, object{"token": goodToken}), succeeded(`"`+goodToken+`"`))
	s.wantDead(t, "the one before", fresh, invalid)
	wantBody(t, "the chosen one", s.get(t, goodToken, "/api/me"), adminBody)
	wantSealed(t, data, old, fresh, goodToken)
}

// wantSealed expects that no file of the data folder holds one of the texts.
func wantSealed(t *testing.T, data string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range secrets {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds a static token in the clear", filepath.Base(path))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSettingsSurviveARestart(t *testing.T) {
	cfg := config.Defaults()
	cfg.Data, cfg.AdminPassword, cfg.CacheSize = t.TempDir(), config.NewSecret(password), 100
	open := func() *server.App {
		app, err := server.Open(context.Background(), cfg, server.Options{HashMemoryKiB: 64})
		if err != nil {
			t.Fatal(err)
		}
		return app
	}
	app := open()
	for key, value := range map[string]string{"token": goodToken, "site_title": "Home", "default_role": "general"} {
		if err := app.SetSetting(t.Context(), key, value); err != nil {
			t.Fatalf("set %s: %v", key, err)
		}
	}
	if err := app.Close(); err != nil {
		t.Fatal(err)
	}
	app = open()
	defer app.Close()
	title, err := app.SettingValue(t.Context(), "site_title")
	if got := app.AdminToken(); got != goodToken || title != "Home" || err != nil {
		t.Errorf("after a restart the token is %q, the title %q (%v)", got, title, err)
	}
}

// Of the saves that run at once, each is whole: token and title belong together.
func TestParallelSavesAreWhole(t *testing.T) {
	s := open(t)
	admin := s.Admin(t, "").Token
	done := make(chan struct{})
	for i := range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for n := range 10 {
				value := fmt.Sprintf("%d-%d-0123456789abcdef", i, n)
				if got := s.post(t, admin, settingSaveRoute, []object{{"key": "logo", "value": value}, {"key": "favicon", "value": value}}); got.Code != http.StatusOK {
					t.Errorf("save: %s", got.Text)
				}
			}
		}()
	}
	for range 4 {
		<-done
	}
	if logo, icon := s.value(t, "logo"), s.value(t, "favicon"); logo != icon {
		t.Errorf("logo is %q, favicon %q", logo, icon)
	}
}
