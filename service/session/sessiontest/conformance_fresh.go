package sessiontest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/racetest"
)

// proof is one that the account's password was checked for, at the instant.
func (s *stage) proof(a model.Account, login string, after time.Duration) model.LoginProof {
	return model.LoginProof{AccountKey: a.Key, LoginID: login, Epoch: a.Epoch, Live: model.Live{At: at(after)}}
}

// wantStale expects that the proof is refused and changes nothing of the login.
func (s *stage) wantStale(what, login string, p model.LoginProof) {
	s.t.Helper()
	before := s.login(login)
	if err := s.Store.FreshenLogin(s.t.Context(), p); !errors.Is(err, model.ErrStale) {
		s.t.Errorf("FreshenLogin of %s = %v, want ErrStale", what, err)
	}
	if diff := cmp.Diff(before, s.login(login)); diff != "" {
		s.t.Errorf("after FreshenLogin of %s, the login (-want +got):\n%s", what, diff)
	}
}

func freshness() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"a proof changes when the login was fresh and nothing else": func(t *testing.T, s *stage) {
			a := s.account()
			id, twin := s.signIn(a, "laptop", 0), s.signIn(a, "laptop", 0)
			want, other := s.login(id), s.login(twin)
			if err := s.Store.FreshenLogin(t.Context(), s.proof(a, id, time.Hour)); err != nil {
				t.Fatalf("FreshenLogin = %v", err)
			}
			want.FreshAt = at(time.Hour)
			if diff := cmp.Diff([]model.Login{want, other}, []model.Login{s.login(id), s.login(twin)}); diff != "" {
				t.Errorf("logins (-want +got):\n%s", diff)
			}
		},
		"a proof revives nothing": func(t *testing.T, s *stage) { // K-08
			a := s.account()
			id := s.signIn(a, "laptop", 0)
			s.wantStale("an expired login", id, s.proof(a, id, lifetime))
			late := s.proof(a, id, time.Hour)
			late.Live.CreatedAfter = at(0)
			s.wantStale("a login that lived for too long", id, late)
			s.evict(a, "laptop", time.Minute)
			s.wantStale("an ended login", id, s.proof(a, id, time.Minute))
			s.wantActive(a, time.Minute)
		},
		"a proof is the account's as it is": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			id := s.signIn(a, "laptop", 0)
			s.wantStale("a foreign login", id, s.proof(b, id, time.Minute))
			past := s.proof(a, id, time.Minute)
			past.Epoch--
			s.wantStale("an account that changed", id, past)
			if err := s.Store.FreshenLogin(t.Context(), s.proof(a, "none", 0)); !errors.Is(err, model.ErrStale) {
				t.Errorf("FreshenLogin of no login = %v, want ErrStale", err)
			}
		},
		"a proof whose caller went away is not written": func(t *testing.T, s *stage) {
			a := s.account()
			id := s.signIn(a, "laptop", 0)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := s.Store.FreshenLogin(ctx, s.proof(a, id, time.Hour)); !errors.Is(err, model.ErrUnavailable) {
				t.Errorf("FreshenLogin = %v, want ErrUnavailable", err)
			}
			if got := s.login(id).FreshAt; got != at(0) {
				t.Errorf("FreshAt = %v, want %v", got, at(0))
			}
		},
		"a proof racing an ending is written before it or not at all": func(t *testing.T, s *stage) {
			for range 10 {
				a := s.account()
				id := s.signIn(a, "laptop", 0)
				var mu sync.Mutex
				proven := 0
				racetest.AtOnce(8, func(i int) {
					if i == 7 {
						s.end(a, "laptop", time.Minute)
						return
					}
					err := s.Store.FreshenLogin(t.Context(), s.proof(a, id, time.Minute))
					if err != nil && !errors.Is(err, model.ErrStale) {
						t.Errorf("FreshenLogin = %v, want nil or ErrStale", err)
					}
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						proven++
					}
				})
				if got := s.login(id).FreshAt; (got == at(time.Minute)) != (proven > 0) {
					t.Errorf("%d proofs counted and FreshAt is %v", proven, got)
				}
				s.wantReason(id, model.EndEvicted)
				s.wantStale("an ended login", id, s.proof(a, id, time.Hour))
			}
		},
	}
}

// endOthers ends all but one login, which must be live.
func (s *stage) endOthers(a model.Account, keep string, after time.Duration) (devices, logins int64) {
	s.t.Helper()
	devices, logins, err := s.Store.EndOthers(s.t.Context(), a.Key, keep, model.EndEvicted, model.Live{At: at(after)})
	if err != nil {
		s.t.Fatalf("EndOthers = %v", err)
	}
	return devices, logins
}

