package sessiontest

import (
	"slices"
	"testing"
	"time"

	"latchkey/model"
)

// kinds are the kinds of login, by the names that the suite gives their devices.
func kinds() map[string]model.LoginKind {
	return map[string]model.LoginKind{"signed": model.LoginSigned, "minted": model.LoginMinted, "pair": model.LoginPair, "app": model.LoginApp}
}

// ofEachKind opens a login of each kind at the start, all for a year.
func (s *stage) ofEachKind(a model.Account) map[string]string {
	s.t.Helper()
	ids := map[string]string{}
	for name, kind := range kinds() {
		o := s.request(a, name, 0)
		o.Login.Kind, o.Login.ExpiresAt = kind, at(365*24*time.Hour)
		ids[name] = s.open(o)
	}
	return ids
}

// wantLive checks which kinds are live, by the alphabet.
func (s *stage) wantLive(a model.Account, l model.Live, want ...string) {
	s.t.Helper()
	var got []string
	for _, d := range s.list(a.Key, l) {
		got = append(got, d.Key)
	}
	slices.Sort(got)
	keys := []string{}
	for _, name := range want {
		keys = append(keys, deviceKey(a, name))
	}
	if !slices.Equal(got, keys) {
		s.t.Errorf("live: %q, want %q", got, keys)
	}
}

// granted are the rules of logins that no session token names.
func granted() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"a login keeps its kind": func(t *testing.T, s *stage) {
			for name, id := range s.ofEachKind(s.account()) {
				if got := s.login(id).Kind; got != kinds()[name] {
					t.Errorf("kind of %s = %q", name, got)
				}
			}
		},
		"the age of logins bounds signed ones": func(_ *testing.T, s *stage) {
			a := s.account()
			s.ofEachKind(a)
			s.wantLive(a, model.Live{At: at(time.Hour)}, "app", "minted", "pair", "signed")
			s.wantLive(a, model.Live{At: at(time.Hour), CreatedAfter: at(0)}, "app", "pair")
		},
		"idleness ends what people use": func(_ *testing.T, s *stage) {
			a := s.account()
			ids := s.ofEachKind(a)
			s.wantLive(a, model.Live{At: at(time.Hour), SeenAfter: at(0)}, "app")
			s.clean(model.Cleaning{Now: at(time.Hour), UnusedSince: at(0), ExpiredAt: at(0)})
			s.wantReason(ids["app"], "")
			s.wantReason(ids["pair"], model.EndCleaned)
			s.wantReason(ids["signed"], model.EndCleaned)
		},
		"only session tokens need their key": func(_ *testing.T, s *stage) {
			a := s.account()
			s.ofEachKind(a)
			s.wantLastExpiry(time.Hour, at(365*24*time.Hour))
			b := s.request(s.account(), "other", -time.Hour)
			b.Login.Kind = model.LoginApp
			s.open(b)
			s.wantLastExpiry(0, model.Time{})
		},
		"a use may keep what the device goes by": func(t *testing.T, s *stage) {
			a := s.account()
			id := s.ofEachKind(a)["app"]
			for _, tt := range []struct {
				after             time.Duration
				agent, ip         string
				wantAgent, wantIP string
			}{
				{time.Minute, "", "", "Mozilla/5.0 app", "192.*.*.7"},
				{time.Hour, "", "10.*.*.1", "Mozilla/5.0 app", "10.*.*.1"},
				{2 * time.Hour, "Editor", "", "Editor", "10.*.*.1"},
			} {
				touch := model.Touch{
					LoginID: id, DeviceKey: deviceKey(a, "app"), At: at(tt.after), UserAgent: tt.agent, IP: tt.ip, Keep: true,
				}
				if err := s.Store.Touch(t.Context(), []model.Touch{touch}); err != nil {
					t.Fatalf("Touch = %v", err)
				}
				for _, d := range s.list(a.Key, model.Live{At: at(tt.after)}) {
					if d.Key == touch.DeviceKey && (d.UserAgent != tt.wantAgent || d.IP != tt.wantIP || d.SeenAt != touch.At) {
						t.Errorf("after %v: %+v", tt.after, d.Device)
					}
				}
			}
		},
		"apps count among apps": func(t *testing.T, s *stage) {
			a := s.account()
			first := ""
			for n, name := range []string{"one", "two", "three"} {
				o := s.request(a, name, time.Duration(n)*time.Minute)
				o.Device.Kind, o.Login.Kind, o.DeviceCap = model.DeviceOAuth, model.LoginApp, 2
				if id := s.open(o); n == 0 {
					first = id
				}
			}
			s.wantReason(first, model.EndLimit)
			web := s.request(a, "web", time.Hour)
			web.MaxDevices = 1
			if ended, err := s.Store.OpenLogin(t.Context(), web); ended != 0 || err != nil {
				t.Errorf("OpenLogin beside two apps = %d, %v", ended, err)
			}
		},
	}
}
