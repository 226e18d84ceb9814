package sessiontest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
)

func (s *stage) drop(accountID int64, key string, after time.Duration) int64 {
	s.t.Helper()
	n, err := s.Store.DropInactive(s.t.Context(), accountID, key, model.Live{At: at(after)})
	if err != nil {
		s.t.Fatalf("DropInactive = %v", err)
	}
	return n
}

func (s *stage) clean(c model.Cleaning) (int64, []string) {
	s.t.Helper()
	if c.AtMost == 0 {
		c.AtMost = 500
	}
	n, accounts, err := s.Store.Clean(s.t.Context(), c)
	if err != nil {
		s.t.Fatalf("Clean = %v", err)
	}
	slices.Sort(accounts)
	return n, slices.Compact(accounts)
}

func lists() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"a list holds what is live, oldest device first": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			s.signIn(a, "second", time.Minute)
			s.signIn(a, "first", 0)
			s.signIn(b, "third", 2*time.Minute)
			s.signIn(a, "evicted", 0)
			s.evict(a, "evicted", 0)
			s.signIn(b, "expired", -lifetime+time.Hour)
			s.wantActive(a, time.Hour, "first", "second")
			s.wantActive(b, time.Hour, "third")
			var all []string
			for _, d := range s.list("", model.Live{At: at(time.Hour)}) {
				all = append(all, d.Username+" "+d.Key)
			}
			want := []string{
				a.Username + " " + deviceKey(a, "first"), a.Username + " " + deviceKey(a, "second"),
				b.Username + " " + deviceKey(b, "third"),
			}
			if diff := cmp.Diff(want, all); diff != "" {
				t.Errorf("everybody's devices (-want +got):\n%s", diff)
			}
		},
		"a device expires with the last of its live logins": func(t *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "laptop", 0)
			last := s.signIn(a, "laptop", time.Hour)
			s.signIn(a, "laptop", time.Minute)
			live := model.Live{At: at(time.Hour)}
			if got := s.list(a.Key, live)[0].ExpiresAt; got != at(time.Hour+lifetime) {
				t.Errorf("ExpiresAt = %v, want the last login's", got)
			}
			s.logout(a, last, time.Hour)
			if got := s.list(a.Key, live)[0].ExpiresAt; got != at(time.Minute+lifetime) {
				t.Errorf("ExpiresAt = %v, want that of the last one that is live", got)
			}
		},
		"a login is over at its very expiry": func(_ *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "laptop", 0)
			s.wantActive(a, lifetime-time.Millisecond, "laptop")
			s.wantActive(a, lifetime)
		},
		"idle and overaged logins are not live": func(t *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "laptop", 0)
			for _, l := range []model.Live{
				{At: at(time.Hour), SeenAfter: at(0)},
				{At: at(time.Hour), CreatedAfter: at(0)},
			} {
				if list := s.list(a.Key, l); len(list) != 0 {
					t.Errorf("Devices = %+v, want none", list)
				}
			}
			before := at(-time.Millisecond)
			if list := s.list(a.Key, model.Live{At: at(time.Hour), SeenAfter: before, CreatedAfter: before}); len(list) != 1 {
				t.Errorf("Devices = %+v, want one", list)
			}
		},
		"an empty list is no nil": func(t *testing.T, s *stage) {
			if list := s.list(s.account().Key, model.Live{At: at(0)}); list == nil || len(list) != 0 {
				t.Errorf("Devices = %#v, want an empty list", list)
			}
			if list := s.list("", model.Live{At: at(0)}); list == nil || len(list) != 0 {
				t.Errorf("everybody's Devices = %#v, want an empty list", list)
			}
		},
		"a device was seen by its own account, later than asked": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			s.signIn(a, "laptop", time.Hour)
			s.evict(a, "laptop", time.Hour) // it was seen all the same
			for _, tt := range []struct {
				account model.Account
				key     string
				since   time.Duration
				want    bool
			}{
				{a, deviceKey(a, "laptop"), time.Hour - time.Millisecond, true},
				{a, deviceKey(a, "laptop"), time.Hour, false},
				{b, deviceKey(a, "laptop"), 0, false},
				{a, deviceKey(a, "phone"), 0, false},
				{a, "", 0, false},
			} {
				got, err := s.Store.DeviceSeen(t.Context(), tt.account.Key, tt.key, at(tt.since))
				if got != tt.want || err != nil {
					t.Errorf("DeviceSeen(%q, %v) = %v, %v, want %v", tt.key, tt.since, got, err, tt.want)
				}
			}
		},
		"dropping takes devices without a live login": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			s.signIn(a, "live", 0)
			s.signIn(a, "evicted", 0)
			over := s.signIn(a, "half", 0)
			s.signIn(a, "half", 0)
			s.logout(a, over, 0)
			s.signIn(a, "expired", -lifetime)
			s.signIn(b, "evicted", 0)
			s.evict(a, "evicted", 0)
			s.evict(b, "evicted", 0)
			if n := s.drop(a.ID, "", time.Minute); n != 2 {
				t.Errorf("DropInactive of one account = %d, want 2", n)
			}
			s.wantRows(a, []string{"live", "half"}, []string{"evicted", "expired"})
			s.wantRows(b, []string{"evicted"}, nil)
			if n := s.drop(a.ID+1000, "", time.Minute); n != 0 {
				t.Errorf("DropInactive of nobody = %d, want 0", n)
			}
			if n := s.drop(0, "", time.Minute); n != 1 {
				t.Errorf("DropInactive of everybody = %d, want 1", n)
			}
			s.wantRows(a, []string{"live", "half"}, nil)
		},
		"dropping one device leaves the others and the live": func(t *testing.T, s *stage) {
			a := s.account()
			for _, device := range []string{"one", "two", "live"} {
				s.signIn(a, device, 0)
			}
			s.evict(a, "one", 0)
			s.evict(a, "two", 0)
			for device, want := range map[string]int64{"one": 1, "live": 0, "none": 0} {
				if n := s.drop(0, deviceKey(a, device), time.Minute); n != want {
					t.Errorf("DropInactive(%s) = %d, want %d", device, n, want)
				}
			}
			s.wantRows(a, []string{"two", "live"}, []string{"one"})
		},
		"a dropped device's token is still told why it ended": func(_ *testing.T, s *stage) {
			a := s.account()
			id := s.signIn(a, "laptop", 0)
			s.evict(a, "laptop", 0)
			s.drop(0, "", time.Minute)
			s.wantReason(id, model.EndEvicted)
		},
	}
}