func others() map[string]func(*testing.T, *stage) {
	return map[string]func(*testing.T, *stage){
		"ending all others spares one login and nobody else's": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			keep, twin := s.signIn(a, "laptop", 0), s.signIn(a, "laptop", 0)
			ended := []string{twin, s.signIn(a, "phone", 0), s.signIn(a, "phone", 0), s.signIn(a, "tablet", 0)}
			foreign := s.signIn(b, "laptop", 0)
			s.evict(a, "tablet", time.Second)
			s.signIn(a, "radio", -lifetime) // expired when all others end
			want := s.login(keep)
			if devices, logins := s.endOthers(a, keep, time.Minute); devices != 1 || logins != 3 {
				t.Errorf("EndOthers = %d devices, %d logins, want 1 and 3", devices, logins)
			}
			for _, id := range ended {
				s.wantReason(id, model.EndEvicted)
			}
			if got := s.login(ended[3]).EndedAt; got != at(time.Second) {
				t.Errorf("what had ended before ended at %v, want %v", got, at(time.Second))
			}
			if diff := cmp.Diff(want, s.login(keep)); diff != "" {
				t.Errorf("the kept login (-want +got):\n%s", diff)
			}
			s.wantReason(foreign, "")
			s.wantActive(a, time.Minute, "laptop")
			if devices, logins := s.endOthers(a, keep, time.Hour); devices != 0 || logins != 0 {
				t.Errorf("once more: %d devices, %d logins, want none", devices, logins)
			}
		},
		"a login that is over ends nobody": func(t *testing.T, s *stage) {
			a, b := s.account(), s.account()
			mine, other, foreign := s.signIn(a, "laptop", 0), s.signIn(a, "phone", time.Minute), s.signIn(b, "laptop", 0)
			refused := func(what, keep string, after time.Duration) {
				t.Helper()
				if _, _, err := s.Store.EndOthers(t.Context(), a.Key, keep, model.EndEvicted, model.Live{At: at(after)}); !errors.Is(err, model.ErrStale) {
					t.Errorf("EndOthers by %s = %v, want ErrStale", what, err)
				}
				s.wantReason(other, "")
			}
			refused("an expired login", mine, lifetime)
			refused("a foreign login", foreign, time.Minute)
			refused("no login", "none", time.Minute)
			refused("an empty id", "", time.Minute)
			s.evict(a, "laptop", time.Minute)
			refused("an ended login", mine, time.Minute)
		},
		"all others ended while devices sign in": func(t *testing.T, s *stage) {
			a := s.account()
			keep := s.signIn(a, "laptop", 0)
			before := []string{s.signIn(a, "laptop", 0), s.signIn(a, "phone", 0)}
			late := make([]model.LoginOpening, 8)
			for i, device := range names(0, 8) {
				if i%2 == 0 {
					device = "laptop" // the kept login's own
				}
				late[i] = s.request(a, device, time.Second)
			}
			racetest.AtOnce(9, func(i int) {
				if i == 8 {
					s.endOthers(a, keep, time.Minute)
				} else if _, err := s.Store.OpenLogin(t.Context(), late[i]); err != nil {
					t.Errorf("OpenLogin = %v", err)
				}
			})
			s.wantReason(keep, "")
			for _, id := range before {
				s.wantReason(id, model.EndEvicted)
			}
			active := map[string]bool{deviceKey(a, "laptop"): true}
			for _, o := range late { // each came before and ended, or after and lives
				if s.login(o.Login.ID).EndReason == "" {
					active[o.Device.Key] = true
				}
			}
			list := s.list(a.Key, model.Live{At: at(time.Minute)})
			for _, d := range list {
				if !active[d.Key] {
					t.Errorf("device %s is active without a live login", d.Key)
				}
			}
			if len(list) != len(active) {
				t.Errorf("%d devices are listed, want %d", len(list), len(active))
			}
		},
		"of two who end each other one stays": func(t *testing.T, s *stage) {
			a := s.account()
			ids := []string{s.signIn(a, "laptop", 0), s.signIn(a, "phone", 0), s.signIn(a, "phone", 0)}
			racetest.Once(t, len(ids), model.ErrStale, func(i int) error {
				_, _, err := s.Store.EndOthers(t.Context(), a.Key, ids[i], model.EndEvicted, model.Live{At: at(time.Minute)})
				return err
			})
			if list := s.list(a.Key, model.Live{At: at(time.Minute)}); len(list) != 1 {
				t.Errorf("%d devices are active, want 1", len(list))
			}
		},
	}
}
