package sessiontest

import (
	"testing"
	"time"

	"latchkey/model"
)

func (s *stage) wantLastExpiry(before time.Duration, want model.Time) {
	s.t.Helper()
	if got, err := s.Store.LastExpiry(s.t.Context(), at(before)); err != nil || got != want {
		s.t.Errorf("LastExpiry of logins before %v = %v, %v, want %v", before, got, err, want)
	}
}

func expiries() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"without a login nothing expires": func(_ *testing.T, s *stage) {
			s.account()
			s.wantLastExpiry(time.Hour, model.Time{})
		},
		"the last expiry is that of the logins made before": func(_ *testing.T, s *stage) {
			a, b := s.account(), s.account()
			s.signIn(a, "laptop", 0)
			long := s.request(b, "phone", time.Minute)
			long.Login.ExpiresAt = at(100 * lifetime)
			s.open(long)
			s.signIn(a, "tablet", time.Hour)
			s.wantLastExpiry(0, model.Time{})
			s.wantLastExpiry(time.Millisecond, at(lifetime))
			s.wantLastExpiry(time.Minute, at(lifetime))
			s.wantLastExpiry(time.Minute+time.Millisecond, at(100*lifetime))
			s.wantLastExpiry(2*time.Hour, at(100*lifetime))
		},
		"a login that ended expires as if it had not": func(_ *testing.T, s *stage) {
			a := s.account()
			s.signIn(a, "laptop", 0)
			s.evict(a, "laptop", time.Minute)
			s.wantLastExpiry(time.Hour, at(lifetime))
		},
	}
}
