package sessiontest

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
)

func opening() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"a login is kept as it was opened": func(t *testing.T, s *stage) {
			a := s.account()
			o := s.request(a, "laptop", time.Minute)
			if n, err := s.Store.OpenLogin(t.Context(), o); n != 0 || err != nil {
				t.Fatalf("OpenLogin = %d, %v", n, err)
			}
			if diff := cmp.Diff(o.Login, s.login(o.Login.ID)); diff != "" {
				t.Errorf("login (-want +got):\n%s", diff)
			}
			want := []model.DeviceView{{
				Device: o.Device, AccountID: a.ID, Username: a.Username, ExpiresAt: o.Login.ExpiresAt,
			}}
			if diff := cmp.Diff(want, s.list(a.Key, o.Live)); diff != "" {
				t.Errorf("devices (-want +got):\n%s", diff)
			}
		},
		"of what an account leaves behind only so many rows are kept": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			foreign := s.signIn(b, "device 0", 0)
			s.end(b, "device 0", time.Minute)
			ids := make([]string, 5)
			for i := range ids {
				device := "device " + strconv.Itoa(i)
				ids[i] = s.signIn(a, device, time.Duration(i)*time.Minute)
				s.end(a, device, time.Duration(i)*time.Minute)
			}
			o := s.request(a, "laptop", time.Hour)
			o.KeepEnded, o.KeepIdle = 3, 2
			newest := s.open(o)
			for i, id := range ids {
				_, err := s.Store.Login(t.Context(), id)
				if gone := errors.Is(err, model.ErrNotFound); gone != (i < 2) {
					t.Errorf("login %d: %v", i, err)
				}
				seen, err := s.Store.DeviceSeen(t.Context(), a.Key, deviceKey(a, "device "+strconv.Itoa(i)), at(-time.Hour))
				if err != nil || seen != (i >= 3) {
					t.Errorf("device %d: seen %t, %v", i, seen, err)
				}
			}
			s.wantReason(newest, "")
			s.wantReason(foreign, model.EndEvicted)
		},
		"an unknown login is not found": func(t *testing.T, s *stage) {
			if _, err := s.Store.Login(t.Context(), "none"); !errors.Is(err, model.ErrNotFound) {
				t.Errorf("Login = %v, want ErrNotFound", err)
			}
		},
		"an account that is gone opens nothing": func(_ *testing.T, s *stage) {
			a := s.account()
			s.DeleteAccount(s.t, a.Key)
			s.wantRefused(s.request(a, "laptop", 0), model.ErrNotFound)
		},
		"a disabled account opens nothing": func(t *testing.T, s *stage) {
			a := s.NewAccount(t, func(a *model.Account) { a.Disabled = true })
			s.wantRefused(s.request(a, "laptop", 0), model.ErrStale)
			s.wantActive(a, 0)
		},
		"a sign-in that began before the password changed opens nothing": func(t *testing.T, s *stage) {
			a := s.account()
			s.ChangePassword(t, a.Key, at(0))
			s.wantRefused(s.request(a, "laptop", 0), model.ErrStale)
			a.Epoch++
			s.signIn(a, "laptop", 0)
		},
		"an epoch that is yet to come opens nothing": func(_ *testing.T, s *stage) {
			a := s.account()
			a.Epoch++
			s.wantRefused(s.request(a, "laptop", 0), model.ErrStale)
		},
		"a refused opening ends nothing and leaves no device": func(t *testing.T, s *stage) {
			a := s.account()
			first := s.signIn(a, "laptop", 0)
			o := s.request(a, "phone", time.Minute)
			o.MaxDevices, o.Replaces = 1, first
			s.wantRefused(o, model.ErrLimit)
			s.wantReason(first, "")
			if s.hasRow(a, "phone") {
				t.Error("the refused device has a row")
			}
		},
		"a device that returns keeps its key and its first day": func(t *testing.T, s *stage) {
			a := s.account()
			first := s.signIn(a, "laptop", 0)
			s.evict(a, "laptop", time.Hour)
			o := s.request(a, "laptop", 2*time.Hour)
			o.Device.UserAgent, o.Device.IP, o.Device.Kind = "curl/8", "10.*.*.9", model.DeviceAPI
			s.open(o)
			want := o.Device
			want.CreatedAt = at(0)
			if diff := cmp.Diff(want, s.list(a.Key, o.Live)[0].Device); diff != "" {
				t.Errorf("device (-want +got):\n%s", diff)
			}
			s.wantReason(first, model.EndEvicted)
		},
		"a login id is used once": func(t *testing.T, s *stage) {
			a := s.account()
			o := s.request(a, "laptop", 0)
			s.open(o)
			o.Login.ExpiresAt = at(1000 * time.Hour)
			s.wantRefused(o, model.ErrConflict)
			if got := s.login(o.Login.ID).ExpiresAt; got != at(lifetime) {
				t.Errorf("ExpiresAt = %v, want what it was", got)
			}
		},
		"signing in again replaces a login of the same device": func(t *testing.T, s *stage) {
			a := s.account()
			first, sibling := s.signIn(a, "laptop", 0), s.signIn(a, "laptop", 0)
			o := s.request(a, "laptop", time.Minute)
			o.Replaces = first
			if n, err := s.Store.OpenLogin(t.Context(), o); n != 1 || err != nil {
				t.Fatalf("OpenLogin = %d, %v, want 1 ended", n, err)
			}
			s.wantReason(first, model.EndReplaced)
			s.wantReason(sibling, "")
			if got := s.login(first).EndedAt; got != at(time.Minute) {
				t.Errorf("EndedAt = %v, want when the other one began", got)
			}
		},
		"signing in does not replace a login of another device": func(_ *testing.T, s *stage) {
			a := s.account()
			other := s.signIn(a, "phone", 0)
			o := s.request(a, "laptop", time.Minute)
			o.Replaces = other
			s.open(o)
			s.wantReason(other, "")
		},
		"signing in does not replace a login of another account": func(_ *testing.T, s *stage) {
			a, b := s.account(), s.account()
			foreign := s.signIn(b, "laptop", 0)
			o := s.request(a, "laptop", time.Minute)
			o.Replaces = foreign
			s.open(o)
			s.wantReason(foreign, "")
		},
		"replacing what is over changes nothing of it": func(_ *testing.T, s *stage) {
			a := s.account()
			first := s.signIn(a, "laptop", 0)
			s.evict(a, "laptop", time.Minute)
			o := s.request(a, "laptop", time.Hour)
			o.Replaces = first
			s.open(o)
			s.wantReason(first, model.EndEvicted)
		},
	}
}

