package sessiontest

import (
	"errors"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/racetest"
)

// sftp is an opening at the SFTP door, with a key unless it is 0.
func (s *stage) sftp(a model.Account, device string, after time.Duration, key int64) model.LoginOpening {
	o := s.request(a, device, after)
	o.Device.Kind = model.DeviceSFTP
	if key != 0 {
		o.Device.SSHKeyID = &key
	}
	return o
}

// join joins a login that must be joined, and returns its id.
func (s *stage) join(o model.LoginOpening) string {
	s.t.Helper()
	l, _, err := s.Store.JoinLogin(s.t.Context(), o)
	if err != nil {
		s.t.Fatalf("JoinLogin of %s = %v", o.Device.Key, err)
	}
	return l.ID
}

func joining() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"joining a device without a login makes one": func(t *testing.T, s *stage) {
			a := s.account()
			key := s.NewKey(t, a.Key)
			o := s.sftp(a, "laptop", 0, key)
			id := s.join(o)
			if id != o.Login.ID || s.login(id).ExpiresAt != at(lifetime) {
				t.Errorf("login %+v, want the opening's", s.login(id))
			}
			list := s.list(a.Key, o.Live)
			if len(list) != 1 || list[0].Kind != model.DeviceSFTP || list[0].SSHKeyID == nil || *list[0].SSHKeyID != key {
				t.Errorf("devices %+v, want one of the key", list)
			}
		},
		"joining again renews the login that is there": func(t *testing.T, s *stage) {
			a := s.account()
			first := s.join(s.sftp(a, "laptop", 0, 0))
			o := s.sftp(a, "laptop", time.Hour, 0)
			o.Device.UserAgent = "OpenSSH_10"
			if got := s.join(o); got != first {
				t.Fatalf("joined %q, want %q", got, first)
			}
			l, device := s.login(first), s.list(a.Key, o.Live)[0]
			if l.ExpiresAt != at(time.Hour+lifetime) || l.SeenAt != at(time.Hour) || l.CreatedAt != at(time.Hour) {
				t.Errorf("login %+v, want it renewed", l)
			}
			if device.UserAgent != "OpenSSH_10" || device.SeenAt != at(time.Hour) || device.CreatedAt != at(0) {
				t.Errorf("device %+v, want it brought up to date", device)
			}
		},
		"joining neither joins nor revives what is over": func(_ *testing.T, s *stage) {
			a := s.account()
			first := s.join(s.sftp(a, "laptop", 0, 0))
			s.evict(a, "laptop", time.Minute)
			second := s.join(s.sftp(a, "laptop", time.Hour, 0))
			third := s.join(s.sftp(a, "laptop", time.Hour+lifetime, 0))
			s.wantReason(first, model.EndEvicted)
			if first == second || second == third {
				s.t.Errorf("joined %q, %q, %q, want three logins", first, second, third)
			}
		},
		"joining fails as opening does": func(t *testing.T, s *stage) {
			a := s.account()
			stale := s.sftp(a, "laptop", 0, 0)
			s.ChangePassword(t, a.Key, at(0))
			if _, _, err := s.Store.JoinLogin(t.Context(), stale); !errors.Is(err, model.ErrStale) {
				t.Errorf("JoinLogin after a change = %v, want %v", err, model.ErrStale)
			}
			s.DeleteAccount(t, a.Key)
			if _, _, err := s.Store.JoinLogin(t.Context(), stale); !errors.Is(err, model.ErrNotFound) {
				t.Errorf("JoinLogin without an account = %v, want %v", err, model.ErrNotFound)
			}
		},
		"joining needs the key": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			key, foreign := s.NewKey(t, a.Key), s.NewKey(t, b.Key)
			s.DeleteKey(t, a.Key, key)
			for _, id := range []int64{key, foreign, 4711} {
				if _, _, err := s.Store.JoinLogin(t.Context(), s.sftp(a, "laptop", 0, id)); !errors.Is(err, model.ErrStale) {
					t.Errorf("JoinLogin with key %d = %v, want %v", id, err, model.ErrStale)
				}
			}
		},
		"joins at once share one login": func(t *testing.T, s *stage) {
			a := s.account()
			openings := make([]model.LoginOpening, 12)
			for i := range openings {
				openings[i] = s.sftp(a, "laptop", 0, 0)
			}
			ids := make([]string, len(openings))
			racetest.AtOnce(len(openings), func(i int) { ids[i] = s.join(openings[i]) })
			for _, id := range ids {
				if id != ids[0] {
					t.Errorf("joined %q beside %q", id, ids[0])
				}
			}
		},
		"only live logins are renewed": func(t *testing.T, s *stage) {
			a := s.account()
			live, over := s.signIn(a, "laptop", 0), s.signIn(a, "phone", 0)
			s.evict(a, "phone", time.Minute)
			now := at(time.Hour)
			alive, err := s.Store.RenewLogins(t.Context(), model.Renewal{
				IDs: []string{live, over, "unknown"}, Live: model.Live{At: now}, ExpiresAt: at(time.Hour + lifetime),
			})
			if err != nil || len(alive) != 1 || alive[0] != live {
				t.Errorf("RenewLogins = %v, %v, want %v", alive, err, live)
			}
			if l := s.login(live); l.ExpiresAt != at(time.Hour+lifetime) || l.CreatedAt != now {
				t.Errorf("login %+v, want it renewed", l)
			}
			s.wantReason(over, model.EndEvicted)
			if l := s.login(over); l.ExpiresAt != at(lifetime) {
				t.Errorf("login %+v, want it as it was", l)
			}
		},
	}
}