func (s *stage) wantRows(a model.Account, there, gone []string) {
	s.t.Helper()
	for _, device := range there {
		if !s.hasRow(a, device) {
			s.t.Errorf("device %s has no row, want one", device)
		}
	}
	for _, device := range gone {
		if s.hasRow(a, device) {
			s.t.Errorf("device %s has a row, want none", device)
		}
	}
}

func cleaning() map[string]func(*testing.T, *stage) {
	const day = 24 * time.Hour
	idle := func(seconds int64) model.Cleaning {
		return model.Cleaning{Now: at(10 * day), ExpiredAt: at(-365 * day), DeviceIdle: seconds}
	}
	return map[string]func(*testing.T, *stage){
		"a device goes when it was not seen for as long as the setting says": func(t *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "long ago", 0)
			s.signIn(a, "just over", 5*day-time.Millisecond)
			s.signIn(a, "just within", 5*day)
			if n, accounts := s.clean(idle(5 * 24 * 3600)); n != 2 || len(accounts) != 0 {
				t.Errorf("Clean = %d, %v, want 2 and no account", n, accounts)
			}
			s.wantRows(a, []string{"just within"}, []string{"long ago", "just over"})
		},
		"a setting of zero keeps idle devices": func(_ *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "long ago", 0)
			s.clean(idle(0))
			s.clean(idle(-1))
			s.wantRows(a, []string{"long ago"}, nil)
		},
		"an account's own idle time beats the setting": func(t *testing.T, s *stage) {
			with := func(seconds int64) model.Account {
				return s.NewAccount(t, func(a *model.Account) { a.SessionTTL = &seconds })
			}
			short, long, never, setting := with(3600), with(100*24*3600), with(0), s.account()
			for _, a := range []model.Account{short, long, never, setting} {
				s.signIn(a, "laptop", 0)
				s.signIn(a, "phone", 7*day)
			}
			s.clean(idle(5 * 24 * 3600))
			s.wantRows(short, nil, []string{"laptop", "phone"})
			s.wantRows(long, []string{"laptop", "phone"}, nil)
			s.wantRows(never, []string{"laptop", "phone"}, nil)
			s.wantRows(setting, []string{"phone"}, []string{"laptop"})
			s.clean(idle(0))
			s.wantRows(setting, []string{"phone"}, nil)
		},
		"a device with a live login is never cleaned": func(t *testing.T, s *stage) {
			a := s.account()
			id := s.signIn(a, "laptop", 9*day)
			s.signIn(a, "signed out", 9*day)
			s.evict(a, "signed out", 9*day)
			if n, _ := s.clean(idle(60)); n != 1 {
				t.Errorf("Clean = %d, want 1", n)
			}
			s.wantRows(a, []string{"laptop"}, []string{"signed out"})
			s.wantReason(id, "")
		},
		"logins that expired long ago are forgotten, in batches": func(t *testing.T, s *stage) {
			a := s.account()
			for i := range 7 {
				o := s.request(a, "laptop", time.Duration(i))
				o.LoginCap = 100
				s.open(o)
			}
			kept := s.signIn(a, "laptop", time.Hour)
			c := model.Cleaning{Now: at(10 * day), ExpiredAt: at(time.Hour + lifetime), AtMost: 3}
			for i, want := range []int64{3, 3, 1, 0} {
				if n, accounts := s.clean(c); n != want || len(accounts) != 0 {
					t.Errorf("batch %d: Clean = %d, %v, want %d and no account", i, n, accounts, want)
				}
			}
			s.wantReason(kept, "")
		},
		"devices are cleaned in batches": func(t *testing.T, s *stage) {
			a := s.account()
			for _, device := range names(0, 5) {
				s.signIn(a, device, 0)
			}
			c := idle(60)
			c.AtMost = 2
			for i, want := range []int64{2, 2, 1, 0} {
				if n, _ := s.clean(c); n != want {
					t.Errorf("batch %d: Clean = %d, want %d", i, n, want)
				}
			}
		},
		"logins that nobody uses end as cleaned, and their accounts are named": func(t *testing.T, s *stage) {
			a, b, c := s.account(), s.account(), s.account()
			unused, edge := s.signIn(a, "laptop", 0), s.signIn(b, "laptop", time.Hour)
			used, gone := s.signIn(b, "phone", time.Hour+time.Millisecond), s.signIn(c, "laptop", 0)
			s.logout(c, gone, 0)
			expired := s.signIn(c, "phone", -lifetime+2*time.Hour)
			n, accounts := s.clean(model.Cleaning{Now: at(2 * time.Hour), ExpiredAt: at(-365 * day), UnusedSince: at(time.Hour)})
			if n != 2 {
				t.Errorf("Clean = %d, want 2", n)
			}
			want := []string{a.Key, b.Key}
			slices.Sort(want)
			if diff := cmp.Diff(want, accounts); diff != "" {
				t.Errorf("accounts (-want +got):\n%s", diff)
			}
			s.wantReason(unused, model.EndCleaned)
			s.wantReason(edge, model.EndCleaned)
			s.wantReason(used, "")
			s.wantReason(gone, model.EndLogout)
			s.wantReason(expired, "")
			if got := s.login(unused).EndedAt; got != at(2*time.Hour) {
				t.Errorf("EndedAt = %v, want when it was cleaned", got)
			}
		},
		"without an idle time no login ends": func(_ *testing.T, s *stage) {
			a := s.account()
			id := s.signIn(a, "laptop", 0)
			s.clean(model.Cleaning{Now: at(time.Hour), ExpiredAt: at(-365 * day)})
			s.wantReason(id, "")
		},
		"idle logins end in batches": func(t *testing.T, s *stage) {
			a := s.account()
			for _, device := range names(0, 5) {
				s.signIn(a, device, 0)
			}
			c := model.Cleaning{Now: at(time.Hour), ExpiredAt: at(-365 * day), UnusedSince: at(time.Minute), AtMost: 2}
			for i, want := range []int64{2, 2, 1, 0} {
				if n, _ := s.clean(c); n != want {
					t.Errorf("batch %d: Clean = %d, want %d", i, n, want)
				}
			}
			s.wantActive(a, time.Hour)
		},
	}
}
