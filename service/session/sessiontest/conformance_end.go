package sessiontest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
)

// evict ends a device that must be there and returns how many logins that ended.
func (s *stage) evict(a model.Account, device string, after time.Duration) int64 {
	s.t.Helper()
	d, n, err := s.Store.EndDevice(s.t.Context(), a.Key, deviceKey(a, device), model.EndEvicted, at(after))
	if err != nil || d.Key != deviceKey(a, device) || d.AccountKey != a.Key {
		s.t.Fatalf("EndDevice(%s) = %+v, %v", device, d, err)
	}
	return n
}

func (s *stage) logout(a model.Account, id string, after time.Duration) int64 {
	s.t.Helper()
	n, err := s.Store.EndLogin(s.t.Context(), a.Key, id, model.EndLogout, at(after))
	if err != nil {
		s.t.Fatalf("EndLogin = %v", err)
	}
	return n
}

func endings() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"ending a device ends all its logins and nobody else's": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			mine := []string{s.signIn(a, "laptop", 0), s.signIn(a, "laptop", 0)}
			others := []string{s.signIn(a, "phone", 0), s.signIn(b, "laptop", 0)}
			if n := s.evict(a, "laptop", time.Minute); n != 2 {
				t.Errorf("EndDevice ended %d logins, want 2", n)
			}
			for i := range mine {
				s.wantReason(mine[i], model.EndEvicted)
				s.wantReason(others[i], "")
			}
			if got := s.login(mine[0]).EndedAt; got != at(time.Minute) {
				t.Errorf("EndedAt = %v, want %v", got, at(time.Minute))
			}
			s.wantActive(a, time.Minute, "phone")
		},
		"a device that is over is found and ends nothing": func(t *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "laptop", 0)
			s.evict(a, "laptop", time.Minute)
			if n := s.evict(a, "laptop", time.Hour); n != 0 {
				t.Errorf("EndDevice ended %d logins, want none", n)
			}
		},
		"a device is ended by its owner or in nobody's name": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			id, key := s.signIn(a, "laptop", 0), deviceKey(a, "laptop")
			if _, n, err := s.Store.EndDevice(t.Context(), b.Key, key, model.EndEvicted, at(0)); n != 0 || !errors.Is(err, model.ErrNotFound) {
				t.Errorf("EndDevice of a foreign device = %d, %v, want ErrNotFound", n, err)
			}
			s.wantReason(id, "")
			if d, n, err := s.Store.EndDevice(t.Context(), "", key, model.EndEvicted, at(0)); n != 1 || err != nil || d.AccountKey != a.Key {
				t.Errorf("EndDevice in nobody's name = %+v, %d, %v", d, n, err)
			}
		},
		"a device is named exactly": func(t *testing.T, s *stage) { // S-05
			a := s.account()
			id, key := s.signIn(a, "Laptop", 0), deviceKey(a, "Laptop")
			for _, wrong := range []string{
				"", "%", "_", key + " ", " " + key, key + "\x00", key + "%", deviceKey(a, "laptop"), deviceKey(a, "LAPTOP"),
				key[:len(key)-1], key + "' OR '1'='1", "'; DROP TABLE logins; --", `"`, `\`, "\xff",
			} {
				for _, owner := range []string{a.Key, ""} {
					if _, _, err := s.Store.EndDevice(t.Context(), owner, wrong, model.EndEvicted, at(0)); !errors.Is(err, model.ErrNotFound) {
						t.Errorf("EndDevice(%q) = %v, want ErrNotFound", wrong, err)
					}
				}
			}
			s.wantReason(id, "")
		},
		"ending a login ends that one": func(t *testing.T, s *stage) {
			a := s.account()
			id, sibling := s.signIn(a, "laptop", 0), s.signIn(a, "laptop", 0)
			if n := s.logout(a, id, time.Minute); n != 1 {
				t.Errorf("EndLogin = %d, want 1", n)
			}
			if n := s.logout(a, id, time.Minute); n != 0 {
				t.Errorf("a second EndLogin = %d, want 0", n)
			}
			s.wantReason(id, model.EndLogout)
			s.wantReason(sibling, "")
			s.wantActive(a, time.Minute, "laptop")
			s.logout(a, sibling, time.Minute)
			s.wantActive(a, time.Minute)
		},
		"a login is ended by its owner": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			id := s.signIn(a, "laptop", 0)
			for _, owner := range []string{b.Key, "", "%"} {
				if n, err := s.Store.EndLogin(t.Context(), owner, id, model.EndLogout, at(0)); n != 0 || err != nil {
					t.Errorf("EndLogin by %q = %d, %v, want 0", owner, n, err)
				}
			}
			if n, err := s.Store.EndLogin(t.Context(), a.Key, "", model.EndLogout, at(0)); n != 0 || err != nil {
				t.Errorf("EndLogin of no login = %d, %v, want 0", n, err)
			}
			s.wantReason(id, "")
		},
		"an ending never overwrites an earlier one": func(t *testing.T, s *stage) {
			a := s.account()
			evicted, left := s.signIn(a, "phone", 0), s.signIn(a, "laptop", 0)
			s.evict(a, "phone", time.Minute)
			s.logout(a, left, time.Minute)
			s.logout(a, evicted, time.Hour)
			s.evict(a, "laptop", time.Hour)
			s.ChangePassword(t, a.Key, at(time.Hour))
			s.wantReason(evicted, model.EndEvicted)
			s.wantReason(left, model.EndLogout)
			for _, id := range []string{evicted, left} {
				if got := s.login(id).EndedAt; got != at(time.Minute) {
					t.Errorf("EndedAt = %v, want the first ending's %v", got, at(time.Minute))
				}
			}
		},
		"a changed password ends every login": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			mine := []string{s.signIn(a, "laptop", 0), s.signIn(a, "phone", 0)}
			foreign := s.signIn(b, "laptop", 0)
			s.ChangePassword(t, a.Key, at(time.Minute))
			for _, id := range mine {
				s.wantReason(id, model.EndPassword)
			}
			s.wantReason(foreign, "")
			s.wantActive(a, time.Minute)
		},
		"a deleted account takes its devices and logins along": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			id, foreign := s.signIn(a, "laptop", 0), s.signIn(b, "laptop", 0)
			s.DeleteAccount(t, a.Key)
			if _, err := s.Store.Login(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
				t.Errorf("Login = %v, want ErrNotFound", err)
			}
			if _, _, err := s.Store.EndDevice(t.Context(), "", deviceKey(a, "laptop"), model.EndEvicted, at(0)); !errors.Is(err, model.ErrNotFound) {
				t.Errorf("EndDevice = %v, want ErrNotFound", err)
			}
			s.touch(id, a, "laptop", time.Minute)
			s.wantReason(foreign, "")
			s.wantActive(a, 0)
		},
	}
}

func touching() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"a touch moves the login and what its device shows": func(t *testing.T, s *stage) {
			a := s.account()
			id := s.signIn(a, "laptop", 0)
			before := s.login(id)
			s.touch(id, a, "laptop", time.Minute)
			want := before
			want.SeenAt = at(time.Minute)
			if diff := cmp.Diff(want, s.login(id)); diff != "" {
				t.Errorf("login (-want +got):\n%s", diff)
			}
			d := s.list(a.Key, model.Live{At: at(time.Minute)})[0]
			if d.SeenAt != at(time.Minute) || d.UserAgent != "touched" || d.IP != "10.*.*.1" || d.CreatedAt != at(0) {
				t.Errorf("device = %+v, want it touched", d)
			}
		},
		"a touch neither revives nor changes what is over": func(t *testing.T, s *stage) {
			a := s.account()
			id := s.signIn(a, "laptop", 0)
			s.evict(a, "laptop", time.Minute)
			before := s.login(id)
			s.touch(id, a, "laptop", time.Hour)
			if diff := cmp.Diff(before, s.login(id)); diff != "" {
				t.Errorf("login (-want +got):\n%s", diff)
			}
			s.wantActive(a, time.Hour)
			if seen, err := s.Store.DeviceSeen(t.Context(), a.Key, deviceKey(a, "laptop"), at(time.Minute)); seen || err != nil {
				t.Errorf("DeviceSeen = %v, %v, want false: the device was not touched", seen, err)
			}
		},
		"a late touch takes nothing back": func(t *testing.T, s *stage) {
			a := s.account()
			id, sibling := s.signIn(a, "laptop", 0), s.signIn(a, "laptop", 0)
			s.touch(id, a, "laptop", time.Hour)
			s.touch(id, a, "laptop", time.Minute)
			s.touch(sibling, a, "laptop", time.Minute)
			if got := s.login(id).SeenAt; got != at(time.Hour) {
				t.Errorf("login seen at %v, want %v", got, at(time.Hour))
			}
			if got := s.login(sibling).SeenAt; got != at(time.Minute) {
				t.Errorf("its sibling seen at %v, want %v", got, at(time.Minute))
			}
			if got := s.list(a.Key, model.Live{At: at(time.Hour)})[0].SeenAt; got != at(time.Hour) {
				t.Errorf("device seen at %v, want %v", got, at(time.Hour))
			}
		},
		"a touch of what is gone makes nothing": func(t *testing.T, s *stage) {
			a := s.account()
			s.touch("none", a, "laptop", time.Minute)
			if s.hasRow(a, "laptop") {
				t.Error("a touch made a device")
			}
			id := s.signIn(a, "phone", 0)
			s.evict(a, "phone", 0)
			s.drop(0, deviceKey(a, "phone"), time.Minute)
			s.touch(id, a, "phone", time.Hour)
			if s.hasRow(a, "phone") {
				t.Error("a touch brought a device back")
			}
			if err := s.Store.Touch(t.Context(), nil); err != nil {
				t.Errorf("Touch of nothing = %v", err)
			}
		},
		"a batch of touches is written as a whole": func(t *testing.T, s *stage) {
			a := s.account()
			var (
				ids   []string
				batch []model.Touch
			)
			for i := range 30 {
				device := names(i, i+1)[0]
				ids = append(ids, s.signIn(a, device, 0))
				batch = append(batch, model.Touch{LoginID: ids[i], DeviceKey: deviceKey(a, device), At: at(time.Minute)})
			}
			if err := s.Store.Touch(t.Context(), batch); err != nil {
				t.Fatalf("Touch = %v", err)
			}
			for _, id := range ids {
				if got := s.login(id).SeenAt; got != at(time.Minute) {
					t.Errorf("login %s seen at %v, want %v", id, got, at(time.Minute))
				}
			}
		},
	}
}