func (s *stage) wantRefused(o model.LoginOpening, want error) {
	s.t.Helper()
	if n, err := s.Store.OpenLogin(s.t.Context(), o); n != 0 || !errors.Is(err, want) {
		s.t.Errorf("OpenLogin = %d, %v, want %v", n, err, want)
	}
}

func loginCaps() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"beyond the cap of its logins the one unused for longest ends": func(_ *testing.T, s *stage) {
			a := s.account()
			ids := make([]string, 4)
			for i := range ids {
				ids[i] = s.signIn(a, "laptop", time.Duration(i)*time.Minute)
			}
			s.touch(ids[0], a, "laptop", time.Hour) // now the second one is the idlest
			o := s.request(a, "laptop", 2*time.Hour)
			o.LoginCap = 3
			newest := s.open(o)
			for i, want := range []model.EndReason{"", model.EndReplaced, model.EndReplaced, ""} {
				s.wantReason(ids[i], want)
			}
			s.wantReason(newest, "")
		},
		"a cap of one login keeps only the newest": func(_ *testing.T, s *stage) {
			a := s.account()
			o := s.request(a, "laptop", time.Hour)
			first := s.open(o)
			o = s.request(a, "laptop", 0) // its clock is behind
			o.LoginCap = 1
			newest := s.open(o)
			s.wantReason(first, model.EndReplaced)
			s.wantReason(newest, "")
		},
		"the login that is replaced makes the room": func(t *testing.T, s *stage) {
			a := s.account()
			idle, used := s.signIn(a, "laptop", 0), s.signIn(a, "laptop", time.Minute)
			o := s.request(a, "laptop", time.Hour)
			o.LoginCap, o.Replaces = 2, used
			if n, err := s.Store.OpenLogin(t.Context(), o); n != 1 || err != nil {
				t.Errorf("OpenLogin = %d, %v, want 1 ended", n, err)
			}
			s.wantReason(idle, "")
			s.wantReason(used, model.EndReplaced)
		},
		"logins of other devices do not count": func(_ *testing.T, s *stage) {
			a, b := s.account(), s.account()
			others := []string{s.signIn(a, "phone", 0), s.signIn(b, "laptop", 0)}
			o := s.request(a, "laptop", time.Hour)
			o.LoginCap = 1
			s.open(o)
			for _, id := range others {
				s.wantReason(id, "")
			}
		},
		"an expired login neither counts nor is said to be replaced": func(_ *testing.T, s *stage) {
			a := s.account()
			expired := s.signIn(a, "laptop", 0)
			live := s.signIn(a, "laptop", lifetime-time.Minute)
			o := s.request(a, "laptop", lifetime)
			o.LoginCap = 2
			s.open(o)
			s.wantReason(expired, "")
			s.wantReason(live, "")
		},
		"a full device goes on taking logins": func(_ *testing.T, s *stage) {
			a := s.account()
			var ids []string
			for i := range 25 {
				o := s.request(a, "laptop", time.Duration(i)*time.Second)
				ids = append(ids, s.open(o))
			}
			for i, id := range ids {
				want := model.EndReason("")
				if i < 5 {
					want = model.EndReplaced
				}
				s.wantReason(id, want)
			}
		},
	}
}

// names are the devices "d0", "d1" and so on, without those in but.
func names(from, to int) []string {
	var list []string
	for i := from; i < to; i++ {
		list = append(list, "d"+strconv.Itoa(i))
	}
	return list
}