func suspending() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"evicting a key's device suspends the key": func(t *testing.T, s *stage) {
			a := s.account()
			key, other := s.NewKey(t, a.Key), s.NewKey(t, a.Key)
			s.join(s.sftp(a, "laptop", 0, key))
			s.evict(a, "laptop", time.Minute)
			s.evict(a, "laptop", time.Hour)
			if got := s.Key(t, a.Key, key).SuspendedAt; got != at(time.Minute) {
				t.Errorf("SuspendedAt = %v, want when it was evicted first", got)
			}
			if !s.Key(t, a.Key, other).SuspendedAt.IsZero() {
				t.Error("another key is suspended too")
			}
			if _, _, err := s.Store.JoinLogin(t.Context(), s.sftp(a, "laptop", 2*time.Hour, key)); !errors.Is(err, model.ErrStale) {
				t.Errorf("JoinLogin with a suspended key = %v, want %v", err, model.ErrStale)
			}
		},
		"ending all others suspends the keys behind them": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			key, idle, foreign := s.NewKey(t, a.Key), s.NewKey(t, a.Key), s.NewKey(t, b.Key)
			s.join(s.sftp(a, "server", 0, key))
			s.join(s.sftp(b, "server", 0, foreign))
			s.endOthers(a, s.signIn(a, "laptop", 0), time.Minute)
			if got := s.Key(t, a.Key, key).SuspendedAt; got != at(time.Minute) {
				t.Errorf("SuspendedAt = %v, want when all others were ended", got)
			}
			if !s.Key(t, a.Key, idle).SuspendedAt.IsZero() || !s.Key(t, b.Key, foreign).SuspendedAt.IsZero() {
				t.Error("a key that nobody was signed in with, or somebody else's, is suspended too")
			}
		},
		"signing out suspends no key": func(t *testing.T, s *stage) {
			a := s.account()
			key := s.NewKey(t, a.Key)
			s.join(s.sftp(a, "laptop", 0, key))
			if _, _, err := s.Store.EndDevice(t.Context(), a.Key, deviceKey(a, "laptop"), model.EndLogout, at(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if !s.Key(t, a.Key, key).SuspendedAt.IsZero() {
				t.Error("the key is suspended")
			}
			s.join(s.sftp(a, "laptop", time.Hour, key))
		},
		"deleting a key takes its device and logins along": func(t *testing.T, s *stage) {
			a := s.account()
			key := s.NewKey(t, a.Key)
			id := s.join(s.sftp(a, "laptop", 0, key))
			other := s.join(s.sftp(a, "password", 0, 0))
			s.DeleteKey(t, a.Key, key)
			if _, err := s.Store.Login(t.Context(), id); !errors.Is(err, model.ErrNotFound) {
				t.Errorf("its login = %v, want %v", err, model.ErrNotFound)
			}
			s.wantReason(other, "")
			if got := s.list(a.Key, model.Live{At: at(0)}); len(got) != 1 || got[0].Key != deviceKey(a, "password") {
				t.Errorf("devices %+v, want the other one", got)
			}
		},
	}
}
