package sessiontest

import (
	"errors"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/racetest"
)

func parallel() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"50 devices at once never exceed the limit under deny": func(t *testing.T, s *stage) {
			a := s.account()
			requests := s.crowd(a, limit{max: 5})
			entered := racetest.Together(t, 50, model.ErrLimit, func(i int) error {
				_, err := s.Store.OpenLogin(t.Context(), requests[i])
				return err
			})
			if list := s.list(a.Key, model.Live{At: at(time.Hour)}); entered != 5 || len(list) != 5 {
				t.Errorf("%d entered and %d are active, want 5", entered, len(list))
			}
		},
		"50 devices at once never exceed the limit under evict oldest": func(t *testing.T, s *stage) {
			a := s.account()
			requests := s.crowd(a, limit{max: 5, evict: true})
			racetest.AtOnce(50, func(i int) {
				if _, err := s.Store.OpenLogin(t.Context(), requests[i]); err != nil {
					t.Errorf("OpenLogin %d = %v", i, err)
				}
				if list, err := s.Store.Devices(t.Context(), a.Key, model.Live{At: at(time.Hour)}); err != nil || len(list) > 5 {
					t.Errorf("Devices = %d of them, %v, want at most 5", len(list), err)
				}
			})
			if list := s.list(a.Key, model.Live{At: at(time.Hour)}); len(list) != 5 {
				t.Errorf("%d are active, want 5", len(list))
			}
		},
		"16 sign-ins of one device at once make one row": func(t *testing.T, s *stage) {
			a, requests := s.account(), make([]model.LoginOpening, 16)
			for i := range requests {
				requests[i] = limit{max: 1}.on(s.request(a, "laptop", 0))
			}
			racetest.AtOnce(16, func(i int) {
				if _, err := s.Store.OpenLogin(t.Context(), requests[i]); err != nil {
					t.Errorf("OpenLogin = %v", err)
				}
			})
			s.wantActive(a, time.Minute, "laptop")
			for _, o := range requests {
				s.wantReason(o.Login.ID, "")
			}
		},
		"an eviction racing touches and sign-ins is not undone": func(t *testing.T, s *stage) {
			a := s.account()
			var ids []string
			for range 8 {
				ids = append(ids, s.signIn(a, "laptop", 0))
			}
			late := make([]model.LoginOpening, 4)
			for i := range late {
				late[i] = s.request(a, "laptop", time.Second)
			}
			racetest.AtOnce(16, func(i int) {
				switch {
				case i < 8:
					touch := model.Touch{LoginID: ids[i], DeviceKey: deviceKey(a, "laptop"), At: at(time.Minute)}
					if err := s.Store.Touch(t.Context(), []model.Touch{touch}); err != nil {
						t.Errorf("Touch = %v", err)
					}
				case i < 12:
					if _, err := s.Store.OpenLogin(t.Context(), late[i-8]); err != nil {
						t.Errorf("OpenLogin = %v", err)
					}
				default:
					if _, _, err := s.Store.EndDevice(t.Context(), a.Key, deviceKey(a, "laptop"), model.EndEvicted, at(time.Minute)); err != nil {
						t.Errorf("EndDevice = %v", err)
					}
				}
			})
			for _, id := range ids {
				s.wantReason(id, model.EndEvicted)
			}
			live := 0
			for _, o := range late { // each came before the last eviction and ended, or after it and lives
				if s.login(o.Login.ID).EndReason == "" {
					live++
				}
			}
			if list := s.list(a.Key, model.Live{At: at(time.Minute)}); (len(list) > 0) != (live > 0) {
				t.Errorf("%d logins are live, but the list is %+v", live, list)
			}
		},
		"a sign-in racing a changed password leaves no login": func(t *testing.T, s *stage) {
			a, requests := s.account(), make([]model.LoginOpening, 12)
			for i, device := range names(0, 12) {
				requests[i] = s.request(a, device, 0)
			}
			racetest.AtOnce(13, func(i int) {
				if i == 12 {
					s.ChangePassword(t, a.Key, at(time.Minute))
				} else if _, err := s.Store.OpenLogin(t.Context(), requests[i]); err != nil && !errors.Is(err, model.ErrStale) {
					t.Errorf("OpenLogin = %v, want nil or ErrStale", err)
				}
			})
			s.wantActive(a, time.Minute)
		},
	}
}

// crowd is 50 devices that want to sign in.
func (s *stage) crowd(a model.Account, l limit) []model.LoginOpening {
	requests := make([]model.LoginOpening, 50)
	for i, device := range names(0, 50) {
		requests[i] = l.on(s.request(a, device, time.Duration(i)*time.Millisecond))
	}
	return requests
}
